#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <unordered_set>
#include <vector>

namespace kinetune::parallel {

/// Decides which rank gets which task when, and nothing else: no messages, no clock. Tasks go out in the
/// order given, each to the rank that holds fewest. A rank does as many at once as it has slots; it gets one
/// more in advance, so that it never waits, but only while more tasks are left than there are ranks. A task
/// that waits in advance is called back when a rank has a free slot.
class Scheduler {
 public:
  struct Assignment {
    int rank;
    std::uint64_t task;
  };

  /// @param tasks    different ids
  /// @param n_slots  of each rank
  Scheduler(std::span<const std::uint64_t> tasks, int n_ranks, int n_slots = 1);

  /// The next task to hand out now; none until a task has ended if there is no rank for one.
  std::optional<Assignment> next();
  /// The next task to ask a rank back for, each once: it may have begun, and then ends as it would have.
  std::optional<Assignment> next_recall();
  enum class End {
    done,
    given_up,  ///< is not handed out again
    returned,  ///< had not begun; is handed out again
  };
  /// A rank is through with a task that it was given.
  void ended(int rank, std::uint64_t task, End);
  /// Hands out nothing more.
  void stop() { stopped_ = true; }
  bool stopped() const { return stopped_; }

  /// Nothing is left to hand out, and no rank holds anything.
  bool finished() const { return (stopped_ || n_left() == 0) && holding_.front().size() == held_.size(); }
  /// In the order given.
  std::vector<std::uint64_t> not_done() const;
  /// The tasks that each rank is at, as far as is known, those of one rank together.
  std::vector<Assignment> at_work() const;

 private:
  std::size_t n_left() const { return returned_.size() + tasks_.size() - n_given_; }
  std::uint64_t take_next();
  std::size_t n_free() const;

  std::vector<std::uint64_t> tasks_;  // in the order of handing out
  std::size_t n_given_ = 0;           // tasks_[0, n_given_) have been handed out
  std::deque<std::uint64_t> returned_;
  std::unordered_set<std::uint64_t> recalled_;  // asked back for, answer not known
  bool stopped_ = false;
  std::vector<std::vector<std::uint64_t>> held_;  // by rank: at work and in advance
  std::vector<std::uint64_t> given_up_;
  std::size_t n_slots_;
  std::vector<std::deque<int>> holding_;  // by number of tasks held: ranks, those with it for longest first
};

}  // namespace kinetune::parallel
