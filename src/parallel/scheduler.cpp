#include "parallel/scheduler.hpp"

#include <algorithm>
#include <cassert>
#include <numeric>

namespace kinetune::parallel {

Scheduler::Scheduler(std::span<const std::uint64_t> tasks, int n_ranks, int n_slots)
    : tasks_(tasks.begin(), tasks.end()),
      held_(static_cast<std::size_t>(n_ranks)),
      n_slots_(static_cast<std::size_t>(n_slots)),
      holding_(n_slots_ + 2) {
  holding_.front().resize(held_.size());
  std::iota(holding_.front().begin(), holding_.front().end(), 0);
}

std::optional<Scheduler::Assignment> Scheduler::next() {
  if (stopped_ || n_left() == 0) return {};
  const std::size_t limit = n_left() > held_.size() ? n_slots_ + 1 : n_slots_;
  for (std::size_t n_held = 0; n_held < limit; ++n_held) {
    std::deque<int>& ranks = holding_[n_held];
    if (ranks.empty()) continue;
    const int rank = ranks.front();
    ranks.pop_front();
    holding_[n_held + 1].push_back(rank);
    const std::uint64_t task = take_next();
    held_[static_cast<std::size_t>(rank)].push_back(task);
    return Assignment{rank, task};
  }
  return {};
}

std::uint64_t Scheduler::take_next() {
  if (returned_.empty()) return tasks_[n_given_++];
  const std::uint64_t task = returned_.front();
  returned_.pop_front();
  return task;
}

std::size_t Scheduler::n_free() const {
  std::size_t n = 0;
  for (std::size_t n_held = 0; n_held < n_slots_; ++n_held)
    n += holding_[n_held].size() * (n_slots_ - n_held);
  return n;
}

/// There is somebody to take it over only if more slots are free than tasks are on their way back.
std::optional<Scheduler::Assignment> Scheduler::next_recall() {
  if (stopped_ || n_left() > 0 || n_free() <= recalled_.size()) return {};
  for (const int rank : holding_.back()) {
    const std::uint64_t in_advance = held_[static_cast<std::size_t>(rank)].back();
    if (recalled_.insert(in_advance).second) return Assignment{rank, in_advance};
  }
  return {};
}

void Scheduler::ended(int rank, std::uint64_t task, End end) {
  std::vector<std::uint64_t>& held = held_[static_cast<std::size_t>(rank)];
  const auto entry = std::ranges::find(held, task);
  assert(entry != held.end());
  std::erase(holding_[held.size()], rank);
  held.erase(entry);
  holding_[held.size()].push_back(rank);
  recalled_.erase(task);
  if (end == End::given_up) given_up_.push_back(task);
  if (end == End::returned) returned_.push_back(task);
  if (end == End::returned) return;
  for (const std::uint64_t begun : held) recalled_.erase(begun);  // too late for them
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
    for (std::size_t i = 0; i < std::min(held_[rank].size(), n_slots_); ++i)
      result.push_back({static_cast<int>(rank), held_[rank][i]});
  return result;
}

}  // namespace kinetune::parallel
