#include <stdexcept>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/cpu_time.hpp"
#include "parallel/slots.hpp"

using namespace kinetune;
using namespace kinetune::parallel;
using testing::ElementsAre;
using testing::IsEmpty;

namespace {

/// Notes what happens, in order: a task's id when it goes on, a dot when those that wait are served.
struct Slotted : testing::Test {
  std::string said;
  SideBySide how{3, [this](const StopCheck&) { said += '.'; }};
  StopCheck never = [] { return false; };

  /// A task waits as often as its id says.
  Work work = [this](std::uint64_t task, Slot& slot) -> std::optional<std::string> {
    for (std::uint64_t i = 0; i < task; ++i) {
      said += std::to_string(task);
      slot.wait();
    }
    said += '!';
    return "result " + std::to_string(task);
  };

  static std::vector<std::string> results(const std::vector<Ended>& ended) {
    std::vector<std::string> all;
    for (const Ended& e : ended) all.push_back(e.result);
    return all;
  }
};

/// Uses the processor for so long.
void compute(double seconds) {
  const double end = core::thread_cpu_seconds() + seconds;
  while (core::thread_cpu_seconds() < end) {
  }
}

}  // namespace

TEST_F(Slotted, tasks_are_served_together_once_all_of_them_wait) {
  Slots slots(work, how, never);
  slots.begin(2);
  slots.begin(3);
  EXPECT_THAT(slots.go_on(), IsEmpty());
  EXPECT_THAT(slots.go_on(), IsEmpty());
  EXPECT_EQ(said, "23.23.");
}

TEST_F(Slotted, a_task_that_ends_leaves_its_slot_to_another_before_the_others_are_served) {
  Slots slots(work, how, never);
  for (const std::uint64_t task : {1, 2, 2}) slots.begin(task);
  EXPECT_FALSE(slots.has_free());
  EXPECT_THAT(slots.go_on(), IsEmpty());
  EXPECT_THAT(results(slots.go_on()), ElementsAre("result 1"));
  ASSERT_TRUE(slots.has_free());
  slots.begin(1);
  EXPECT_THAT(slots.go_on(), IsEmpty());
  EXPECT_EQ(said, "122.!221.");
  EXPECT_THAT(results(slots.go_on()), ElementsAre("result 2", "result 2", "result 1"));
  EXPECT_TRUE(slots.all_free());
}

TEST_F(Slotted, a_task_that_never_waits_ends_at_once) {
  Slots slots(work, how, never);
  slots.begin(0);
  const auto ended = slots.go_on();
  EXPECT_THAT(results(ended), ElementsAre("result 0"));
  EXPECT_EQ(ended.front().end, Scheduler::End::done);
  EXPECT_EQ(said, "!");
}

TEST_F(Slotted, a_task_that_is_stopped_was_given_up) {
  bool is_stopped = false;
  const Work until_stopped = [](std::uint64_t, Slot& slot) -> std::optional<std::string> {
    while (!slot.stopping()) slot.wait();
    return {};
  };
  Slots slots(until_stopped, how, [&] { return is_stopped; });
  slots.begin(7);
  EXPECT_THAT(slots.go_on(), IsEmpty());
  is_stopped = true;
  const auto ended = slots.go_on();
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended.front().task, 7u);
  EXPECT_EQ(ended.front().end, Scheduler::End::given_up);
}

TEST_F(Slotted, processor_time_of_tasks_is_kept_apart_from_what_serving_them_costs) {
  std::vector<double> seconds(3);
  how.serve = [](const StopCheck&) { compute(0.03); };
  const Work counting = [&](std::uint64_t task, Slot& slot) -> std::optional<std::string> {
    slot.wait();
    if (task == 2) compute(0.02);
    seconds[task] = slot.cpu_seconds();
    return "";
  };
  Slots slots(counting, how, never);
  for (const std::uint64_t task : {0, 1, 2}) slots.begin(task);
  slots.go_on();
  slots.go_on();
  EXPECT_NEAR(seconds[0], 0.0, 0.004);
  EXPECT_NEAR(seconds[1], 0.0, 0.004);
  EXPECT_NEAR(seconds[2], 0.02, 0.004);
  EXPECT_NEAR(slots.task_seconds(), 0.02, 0.004);
  EXPECT_NEAR(slots.serve_seconds(), 0.03, 0.004);
}

TEST_F(Slotted, a_task_that_throws_is_named_and_the_others_are_unwound) {
  struct Guard {
    std::string& said;
    ~Guard() { said += '~'; }
  };
  const Work failing = [&](std::uint64_t task, Slot& slot) -> std::optional<std::string> {
    const Guard guard{said};
    slot.wait();
    if (task == 5) throw std::runtime_error("no luck");
    slot.wait();
    said += "never";
    return "";
  };
  {
    Slots slots(failing, how, never);
    for (const std::uint64_t task : {4, 5, 6}) slots.begin(task);
    slots.go_on();
    try {
      slots.go_on();
      FAIL();
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "task 5: no luck");
    }
  }
  EXPECT_EQ(said, ".~~~");
}
