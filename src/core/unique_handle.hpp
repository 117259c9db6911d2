#pragma once

#include <utility>

namespace kinetune::core {

/// Owns one handle of a C library. Policy has `type`, `static type null() noexcept` and `static void
/// destroy(type) noexcept`.
template <class Policy>
class UniqueHandle {
 public:
  using type = typename Policy::type;

  UniqueHandle() noexcept = default;
  explicit UniqueHandle(type handle) noexcept : handle_(handle) {}
  UniqueHandle(UniqueHandle&& other) noexcept : handle_(other.release()) {}
  UniqueHandle& operator=(UniqueHandle&& other) noexcept {
    reset(other.release());
    return *this;
  }
  ~UniqueHandle() { reset(); }

  type get() const noexcept { return handle_; }
  explicit operator bool() const noexcept { return handle_ != Policy::null(); }
  type release() noexcept { return std::exchange(handle_, Policy::null()); }
  void reset(type handle = Policy::null()) noexcept {
    const type old = std::exchange(handle_, handle);
    if (old != Policy::null() && old != handle) Policy::destroy(old);
  }

 private:
  type handle_ = Policy::null();
};

}  // namespace kinetune::core
