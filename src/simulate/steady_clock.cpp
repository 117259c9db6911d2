#include <array>
#include <functional>
#include <utility>

#include "simulate/steady_attempt.hpp"

namespace kinetune::simulate {
namespace {

// Errors of integration stay below this many tolerances.
constexpr double event_free_change = 1e3;

// How much longer a trajectory with events is followed to see that the states set off nothing else.
constexpr double later = 1e3;

// A clock that has switched so often without an effect is taken to have none.
constexpr int max_switch_times = 100;

// At which rates and triggers are looked at, in times that have passed.
constexpr std::array later_times{1.0, 2.7, 10.3};

// Of an event kernel's results: values come after the delay and the priority, then factors.
constexpr std::size_t first_value = 2;

}  // namespace

/// Whether events have happened between the segment's start and a later time.
bool SteadyStates::has_jumped(const Segment& segment, const Past& at_end) {
  const bool was_pending = segment.past && !segment.past->events.pending.empty();
  return was_pending || at_end.events.n_triggered > (segment.past ? segment.past->events.n_triggered : 0);
}

/// Whether all is as it should be whatever the clock does to a model whose states rest: at all later times at
/// which it drives a switch or a pending event is due, and at some others, the last time among them.
bool SteadyStates::look_ahead(const Segment& segment, double from, double until, std::span<const double> x,
                              const Look& look, const EventQueue* events) const {
  std::vector<double> prelude(segment.prelude.begin(), segment.prelude.end());
  SwitchValues switches(model_);
  const auto is_right = [&](double time, Moment moment) {
    switches.update(time, x.data(), moment, prelude.data());
    return look(time, moment, prelude.data());
  };
  if (!is_right(from, Moment::after)) return false;
  double time = from;
  for (int k = 0; time < until; ++k) {
    double next = until;
    if (k < max_switch_times) {
      next = std::min(next, switches.next_time(time, prelude.data()));
      if (events) next = std::min(next, events->next_time());
    }
    for (const double factor : later_times) {
      const double sample = from + factor * std::max(from - segment.start, 1.0);
      if (sample > time) next = std::min(next, sample);
    }
    if (std::isinf(next)) break;
    time = next;
    if (!is_right(time, Moment::crossing) || !is_right(time, Moment::after)) return false;
  }
  return true;
}

/// Whether from some time on rates at a state are those at infinity, over all that the clock switches: so
/// nearly that what their difference adds up to over a duration does not count.
bool SteadyStates::is_timeless(const Segment& segment, double from, double duration,
                               std::span<const double> x) const {
  std::vector<double> last(x.size()), now(x.size());
  model_.rates(infinity, x.data(), prelude_at(segment, infinity, x.data()), last.data());
  return look_ahead(segment, from, infinity, x, [&](double time, Moment moment, const double* prelude) {
    if (moment != Moment::after) return true;  // over in no time
    model_.rates(time, x.data(), prelude, now.data());
    for (std::size_t i = 0; i < x.size(); ++i) now[i] = (now[i] - last[i]) * duration;
    return norm(now, x) < 1.0;
  });
}

/// Rates that have no value at infinity might still change: they must vanish at some later times as well.
/// Others must have come to what they are at infinity.
bool SteadyStates::is_steady_later(const Attempt& attempt, double time) const {
  const double start = attempt.segment.start;
  if (std::isinf(attempt.time)) return is_timeless(attempt.segment, time, time - start, attempt.x);
  std::vector<double> step(attempt.x.size());
  for (const double factor : later_times) {
    const double later = time + factor * (time - start);
    model_.rates(later, attempt.x.data(), prelude_at(attempt.segment, later, attempt.x.data()), step.data());
    for (double& v : step) v = -v;
    for (const int i : attempt.system->dependent()) step[i] = 0.0;
    attempt.system->solve(step.data());
    if (!(norm(step, attempt.x, attempt.floors) < 1.0)) return false;
  }
  return true;
}

/// Whether no event takes the trajectory away after the time at which it is close: none that is pending, none
/// that the clock sets off, none that what is left of the states' way sets off.
std::expected<bool, IntegrationFailure> SteadyStates::stays_there(Integrator& integrator,
                                                                  const Attempt& attempt,
                                                                  Trajectory way) const {
  if (!has_events()) return true;
  if (!is_uneventful(attempt, way)) return false;
  const double start = attempt.segment.start;
  const auto followed = follow(integrator, attempt.segment, way, start + later * (way.time - start));
  if (!followed) return std::unexpected(followed.error());
  std::vector<double> change = attempt.x;
  for (std::size_t i = 0; i < change.size(); ++i) change[i] = way.x[i] - change[i];
  return norm(change, way.x) < event_free_change && is_uneventful(attempt, way);
}

/// Whether, with the states at rest, all that is pending and all that the clock sets off is idle.
bool SteadyStates::is_uneventful(const Attempt& attempt, const Trajectory& way) const {
  const std::vector<double>& rest = attempt.x;
  EventQueue::State state = way.past->events;
  std::vector<double> triggers(state.holds.size());
  model_.triggers(way.time, rest.data(), prelude_at(attempt.segment, way.time, rest.data()), triggers.data());
  std::ranges::transform(triggers, state.holds.begin(), [](double holds) { return holds != 0.0; });
  EventQueue events(model_);
  events.resume(state);
  std::vector<double> x, change(rest.size());
  const auto look = [&](double time, Moment moment, const double* prelude) {
    events.note_triggers(time, rest.data(), prelude, moment);
    for (x = rest; const auto executed = events.execute_next(time, x.data(), prelude, moment); x = rest) {
      std::ranges::transform(x, rest, change.begin(), std::minus{});
      if (!(norm(change, rest) < 1.0)) return false;
      if (!is_idle(executed->occurrence.event, time, attempt, prelude)) return false;
    }
    return true;
  };
  return look_ahead(attempt.segment, way.time, std::max(way.horizon, way.time), rest, look, &events);
}

/// Whether an event that leaves states as they are does so with their derivatives, too: it assigns to each
/// target its own value, by no active parameter and at no special time.
bool SteadyStates::is_idle(int event, double time, const Attempt& attempt, const double* prelude) const {
  if (attempt.segment.active.empty()) return true;
  const jit::EventLayout& layout = model_.code().events[event];
  const auto& [by_state, by_parameter] = layout.derivatives;
  const std::size_t n = layout.targets.size();
  std::vector<double> all(first_value + 2 * n), derivatives(layout.derivatives.size());
  model_.event(event, time, attempt.x.data(), prelude, all.data());
  model_.event_derivatives(event, time, attempt.x.data(), prelude, derivatives.data());
  const std::span<const double> values_and_factors = std::span(all).subspan(first_value);
  std::vector<double> of_targets(n), gross(n);
  const auto add = [&](std::size_t row, double derivative) {
    if (row < first_value) return;
    const std::size_t at = row - first_value;
    const double term = derivative * values_and_factors[(at + n) % (2 * n)];
    of_targets[at % n] += term;
    gross[at % n] += std::fabs(term);
  };
  const auto is_only_by = [&](int own_state) {
    for (std::size_t i = 0; i < n; ++i) {
      const double expected = layout.targets[i] == own_state ? 1.0 : 0.0;
      const double excess = std::exchange(of_targets[i], 0.0) - expected;
      if (!(std::fabs(excess) <= vanishing * std::exchange(gross[i], 0.0))) return false;
    }
    return true;
  };
  const auto add_column = [&](const jit::Pattern& pattern, int column, const double* entries) {
    for (int e = pattern.column_starts[column]; e < pattern.column_starts[column + 1]; ++e)
      add(pattern.rows[e], entries[e]);
  };
  constexpr int none = -1;
  for (int row = 0; row < by_state.n_rows; ++row) add(row, derivatives[row]);  // by time
  if (!is_only_by(none)) return false;
  const double* entries = derivatives.data() + by_state.n_rows;
  for (int j = 0; j < by_state.n_cols; ++j) {
    add_column(by_state, j, entries);
    if (!is_only_by(j)) return false;
  }
  entries += by_state.n_nonzeros();
  for (const int j : attempt.segment.active) {
    if (j < 0) continue;
    add_column(by_parameter, j, entries);
    if (!is_only_by(none)) return false;
  }
  return true;
}

}  // namespace kinetune::simulate
