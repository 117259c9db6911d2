#include "simulate/lane_group.hpp"

#include <algorithm>
#include <cassert>
#include <exception>
#include <optional>
#include <utility>
#include <vector>

#include "core/fiber.hpp"
#include "simulate/lane_integrator.hpp"
#include "simulate/past.hpp"

namespace kinetune::simulate {

struct LaneGroup::Impl {
  /// A place in a batch of the lane integrator's tape.
  struct Taped {
    std::size_t batch, place;
  };
  /// A job under way, and what it waits for.
  struct Member {
    enum class Waits { no, to_go, to_return } waits = Waits::no;
    LaneTask* task = nullptr;
    Mode mode = Mode::states;
    LaneReturn* back = nullptr;
    std::vector<Taped> tape;       // the last one is gone back over first
    bool has_been_served = false;  // and can go on
    const core::Fiber::Pause* pause = nullptr;
  };

  /// What run() is to do.
  struct Jobs {
    const std::function<void(std::size_t, int)>* job = nullptr;
    std::size_t n = 0, next = 0;
    std::exception_ptr thrown;
  };

  Impl(const jit::CompiledModel& model, const IntegratorOptions& options, int n_members)
      : lanes(model, options), members(n_members) {
    for (int i = 0; i < n_members; ++i)
      fibers.emplace_back([this, i](const core::Fiber::Pause& pause) { live(i, pause); });
  }
  ~Impl() {
    is_closing = true;
    for (core::Fiber& fiber : fibers) {
      if (!fiber.has_ended()) fiber.resume();
    }
  }

  /// A member's fiber: does jobs as long as there are some, and pauses until there are others.
  void live(int number, const core::Fiber::Pause& pause) {
    Member& member = members[number];
    member.pause = &pause;
    while (!is_closing) {
      while (jobs.next < jobs.n) {
        try {
          (*jobs.job)(jobs.next++, number);
        } catch (...) {
          if (!jobs.thrown) jobs.thrown = std::current_exception();
        }
        member.tape.clear();
      }
      pause();
    }
  }

  /// Lets each member work until it waits or there is nothing left for it.
  /// @returns whether some wait
  bool go_on() {
    bool some_wait = false;
    for (std::size_t i = 0; i < members.size(); ++i) {
      const bool can_go_on = std::exchange(members[i].has_been_served, false);
      if (can_go_on || (members[i].waits == Member::Waits::no && jobs.next < jobs.n)) fibers[i].resume();
      some_wait = some_wait || members[i].waits != Member::Waits::no;
    }
    return some_wait;
  }

  void wait(Member& member, Member::Waits reason) {
    member.waits = reason;
    (*member.pause)();
  }

  /// Once no member can go on by itself.
  void serve() {
    for (const Mode mode : {Mode::states, Mode::forward, Mode::adjoint}) {
      const auto waiting =
          those([&](const Member& m) { return m.waits == Member::Waits::to_go && m.mode == mode; });
      if (!waiting.empty()) return go(waiting, mode);
    }
    go_back();
  }

  template <class Condition>
  std::vector<Member*> those(const Condition& condition) {
    std::vector<Member*> found;
    for (Member& member : members) {
      if (condition(member)) found.push_back(&member);
    }
    return found;
  }

  bool is_wanted(std::size_t batch) const {
    return std::ranges::any_of(
        members, [&](const Member& m) { return !m.tape.empty() && m.tape.back().batch == batch; });
  }

  void go(const std::vector<Member*>& waiting, Mode mode) {
    while (n_batches > 0 && !is_wanted(n_batches - 1)) go_back();  // jobs that failed have left it
    std::vector<LaneTask> tasks;
    for (const Member* member : waiting) tasks.push_back(*member->task);
    lanes.forward(tasks, mode);
    const std::size_t batch = n_batches;
    if (mode == Mode::adjoint) ++n_batches;
    for (std::size_t i = 0; i < waiting.size(); ++i) {
      *waiting[i]->task = std::move(tasks[i]);
      waiting[i]->waits = Member::Waits::no;
      waiting[i]->has_been_served = true;
      if (mode == Mode::adjoint && waiting[i]->task->done) waiting[i]->tape.push_back({batch, i});
      if (mode == Mode::adjoint) batch_sizes.resize(n_batches, waiting.size());
    }
  }

  /// Goes back over the last batch, of which every member waits or has no more interest.
  void go_back() {
    assert(n_batches > 0);
    const std::size_t batch = --n_batches;
    const auto waiting =
        those([&](const Member& m) { return !m.tape.empty() && m.tape.back().batch == batch; });
    std::vector<LaneReturn> returns(batch_sizes.back());
    batch_sizes.pop_back();
    for (LaneReturn& back : returns)  // nobody's
      back.done = std::unexpected(IntegrationFailure{IntegrationError::internal, 0.0});
    for (Member* member : waiting) {
      assert(member->waits == Member::Waits::to_return);
      returns[member->tape.back().place] = std::move(*member->back);
    }
    lanes.backward(returns);
    for (Member* member : waiting) {
      *member->back = std::move(returns[member->tape.back().place]);
      member->tape.pop_back();
      member->waits = Member::Waits::no;
      member->has_been_served = true;
    }
  }

  LaneIntegrator lanes;
  std::vector<Member> members;
  std::vector<core::Fiber> fibers;  // of the members
  Jobs jobs;
  bool is_closing = false;
  std::size_t n_batches = 0;             // on the lane integrator's tape
  std::vector<std::size_t> batch_sizes;  // (n_batches)
};

/// What a job takes for an integrator of its own.
class LaneGroup::Port final : public Integrator {
 public:
  Port(Impl& group, int member) : group_(group), member_(group.members[member]) {}

  std::expected<void, IntegrationFailure> forward(const Segment& segment, Mode mode, std::span<double> x,
                                                  std::span<double> sensitivities,
                                                  std::span<const double> times, Sink& sink) override {
    LaneTask task{segment, x, sensitivities, times, &sink};
    member_.task = &task;
    member_.mode = mode;
    group_.wait(member_, Impl::Member::Waits::to_go);
    statistics_ += task.statistics;
    return task.done;
  }

  Past past() const override { return {}; }  // nothing jumps in models with lanes

  std::expected<void, IntegrationFailure> backward(std::span<double> adjoint,
                                                   std::span<double> gradient) override {
    LaneReturn back{adjoint, gradient};
    member_.back = &back;
    group_.wait(member_, Impl::Member::Waits::to_return);
    statistics_ += back.statistics;
    return back.done;
  }

  void clear_tape() override { member_.tape.clear(); }
  Statistics take_statistics() override { return std::exchange(statistics_, {}); }

 private:
  Impl& group_;
  Impl::Member& member_;
  Statistics statistics_;
};

LaneGroup::LaneGroup(const jit::CompiledModel& model, const IntegratorOptions& options, int n_members)
    : impl_(std::make_unique<Impl>(model, options, n_members)) {}
LaneGroup::~LaneGroup() = default;

int LaneGroup::suggested_members(const jit::ModelCode& code) { return 2 * code.lanes; }

std::unique_ptr<Integrator> LaneGroup::integrator(int member) {
  return std::make_unique<Port>(*impl_, member);
}

void LaneGroup::run(std::size_t n_jobs, const std::function<void(std::size_t, int)>& job) {
  impl_->lanes.clear_tape();
  impl_->n_batches = 0;
  impl_->batch_sizes.clear();
  impl_->jobs = {&job, n_jobs, 0, {}};
  while (impl_->go_on()) impl_->serve();
  if (impl_->jobs.thrown) std::rethrow_exception(impl_->jobs.thrown);
}

}  // namespace kinetune::simulate
