#pragma once

#include <functional>
#include <memory>

namespace kinetune::core {

/// A function with a stack of its own, which can be left in the middle and gone on with later, on the same
/// thread.
class Fiber {
 public:
  using Pause = std::function<void()>;

  /// @param body  called with what it leaves the fiber by until it is resumed; must not throw
  explicit Fiber(std::function<void(const Pause&)> body);
  ~Fiber();  ///< it has ended, or was never resumed
  Fiber(Fiber&&) noexcept;

  /// Runs it until it pauses or ends.
  void resume();
  bool has_ended() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace kinetune::core
