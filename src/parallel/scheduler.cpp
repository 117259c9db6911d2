#include "parallel/scheduler.hpp"

#include <algorithm>
#include <cassert>
#include <numeric>
#include <unordered_set>

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
  const std::uint64_t task = tasks_[n_given_++];
  held_[static_cast<std::size_t>(rank)].push_back(task);
  return Assignment{rank, task};
}

void Scheduler::ended(int rank, std::uint64_t task, End end) {
  std::vector<std::uint64_t>& held = held_[static_cast<std::size_t>(rank)];
  const auto entry = std::ranges::find(held, task);
  assert(entry != held.end());
  held.erase(entry);
  if (end == End::given_up) given_up_.push_back(task);
  if (held.empty()) {
    std::erase(busy_, rank);
    idle_.push_back(rank);
  } else {
    busy_.push_back(rank);
  }
}

std::vector<std::uint64_t> Scheduler::not_done() const {
  std::unordered_set<std::uint64_t> open(given_up_.begin(), given_up_.end());
  for (const auto& held : held_) open.insert(held.begin(), held.end());
  open.insert(tasks_.begin() + static_cast<std::ptrdiff_t>(n_given_), tasks_.end());
  std::vector<std::uint64_t> result;
  std::ranges::copy_if(tasks_, std::back_inserter(result),
                       [&](std::uint64_t task) { return open.contains(task); });
  return result;
}

}  // namespace kinetune::parallel
