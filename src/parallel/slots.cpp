#include "parallel/slots.hpp"

#include <cassert>
#include <exception>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

#include "core/cpu_time.hpp"
#include "core/fiber.hpp"

namespace kinetune::parallel {
namespace {

/// What wait() throws when the job is lost.
struct Unwound {};

}  // namespace

class Slots::Place final : public Slot {
 public:
  Place(Slots& slots, std::uint64_t task)
      : slots_(slots), task_(task), fiber_([this](const core::Fiber::Pause& pause) { live(pause); }) {}

  bool stopping() override { return slots_.stop_(); }
  void wait() override {
    waits_ = true;
    (*pause_)();
    if (slots_.unwinding_) throw Unwound{};
  }
  double cpu_seconds() const override { return cpu_seconds_ + (core::thread_cpu_seconds() - slots_.clock_); }

  // From outside the fiber.
  bool waits() const { return waits_; }
  void go_on() {
    has_begun_ = true;
    fiber_.resume();
  }
  void account(double seconds) { cpu_seconds_ += seconds; }
  void set_served() { waits_ = false; }
  bool has_ended() const { return fiber_.has_ended(); }
  Ended take_ended() { return std::move(ended_); }
  void rethrow() const {
    if (thrown_) std::rethrow_exception(thrown_);
  }
  void unwind() {
    while (has_begun_ && !has_ended()) fiber_.resume();
  }

 private:
  void live(const core::Fiber::Pause& pause) {
    pause_ = &pause;
    try {
      auto result = slots_.work_(task_, *this);
      ended_ = result ? Ended{task_, Scheduler::End::done, std::move(*result)}
                      : Ended{task_, Scheduler::End::given_up};
    } catch (const std::exception& error) {
      thrown_ = std::make_exception_ptr(std::runtime_error(fmt::format("task {}: {}", task_, error.what())));
    } catch (...) {
      thrown_ = std::current_exception();
    }
  }

  Slots& slots_;
  std::uint64_t task_;
  const core::Fiber::Pause* pause_ = nullptr;
  bool waits_ = false, has_begun_ = false;
  double cpu_seconds_ = 0;
  Ended ended_{};
  std::exception_ptr thrown_;
  core::Fiber fiber_;
};

Slots::Slots(const Work& work, const SideBySide& how, StopCheck stop)
    : work_(work), how_(how), stop_(std::move(stop)) {
  assert(how.n_slots >= 1);
}
Slots::~Slots() { unwind(); }

bool Slots::has_free() const { return at_work_.size() < static_cast<std::size_t>(how_.n_slots); }

void Slots::begin(std::uint64_t task) {
  assert(has_free());
  at_work_.push_back(std::make_unique<Place>(*this, task));
}

std::vector<Ended> Slots::go_on() {
  take_seconds();
  for (const auto& place : at_work_) {
    if (place->waits()) continue;
    place->go_on();
    const double seconds = take_seconds();
    place->account(seconds);
    task_seconds_ += seconds;
    if (place->has_ended()) place->rethrow();
  }
  std::vector<Ended> ended;
  for (const auto& place : at_work_)
    if (place->has_ended()) ended.push_back(place->take_ended());
  std::erase_if(at_work_, [](const auto& place) { return place->has_ended(); });
  if (ended.empty()) serve();
  return ended;
}

void Slots::serve() {
  how_.serve(stop_);
  serve_seconds_ += take_seconds();
  for (const auto& place : at_work_) place->set_served();
}

/// CPU time since the last call.
double Slots::take_seconds() {
  const double now = core::thread_cpu_seconds();
  return now - std::exchange(clock_, now);
}

void Slots::unwind() {
  unwinding_ = true;
  for (const auto& place : at_work_) place->unwind();
}

}  // namespace kinetune::parallel
