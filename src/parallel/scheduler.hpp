#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

namespace kinetune::parallel {

/// Decides which rank gets which task when, and nothing else: no messages, no clock. Tasks go out in the
/// order given. A rank without work comes first. A rank at work gets a second task in advance, so that it
/// never waits, but only while more tasks are left than there are ranks: near the end a task held in advance
/// could wait behind a long one while another rank idles.
class Scheduler {
 public:
  struct Assignment {
    int rank;
    std::uint64_t task;
  };

  /// @param tasks  different ids
  Scheduler(std::span<const std::uint64_t> tasks, int n_ranks);

  /// The next task to hand out now; none until a task has ended if there is no rank for one.
  std::optional<Assignment> next();
  enum class End { done, given_up };
  /// A rank has finished a task that it was given, or has given it up.
  void ended(int rank, std::uint64_t task, End);
  /// Hands out nothing more.
  void stop() { stopped_ = true; }
  bool stopped() const { return stopped_; }

  /// Nothing is left to hand out, and no rank holds anything.
  bool finished() const { return (stopped_ || n_left() == 0) && idle_.size() == held_.size(); }
  /// In the order given.
  std::vector<std::uint64_t> not_done() const;

 private:
  std::size_t n_left() const { return tasks_.size() - n_given_; }

  std::vector<std::uint64_t> tasks_;  // in the order of handing out
  std::size_t n_given_ = 0;           // tasks_[0, n_given_) have been handed out
  bool stopped_ = false;
  std::vector<std::vector<std::uint64_t>> held_;  // by rank: at work and in advance
  std::vector<std::uint64_t> given_up_;
  std::deque<int> idle_;  // ranks that hold nothing, longest first
  std::deque<int> busy_;  // ranks that hold one task
};

}  // namespace kinetune::parallel
