#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>

#include "parallel/worker.hpp"

namespace kinetune::parallel {

/// Between rank 0's main thread, which works, and its coordinator thread.
class LocalPort : public WorkerPort {
 public:
  // The worker's side.
  std::optional<std::uint64_t> next_task() override;
  std::optional<std::uint64_t> task_at_hand() override;
  void deliver(Ended) override;
  bool stopping() override;
  /// Nothing more will be delivered.
  void leave();

  // The coordinator's side.
  void give(std::uint64_t task);
  /// Takes a task back that was given; it ends as returned. Nothing happens if it has begun.
  void recall(std::uint64_t task);
  void finish();
  std::optional<Ended> take();
  /// True when the worker has left and all it delivered was taken.
  bool left();
  /// Sleeps until the worker has something to say, at most so long.
  void wait(std::chrono::microseconds);

 private:
  std::optional<std::uint64_t> take_task();

  std::mutex mutex_;
  std::condition_variable for_worker_, for_coordinator_;
  std::deque<std::uint64_t> tasks_;
  std::deque<Ended> ended_;
  bool finishing_ = false;
  bool left_ = false;
};

}  // namespace kinetune::parallel
