#include "parallel/local_port.hpp"

#include <utility>

namespace kinetune::parallel {

std::optional<std::uint64_t> LocalPort::next_task() {
  std::unique_lock lock(mutex_);
  for_worker_.wait(lock, [this] { return finishing_ || !tasks_.empty(); });
  return take_task();
}

std::optional<std::uint64_t> LocalPort::task_at_hand() {
  const std::lock_guard lock(mutex_);
  return take_task();
}

/// The caller holds the lock.
std::optional<std::uint64_t> LocalPort::take_task() {
  if (finishing_ || tasks_.empty()) return {};
  const std::uint64_t task = tasks_.front();
  tasks_.pop_front();
  return task;
}

void LocalPort::deliver(Ended ended) {
  {
    const std::lock_guard lock(mutex_);
    ended_.push_back(std::move(ended));
  }
  for_coordinator_.notify_one();
}

bool LocalPort::stopping() {
  const std::lock_guard lock(mutex_);
  return finishing_;
}

void LocalPort::leave() {
  {
    const std::lock_guard lock(mutex_);
    left_ = true;
  }
  for_coordinator_.notify_one();
}

void LocalPort::give(std::uint64_t task) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(task);
  }
  for_worker_.notify_one();
}

void LocalPort::recall(std::uint64_t task) {
  const std::lock_guard lock(mutex_);
  if (std::erase(tasks_, task) > 0) ended_.push_back({task, Scheduler::End::returned});
}

void LocalPort::finish() {
  {
    const std::lock_guard lock(mutex_);
    finishing_ = true;
  }
  for_worker_.notify_one();
}

std::optional<Ended> LocalPort::take() {
  const std::lock_guard lock(mutex_);
  if (ended_.empty()) return {};
  Ended ended = std::move(ended_.front());
  ended_.pop_front();
  return ended;
}

bool LocalPort::left() {
  const std::lock_guard lock(mutex_);
  return left_ && ended_.empty();
}

void LocalPort::wait(std::chrono::microseconds duration) {
  std::unique_lock lock(mutex_);
  for_coordinator_.wait_for(lock, duration, [this] { return left_ || !ended_.empty(); });
}

}  // namespace kinetune::parallel
