#include <atomic>
#include <map>
#include <numeric>
#include <set>
#include <stdexcept>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/checksum.hpp"
#include "core/random.hpp"
#include "parallel/session.hpp"
#include "parallel/work_queue.hpp"

using namespace kinetune;
using namespace kinetune::parallel;
using testing::IsEmpty;

namespace {

std::vector<std::uint64_t> tasks(std::size_t n) {
  std::vector<std::uint64_t> result(n);
  std::iota(result.begin(), result.end(), 0);
  return result;
}

/// A result that depends on the task alone, as that of a start does.
std::string result_of(std::uint64_t task) {
  core::RandomStream stream(42, task);
  std::string bytes;
  for (std::uint64_t i = stream.below(50); i > 0; --i) bytes += std::to_string(stream.bits());
  return bytes;
}

std::optional<std::string> do_task(std::uint64_t task, Slot&) { return result_of(task); }

struct Collected {
  std::multimap<std::uint64_t, std::string> results;
  std::vector<std::uint64_t> n_by_rank =
      std::vector<std::uint64_t>(static_cast<std::size_t>(test_session().size()));

  QueueHooks hooks() {
    return {.on_result = [this](std::uint64_t task, int rank, std::string bytes) {
      results.emplace(task, std::move(bytes));
      ++n_by_rank[static_cast<std::size_t>(rank)];
    }};
  }
};

/// On rank 0: each task once, with its own result, and the ranks' counts agree.
void expect_each_once(const Collected& collected, const QueueReport& report, std::size_t n) {
  ASSERT_EQ(collected.results.size(), n);
  for (std::uint64_t task = 0; task < n; ++task) {
    ASSERT_EQ(collected.results.count(task), 1u) << task;
    EXPECT_EQ(collected.results.find(task)->second, result_of(task));
  }
  EXPECT_THAT(report.not_done, IsEmpty());
  ASSERT_EQ(report.ranks.size(), static_cast<std::size_t>(test_session().size()));
  for (std::size_t rank = 0; rank < report.ranks.size(); ++rank) {
    EXPECT_EQ(report.ranks[rank].rank, static_cast<int>(rank));
    EXPECT_EQ(report.ranks[rank].n_tasks, collected.n_by_rank[rank]);
    EXPECT_FALSE(report.ranks[rank].host.empty());
  }
}

}  // namespace

TEST(WorkQueue, each_task_is_done_once_with_the_same_result_on_any_number_of_ranks) {
  Collected collected;
  const QueueReport report = run_tasks(test_session(), tasks(500), do_task, collected.hooks());
  if (test_session().rank() != 0) return;
  expect_each_once(collected, report, 500);
  std::string all;
  for (const auto& [task, bytes] : collected.results) all += bytes;
  std::string expected;
  for (const std::uint64_t task : tasks(500)) expected += result_of(task);
  EXPECT_EQ(core::checksum(all), core::checksum(expected));
}

TEST(WorkQueue, without_tasks_it_returns) {
  Collected collected;
  const QueueReport report = run_tasks(test_session(), {}, do_task, collected.hooks());
  if (test_session().rank() == 0) expect_each_once(collected, report, 0);
}

TEST(WorkQueue, fewer_tasks_than_ranks_are_each_done) {
  for (const std::size_t n : {1u, 2u, 3u}) {
    Collected collected;
    const QueueReport report = run_tasks(test_session(), tasks(n), do_task, collected.hooks());
    if (test_session().rank() == 0) expect_each_once(collected, report, n);
  }
}

TEST(WorkQueue, results_of_ten_megabytes_arrive_whole) {
  const auto large = [](std::uint64_t task) {
    return std::string(10'000'000, static_cast<char>('a' + task)) + "end";
  };
  std::set<std::uint64_t> seen;
  const QueueHooks hooks{.on_result = [&](std::uint64_t task, int, std::string bytes) {
    EXPECT_TRUE(bytes == large(task)) << task;
    seen.insert(task);
  }};
  run_tasks(
      test_session(), tasks(8), [&](std::uint64_t task, Slot&) { return std::optional(large(task)); }, hooks);
  if (test_session().rank() == 0) {
    EXPECT_EQ(seen.size(), 8u);
  }
}

TEST(WorkQueue, a_stop_request_reaches_tasks_at_work_and_accounts_for_every_task) {
  std::set<std::uint64_t> done;
  const QueueHooks hooks{.on_result = [&](std::uint64_t task, int, std::string) { done.insert(task); },
                         .stop_reason = [&] { return done.size() >= 20 ? "enough" : ""; }};
  // Task 30 and later never end by themselves: the test ends only if the stop request reaches every rank.
  const Work work = [](std::uint64_t task, Slot& slot) -> std::optional<std::string> {
    if (task < 30) return "done";
    while (!slot.stopping()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return {};
  };

  const QueueReport report = run_tasks(test_session(), tasks(1000), work, hooks);

  if (test_session().rank() != 0) return;
  EXPECT_GE(done.size(), 20u);
  EXPECT_LE(done.size(), 30u);
  std::set<std::uint64_t> all(report.not_done.begin(), report.not_done.end());
  EXPECT_EQ(all.size(), report.not_done.size());
  all.insert(done.begin(), done.end());
  EXPECT_EQ(all.size(), 1000u);
  EXPECT_EQ(report.not_done.size() + done.size(), 1000u);
}

TEST(WorkQueue, a_stop_reason_on_any_rank_stops_all_and_is_told_at_once_with_what_is_at_work) {
  const int last = test_session().size() - 1;
  std::atomic<bool> begun = false;
  std::vector<std::string> told;
  std::size_t n_at_work = 0;
  const QueueHooks hooks{
      .on_result = [](std::uint64_t, int, std::string) {},
      .stop_reason = [&] { return test_session().rank() == last && begun ? "signal" : ""; },
      .on_stop =
          [&](const std::string& reason, const std::vector<TasksAtWork>& ranks) {
            told.push_back(reason);
            n_at_work = ranks.size();
          }};
  const Work until_stopped = [&](std::uint64_t, Slot& slot) -> std::optional<std::string> {
    begun = true;
    while (!slot.stopping()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return {};
  };

  const QueueReport report = run_tasks(test_session(), tasks(100), until_stopped, hooks);

  if (test_session().rank() != 0) return;
  const std::string reason = last == 0 ? "signal" : "signal to rank " + std::to_string(last);
  EXPECT_THAT(told, testing::ElementsAre(reason));
  EXPECT_EQ(report.stopped_by, reason);
  EXPECT_EQ(n_at_work, static_cast<std::size_t>(test_session().size()));
  EXPECT_EQ(report.not_done.size(), 100u);
}

TEST(WorkQueue, a_task_that_waits_behind_a_long_one_is_done_by_a_rank_without_work) {
  // Task 0 goes on until all others are done: the test ends only if what its rank holds in advance is given
  // back.
  std::atomic<std::size_t> n_done = 0;
  const QueueHooks hooks{.on_result = [&](std::uint64_t, int, std::string) { ++n_done; }};
  const Work work = [&](std::uint64_t task, Slot& slot) -> std::optional<std::string> {
    while (task == 0 && test_session().size() > 1 && n_done < 49) {
      slot.stopping();
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return "done";
  };
  const QueueReport report = run_tasks(test_session(), tasks(50), work, hooks);
  if (test_session().rank() == 0) {
    EXPECT_EQ(n_done, 50u);
    EXPECT_THAT(report.not_done, IsEmpty());
  }
}

TEST(WorkQueue, tasks_side_by_side_are_each_done_once_with_the_same_results) {
  for (const std::size_t n : {1u, 5u, 200u}) {
    Collected collected;
    std::size_t n_waiting = 0, n_served = 0, most = 0;
    const Work in_steps = [&](std::uint64_t task, Slot& slot) {
      for (std::uint64_t i = 0; i < task % 4; ++i) {
        ++n_waiting;
        slot.wait();
      }
      return std::optional(result_of(task));
    };
    const SideBySide three{3, [&](const StopCheck&) {
                             most = std::max(most, n_waiting);
                             n_served += std::exchange(n_waiting, 0);
                           }};
    const QueueReport report = run_tasks(test_session(), tasks(n), in_steps, collected.hooks(), three);
    EXPECT_LE(most, 3u);
    EXPECT_EQ(n_waiting, 0u);
    if (test_session().rank() == 0) expect_each_once(collected, report, n);
    if (test_session().size() == 1 && n == 200) {
      EXPECT_EQ(most, 3u);
      EXPECT_EQ(n_served, 300u);
    }
  }
}

TEST(WorkQueue, hooks_are_called_from_one_thread_that_is_not_the_main_thread) {
  std::set<std::thread::id> threads;
  std::atomic<bool> ticked = false;
  const auto note = [&] { threads.insert(std::this_thread::get_id()); };
  const QueueHooks hooks{.on_result = [&](std::uint64_t, int, std::string) { note(); },
                         .on_tick =
                             [&] {
                               note();
                               ticked = true;
                             },
                         .stop_reason = [&] { return note(), ticked.load() ? "ticked" : ""; },
                         .tick = std::chrono::milliseconds(1)};
  const Work until_stopped = [](std::uint64_t, Slot& slot) -> std::optional<std::string> {
    while (!slot.stopping()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return "done";
  };
  run_tasks(test_session(), tasks(4), until_stopped, hooks);
  if (test_session().rank() != 0) return;
  EXPECT_EQ(threads.size(), 1u);
  EXPECT_FALSE(threads.contains(std::this_thread::get_id()));
}

TEST(WorkQueue, waiting_costs_almost_no_processor_time) {
  // One task sleeps while all other ranks have nothing to do; processor time, not wall time, is what is
  // bounded.
  const std::clock_t before = std::clock();
  const Work work = [](std::uint64_t, Slot&) {
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    return std::optional<std::string>("");
  };
  Collected collected;
  run_tasks(test_session(), tasks(1), work, collected.hooks());
  EXPECT_LT(static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC, 0.25);
}

TEST(WorkQueue, with_one_rank_an_exception_in_work_or_hook_comes_out) {
  if (test_session().size() > 1) GTEST_SKIP() << "with several ranks it ends the job, see failing_job.cpp";
  const Work bad = [](std::uint64_t, Slot&) -> std::optional<std::string> {
    throw std::runtime_error("no luck");
  };
  Collected collected;
  EXPECT_THROW(
      {
        try {
          run_tasks(test_session(), tasks(3), bad, collected.hooks());
        } catch (const std::runtime_error& error) {
          EXPECT_STREQ(error.what(), "task 0: no luck");
          throw;
        }
      },
      std::runtime_error);
  const QueueHooks broken{
      .on_result = [](std::uint64_t, int, std::string) { throw std::logic_error("broken"); }};
  EXPECT_THROW(run_tasks(test_session(), tasks(3), do_task, broken), std::logic_error);
}
