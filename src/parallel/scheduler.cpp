#include "parallel/scheduler.hpp"

#include <algorithm>
#include <cassert>
#include <numeric>

namespace kinetune::parallel {

Scheduler::Scheduler(std::span<const std::uint64_t> tasks, int n_ranks)
    : tasks_(tasks.begin(), tasks.end()), held_(static_cast<std::size_t>(n_ranks)), idle_(held_.size()) {
  std::iota(idle_.begin(), idle_.end(), 0);
}

std::optional<Scheduler::Assignment> Scheduler::next() {
  const bool in_advance = idle_.empty();
  if (stopped_ || n_left() == 0) return {};
  if (in_advance && (busy_.empty() || n_left() <= held_.size())) return {};
  std::deque<int>& from = in_advance ? busy_ : idle_;
  const int rank = from.front();
  from.pop_front();
  if (!in_advance) busy_.push_back(rank);
  const std::uint64_t task = take_next();
  held_[static_cast<std::size_t>(rank)].push_back(task);
  return Assignment{rank, task};
}

std::uint64_t Scheduler::take_next() {
  if (returned_.empty()) return tasks_[n_given_++];
  const std::uint64_t task = returned_.front();
  returned_.pop_front();
  return task;
}

/// There is somebody to take it over only if more ranks idle than tasks are on their way back.
std::optional<Scheduler::Assignment> Scheduler::next_recall() {
  if (stopped_ || n_left() > 0 || idle_.size() <= recalled_.size()) return {};
  for (std::size_t rank = 0; rank < held_.size(); ++rank) {
    if (held_[rank].size() < 2 || !recalled_.insert(held_[rank].back()).second) continue;
    return Assignment{static_cast<int>(rank), held_[rank].back()};
  }
  return {};
}

void Scheduler::ended(int rank, std::uint64_t task, End end) {
  std::vector<std::uint64_t>& held = held_[static_cast<std::size_t>(rank)];
  const auto entry = std::ranges::find(held, task);
  assert(entry != held.end());
  held.erase(entry);
  recalled_.erase(task);
  if (end == End::given_up) given_up_.push_back(task);
  if (end == End::returned) returned_.push_back(task);
  if (held.empty()) {
    std::erase(busy_, rank);
    idle_.push_back(rank);
  } else {
    busy_.push_back(rank);
    if (end != End::returned) recalled_.erase(held.front());  // it has begun: too late
  }
}

std::vector<std::uint64_t> Scheduler::not_done() const {
  std::unordered_set<std::uint64_t> open(given_up_.begin(), given_up_.end());
  open.insert(returned_.begin(), returned_.end());
  for (const auto& held : held_) open.insert(held.begin(), held.end());
  open.insert(tasks_.begin() + static_cast<std::ptrdiff_t>(n_given_), tasks_.end());
  std::vector<std::uint64_t> result;
  std::ranges::copy_if(tasks_, std::back_inserter(result),
                       [&](std::uint64_t task) { return open.contains(task); });
  return result;
}

std::vector<Scheduler::Assignment> Scheduler::at_work() const {
  std::vector<Assignment> result;
  for (std::size_t rank = 0; rank < held_.size(); ++rank)
    if (!held_[rank].empty()) result.push_back({static_cast<int>(rank), held_[rank].front()});
  return result;
}

}  // namespace kinetune::parallel
