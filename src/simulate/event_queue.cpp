#include "simulate/event_queue.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace kinetune::simulate {
namespace {

// Order of an event kernel's results, before the factors.
constexpr std::size_t delay = 0, priority_at = 1, first_value = 2;

}  // namespace

EventQueue::EventQueue(const jit::CompiledModel& model)
    : model_(model), holds_(model.code().events.size()), triggers_(holds_.size()) {
  std::size_t most = 0;
  for (const auto& event : model.code().events) most = std::max(most, event.targets.size());
  evaluated_.resize(first_value + 2 * most);
}

void EventQueue::restart() {
  pending_.clear();
  for (std::size_t i = 0; i < holds_.size(); ++i) holds_[i] = model_.code().events[i].initially_true;
}

void EventQueue::note_triggers(double t, const double* x, const double* prelude, Moment moment) {
  model_.triggers(t, x, prelude, triggers_.data());
  for (std::size_t i = 0; i < holds_.size(); ++i) {
    const bool held = std::exchange(holds_[i], triggers_[i] != 0.0);
    const int event = static_cast<int>(i);
    if (holds_[i] && !held) trigger(event, t, x, prelude, moment);
    if (!holds_[i] && held && !model_.code().events[i].persistent) {
      std::erase_if(pending_, [&](const Pending& p) { return p.event == event; });
    }
  }
}

void EventQueue::trigger(int event, double t, const double* x, const double* prelude, Moment moment) {
  const auto& layout = model_.code().events[event];
  model_.event(event, t, x, prelude, evaluated_.data());
  Pending pending{event, t + std::max(0.0, evaluated_[delay]), moment == Moment::after, {}};
  if (layout.values_from_trigger_time) {
    const auto first = evaluated_.begin() + first_value;
    pending.values.assign(first, first + static_cast<std::ptrdiff_t>(layout.targets.size()));
  }
  pending_.push_back(std::move(pending));
}

double EventQueue::next_time() const {
  double next = std::numeric_limits<double>::infinity();
  for (const Pending& p : pending_) next = std::min(next, p.time);
  return next;
}

bool EventQueue::is_due(const Pending& p, double t, Moment moment) const {
  return (p.time <= t || is_same_time(p.time, t)) && (!p.after || moment == Moment::after);
}

double EventQueue::priority(const Pending& p, double t, const double* x, const double* prelude) {
  if (!model_.code().events[p.event].has_priority) return -std::numeric_limits<double>::infinity();
  model_.event(p.event, t, x, prelude, evaluated_.data());
  return evaluated_[priority_at];
}

bool EventQueue::execute_next(double t, double* x, const double* prelude, Moment moment) {
  auto first = pending_.end();
  double highest = 0.0;
  for (auto p = pending_.begin(); p != pending_.end(); ++p) {
    if (!is_due(*p, t, moment)) continue;
    const double own = priority(*p, t, x, prelude);
    if (first != pending_.end() && !(own > highest)) continue;
    first = p;
    highest = own;
  }
  if (first == pending_.end()) return false;
  const Pending chosen = std::move(*first);
  pending_.erase(first);
  assign(chosen, t, x, prelude);
  return true;
}

void EventQueue::assign(const Pending& p, double t, double* x, const double* prelude) {
  const auto& layout = model_.code().events[p.event];
  const std::size_t n = layout.targets.size();
  model_.event(p.event, t, x, prelude, evaluated_.data());
  const auto value = [&](std::size_t i) {
    return p.values.empty() ? evaluated_[first_value + i] : p.values[i];
  };
  for (std::size_t i = 0; i < n; ++i) {
    const double v = value(i);
    evaluated_[first_value + i] = v;
    if (!layout.has_factor[i]) x[layout.targets[i]] = v;
  }
  if (std::ranges::find(layout.has_factor, 1) == layout.has_factor.end()) return;
  const std::vector<double> values(evaluated_.begin() + first_value,
                                   evaluated_.begin() + static_cast<std::ptrdiff_t>(first_value + n));
  model_.event(p.event, t, x, prelude, evaluated_.data());
  for (std::size_t i = 0; i < n; ++i) {
    if (layout.has_factor[i]) x[layout.targets[i]] = values[i] * evaluated_[first_value + n + i];
  }
}

}  // namespace kinetune::simulate
