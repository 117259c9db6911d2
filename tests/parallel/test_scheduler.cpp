#include <map>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "parallel/scheduler.hpp"

using kinetune::parallel::Scheduler;
using testing::ElementsAre;
using testing::IsEmpty;

namespace {

std::vector<std::uint64_t> tasks(std::size_t n) {
  std::vector<std::uint64_t> result(n);
  std::iota(result.begin(), result.end(), 100);
  return result;
}

/// What is handed out until somebody has to finish first: (rank, task).
std::vector<std::pair<int, std::uint64_t>> hand_out(Scheduler& scheduler) {
  std::vector<std::pair<int, std::uint64_t>> result;
  while (const auto assignment = scheduler.next()) result.emplace_back(assignment->rank, assignment->task);
  return result;
}

std::vector<std::pair<int, std::uint64_t>> recalls(Scheduler& scheduler) {
  std::vector<std::pair<int, std::uint64_t>> result;
  while (const auto recall = scheduler.next_recall()) result.emplace_back(recall->rank, recall->task);
  return result;
}

using enum Scheduler::End;
using Pair = std::pair<int, std::uint64_t>;

}  // namespace

TEST(Scheduler, every_rank_gets_one_task_before_any_gets_a_second_in_advance) {
  Scheduler scheduler(tasks(10), 3);
  EXPECT_THAT(hand_out(scheduler), ElementsAre(Pair{0, 100}, Pair{1, 101}, Pair{2, 102}, Pair{0, 103},
                                               Pair{1, 104}, Pair{2, 105}));
}

TEST(Scheduler, nothing_is_given_in_advance_when_no_more_tasks_are_left_than_ranks) {
  Scheduler scheduler(tasks(6), 3);
  EXPECT_THAT(hand_out(scheduler), ElementsAre(Pair{0, 100}, Pair{1, 101}, Pair{2, 102}));
  scheduler.ended(1, 101, done);
  EXPECT_THAT(hand_out(scheduler), ElementsAre(Pair{1, 103}));
}

TEST(Scheduler, a_rank_that_ends_a_task_is_given_the_next_in_advance) {
  Scheduler scheduler(tasks(20), 2);
  hand_out(scheduler);  // both hold two
  scheduler.ended(1, 101, done);
  EXPECT_THAT(hand_out(scheduler), ElementsAre(Pair{1, 104}));
}

TEST(Scheduler, is_finished_when_nothing_is_left_and_nobody_holds_anything) {
  Scheduler scheduler(tasks(1), 2);
  EXPECT_FALSE(scheduler.finished());
  hand_out(scheduler);
  EXPECT_FALSE(scheduler.finished());
  scheduler.ended(0, 100, done);
  EXPECT_TRUE(scheduler.finished());
  EXPECT_TRUE(Scheduler({}, 2).finished());
}

TEST(Scheduler, after_a_stop_it_gives_nothing_and_names_what_is_not_done_in_the_order_given) {
  Scheduler scheduler(tasks(8), 2);
  hand_out(scheduler);  // 100, 102 to rank 0; 101, 103 to rank 1
  scheduler.ended(0, 100, done);
  scheduler.ended(1, 101, given_up);
  scheduler.stop();
  EXPECT_THAT(hand_out(scheduler), IsEmpty());
  EXPECT_THAT(scheduler.not_done(), ElementsAre(101, 102, 103, 104, 105, 106, 107));
}

TEST(Scheduler, a_task_held_in_advance_is_called_back_for_a_rank_without_work_and_handed_to_it) {
  Scheduler scheduler(tasks(5),
                      2);  // two each in advance would leave rank 1 idle behind a long task of rank 0
  EXPECT_THAT(hand_out(scheduler), ElementsAre(Pair{0, 100}, Pair{1, 101}, Pair{0, 102}));
  scheduler.ended(1, 101, done);
  EXPECT_THAT(hand_out(scheduler), ElementsAre(Pair{1, 103}));
  EXPECT_FALSE(scheduler.next_recall()) << "something is left to hand out";
  scheduler.ended(1, 103, done);
  EXPECT_THAT(hand_out(scheduler), ElementsAre(Pair{1, 104}));
  EXPECT_FALSE(scheduler.next_recall()) << "nobody idles";
  scheduler.ended(1, 104, done);
  EXPECT_THAT(recalls(scheduler), ElementsAre(Pair{0, 102}));
  EXPECT_THAT(recalls(scheduler), IsEmpty()) << "asked for once";
  scheduler.ended(0, 102, returned);
  EXPECT_THAT(hand_out(scheduler), ElementsAre(Pair{1, 102}));
  scheduler.ended(1, 102, done);
  EXPECT_FALSE(scheduler.finished()) << "rank 0 is still at 100";
  scheduler.ended(0, 100, done);
  EXPECT_TRUE(scheduler.finished());
  EXPECT_THAT(scheduler.not_done(), IsEmpty());
}

TEST(Scheduler, no_more_tasks_are_called_back_than_ranks_idle) {
  Scheduler scheduler(tasks(9), 3);
  hand_out(scheduler);  // two each
  for (const std::uint64_t task : {102, 105, 106, 107, 108}) {
    scheduler.ended(2, task, done);
    hand_out(scheduler);
  }
  // Ranks 0 and 1 hold one in advance each, and rank 2 can take one.
  EXPECT_THAT(recalls(scheduler), ElementsAre(Pair{0, 103}));
}

TEST(Scheduler, a_task_that_had_begun_when_it_was_called_back_ends_where_it_is) {
  Scheduler scheduler(tasks(5), 2);
  hand_out(scheduler);
  for (const std::uint64_t task : {101, 103, 104}) {
    scheduler.ended(1, task, done);
    hand_out(scheduler);
  }
  EXPECT_THAT(recalls(scheduler), ElementsAre(Pair{0, 102}));
  scheduler.ended(0, 100, done);  // so rank 0 has begun 102
  EXPECT_THAT(recalls(scheduler), IsEmpty());
  EXPECT_THAT(hand_out(scheduler), IsEmpty());
  scheduler.ended(0, 102, done);
  EXPECT_TRUE(scheduler.finished());
}

TEST(Scheduler, slots_are_filled_evenly_over_the_ranks_and_one_more_goes_in_advance) {
  Scheduler scheduler(tasks(20), 2, 3);
  EXPECT_THAT(hand_out(scheduler), ElementsAre(Pair{0, 100}, Pair{1, 101}, Pair{0, 102}, Pair{1, 103},
                                               Pair{0, 104}, Pair{1, 105}, Pair{0, 106}, Pair{1, 107}));
  scheduler.ended(1, 103, done);
  EXPECT_THAT(hand_out(scheduler), ElementsAre(Pair{1, 108}));
  std::vector<Pair> at_work;
  for (const auto& [rank, task] : scheduler.at_work()) at_work.emplace_back(rank, task);
  EXPECT_THAT(at_work, ElementsAre(Pair{0, 100}, Pair{0, 102}, Pair{0, 104}, Pair{1, 101}, Pair{1, 105},
                                   Pair{1, 107}));
}

TEST(Scheduler, few_tasks_are_spread_over_ranks_and_the_next_goes_to_the_rank_that_holds_fewest) {
  Scheduler scheduler(tasks(8), 3, 2);
  EXPECT_THAT(hand_out(scheduler), ElementsAre(Pair{0, 100}, Pair{1, 101}, Pair{2, 102}, Pair{0, 103},
                                               Pair{1, 104}, Pair{2, 105}));
  scheduler.ended(2, 102, done);
  EXPECT_THAT(hand_out(scheduler), ElementsAre(Pair{2, 106}));
  scheduler.ended(1, 101, done);
  EXPECT_THAT(hand_out(scheduler), ElementsAre(Pair{1, 107}));
}

TEST(Scheduler, a_task_in_advance_is_called_back_for_a_free_slot_of_another_rank) {
  Scheduler scheduler(tasks(8), 2, 2);
  hand_out(scheduler);  // 100, 102, 104 to rank 0; 101, 103 to rank 1, and 105 in advance
  for (const std::uint64_t task : {101, 103, 105}) {
    scheduler.ended(1, task, done);
    hand_out(scheduler);
  }
  EXPECT_THAT(recalls(scheduler), IsEmpty()) << "no slot is free";
  scheduler.ended(1, 106, done);
  EXPECT_THAT(recalls(scheduler), ElementsAre(Pair{0, 104}));
  scheduler.ended(0, 104, returned);
  EXPECT_THAT(hand_out(scheduler), ElementsAre(Pair{1, 104}));
  for (const auto& [rank, task] : std::vector<Pair>{{1, 107}, {1, 104}, {0, 100}, {0, 102}}) {
    EXPECT_FALSE(scheduler.finished());
    scheduler.ended(rank, task, done);
  }
  EXPECT_TRUE(scheduler.finished());
}

TEST(Scheduler, knows_which_task_each_rank_is_at) {
  Scheduler scheduler(tasks(10), 3);
  hand_out(scheduler);
  scheduler.ended(1, 101, done);
  std::vector<Pair> at_work;
  for (const auto& [rank, task] : scheduler.at_work()) at_work.emplace_back(rank, task);
  EXPECT_THAT(at_work, ElementsAre(Pair{0, 100}, Pair{1, 104}, Pair{2, 102}));
}

TEST(Scheduler, a_task_that_was_given_up_is_not_handed_out_again) {
  Scheduler scheduler(tasks(1), 1);
  hand_out(scheduler);
  scheduler.ended(0, 100, given_up);
  EXPECT_THAT(hand_out(scheduler), IsEmpty());
  EXPECT_TRUE(scheduler.finished());
}

TEST(Scheduler, in_simulated_time_no_rank_idles_while_another_holds_a_task_in_advance_near_the_end) {
  // Discrete events: rank 0 is a hundred times slower. Longest-first list scheduling bounds the makespan.
  constexpr int n_ranks = 4;
  Scheduler scheduler(tasks(60), n_ranks);
  std::multimap<double, Pair> ends;  // time -> what ends then
  std::vector<std::vector<Pair>> waiting(n_ranks);
  std::vector<int> n_done(n_ranks, 0);
  const auto begin = [&](double now, Pair task) {
    ends.emplace(now + (task.first == 0 ? 100.0 : 1.0), task);
  };
  const auto give = [&](double now) {
    for (const Pair& pair : hand_out(scheduler)) {
      auto& queue = waiting[static_cast<std::size_t>(pair.first)];
      queue.push_back(pair);
      if (queue.size() == 1) begin(now, pair);
    }
  };
  const auto call_back = [&](double now) {
    for (const Pair& pair : recalls(scheduler)) {
      waiting[static_cast<std::size_t>(pair.first)].pop_back();
      scheduler.ended(pair.first, pair.second, returned);
      give(now);
    }
  };
  give(0);
  double now = 0;
  while (!ends.empty()) {
    const Pair pair = ends.begin()->second;
    now = ends.begin()->first;
    ends.erase(ends.begin());
    auto& queue = waiting[static_cast<std::size_t>(pair.first)];
    queue.erase(queue.begin());
    ++n_done[static_cast<std::size_t>(pair.first)];
    scheduler.ended(pair.first, pair.second, done);
    if (!queue.empty()) begin(now, queue.front());
    give(now);
    call_back(now);
  }
  EXPECT_TRUE(scheduler.finished());
  EXPECT_EQ(std::accumulate(n_done.begin(), n_done.end(), 0), 60);
  EXPECT_EQ(n_done[0], 1);  // the one in advance, that it got at the very beginning, was called back
  EXPECT_DOUBLE_EQ(now, 100.0);
}
