#include "core/fiber.hpp"

#include <cassert>
#include <cstdint>
#include <new>
#include <utility>

#include <sys/mman.h>
#include <ucontext.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

namespace kinetune::core {
namespace {

constexpr std::size_t stack_size = std::size_t{8} << 20;  // only what is touched takes memory
constexpr std::size_t guard_size = 4096;                  // below it: an overflow ends the program

/// Memory for a stack.
class Stack {
 public:
  Stack()
      : base_(::mmap(nullptr, stack_size, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0)) {
    if (base_ == MAP_FAILED) throw std::bad_alloc();
    ::mprotect(base_, guard_size, PROT_NONE);
  }
  ~Stack() { ::munmap(base_, stack_size); }
  Stack(const Stack&) = delete;

  void* base() const { return base_; }

 private:
  void* base_;
};

/// Bounds of a stack.
struct Bounds {
  const void* bottom = nullptr;
  std::size_t size = 0;
};

/// AddressSanitizer has to know the stack: it would take what exceptions leave on another one for overflows.
/// @param kept  what it keeps of the stack that is left; null where that is over
void leave_for([[maybe_unused]] const Bounds& next, [[maybe_unused]] void** kept) {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(kept, next.bottom, next.size);
#endif
}

/// @returns the bounds of the stack that was left
Bounds arrive([[maybe_unused]] void* kept) {
  Bounds left;
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(kept, &left.bottom, &left.size);
#endif
  return left;
}

}  // namespace

struct Fiber::Impl {
  std::function<void(const Pause&)> body;
  Pause pause = [this] {
    void* kept = nullptr;
    leave_for(bounds_of_caller, &kept);
    ::swapcontext(&own, &caller);
    bounds_of_caller = arrive(kept);
  };
  Stack stack;
  ucontext_t own{}, caller{};
  Bounds bounds_of_caller;
  bool has_begun = false, has_ended = false;

  /// makecontext passes ints: a pointer goes in two halves.
  static void enter(unsigned high, unsigned low) {
    const auto address = (static_cast<std::uintptr_t>(high) << 32) | low;
    auto& self = *reinterpret_cast<Impl*>(address);
    self.bounds_of_caller = arrive(nullptr);
    self.body(self.pause);
    self.has_ended = true;
    leave_for(self.bounds_of_caller, nullptr);
  }

  void begin() {
    ::getcontext(&own);
    own.uc_stack.ss_sp = stack.base();
    own.uc_stack.ss_size = stack_size;
    own.uc_link = &caller;
    const auto address = reinterpret_cast<std::uintptr_t>(this);
    ::makecontext(&own, reinterpret_cast<void (*)()>(&enter), 2, static_cast<unsigned>(address >> 32),
                  static_cast<unsigned>(address));
    has_begun = true;
  }
};

Fiber::Fiber(std::function<void(const Pause&)> body) : impl_(std::make_unique<Impl>()) {
  impl_->body = std::move(body);
}
Fiber::Fiber(Fiber&&) noexcept = default;
Fiber::~Fiber() { assert(!impl_ || !impl_->has_begun || impl_->has_ended); }

void Fiber::resume() {
  assert(!impl_->has_ended);
  if (!impl_->has_begun) impl_->begin();
  void* kept = nullptr;
  leave_for({impl_->stack.base(), stack_size}, &kept);
  ::swapcontext(&impl_->caller, &impl_->own);
  arrive(kept);
}

bool Fiber::has_ended() const { return impl_->has_ended; }

}  // namespace kinetune::core
