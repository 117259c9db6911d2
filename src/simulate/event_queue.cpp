#include "simulate/event_queue.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "core/random.hpp"

namespace kinetune::simulate {
namespace {

// Order of an event kernel's results, before the factors.
constexpr std::size_t delay = 0, priority_at = 1, first_value = 2;

}  // namespace

EventQueue::EventQueue(const jit::CompiledModel& model)
    : model_(model), triggers_(model.code().events.size()) {
  state_.holds.resize(triggers_.size());
  std::size_t most = 0;
  for (const auto& event : model.code().events) most = std::max(most, event.targets.size());
  evaluated_.resize(first_value + 2 * most);
}

void EventQueue::restart() {
  state_ = {};
  for (const auto& event : model_.code().events) state_.holds.push_back(event.initially_true);
}

const EventQueue::Notes& EventQueue::note_triggers(double t, const double* x, const double* prelude,
                                                   Moment moment) {
  notes_.triggered.clear();
  notes_.taken_back.clear();
  model_.triggers(t, x, prelude, triggers_.data());
  for (std::size_t i = 0; i < state_.holds.size(); ++i) {
    const bool held = std::exchange(state_.holds[i], triggers_[i] != 0.0);
    const int event = static_cast<int>(i);
    if (state_.holds[i] && !held) trigger(event, t, x, prelude, moment);
    if (!state_.holds[i] && held && !model_.code().events[i].persistent) {
      std::erase_if(state_.pending, [&](const Pending& p) {
        if (p.occurrence.event != event) return false;
        notes_.taken_back.push_back(p.occurrence);
        return true;
      });
    }
  }
  return notes_;
}

void EventQueue::trigger(int event, double t, const double* x, const double* prelude, Moment moment) {
  const auto& layout = model_.code().events[event];
  model_.event(event, t, x, prelude, evaluated_.data());
  notes_.triggered.push_back({event, state_.n_triggered++});
  Pending pending{notes_.triggered.back(), t + std::max(0.0, evaluated_[delay]), moment == Moment::after, {}};
  if (layout.values_from_trigger_time) {
    const auto first = evaluated_.begin() + first_value;
    pending.values.assign(first, first + static_cast<std::ptrdiff_t>(layout.targets.size()));
  }
  state_.pending.push_back(std::move(pending));
}

double EventQueue::next_time() const {
  double next = std::numeric_limits<double>::infinity();
  for (const Pending& p : state_.pending) next = std::min(next, p.time);
  return next;
}

bool EventQueue::is_due(const Pending& p, double t, Moment moment) const {
  return (p.time <= t || is_same_time(p.time, t)) && (!p.after || moment == Moment::after);
}

double EventQueue::priority(const Pending& p, double t, const double* x, const double* prelude) {
  const int event = p.occurrence.event;
  if (!model_.code().events[event].has_priority) return -std::numeric_limits<double>::infinity();
  model_.event(event, t, x, prelude, evaluated_.data());
  return evaluated_[priority_at];
}

std::optional<EventQueue::Execution> EventQueue::execute_next(double t, double* x, const double* prelude,
                                                              Moment moment) {
  std::vector<std::size_t> first;  // equals
  double highest = 0.0;
  for (std::size_t i = 0; i < state_.pending.size(); ++i) {
    if (!is_due(state_.pending[i], t, moment)) continue;
    const double own = priority(state_.pending[i], t, x, prelude);
    if (!first.empty() && own < highest) continue;
    if (!first.empty() && own > highest) first.clear();
    first.push_back(i);
    highest = own;
  }
  if (first.empty()) return {};
  const bool by_lot = first.size() > 1 && std::isfinite(highest);
  const auto chosen =
      state_.pending.begin() + static_cast<std::ptrdiff_t>(by_lot ? first[draw(first.size())] : first[0]);
  Pending event = std::move(*chosen);
  state_.pending.erase(chosen);
  return assign(std::move(event), t, x, prelude);
}

/// An index below n. The sequence is the same in every simulation.
std::size_t EventQueue::draw(std::size_t n) { return core::RandomStream(0, state_.n_draws++).below(n); }

EventQueue::Execution EventQueue::assign(Pending p, double t, double* x, const double* prelude) {
  const int event = p.occurrence.event;
  const auto& layout = model_.code().events[event];
  const std::size_t n = layout.targets.size();
  model_.event(event, t, x, prelude, evaluated_.data());
  const double* values = evaluated_.data() + first_value;
  if (!layout.values_from_trigger_time) p.values.assign(values, values + n);
  const double* factors = values + n;
  for (std::size_t i = 0; i < n; ++i) x[layout.targets[i]] = p.values[i] * factors[i];
  return {p.occurrence, std::move(p.values)};
}

}  // namespace kinetune::simulate
