#include "simulate/crossing_finder.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <utility>

namespace kinetune::simulate {

using jit::Switch;

namespace {

constexpr double clearly = 1e-9;  // beyond rounding errors
constexpr double several_roundings = 16 * std::numeric_limits<double>::epsilon();
constexpr double rounding = 4 * std::numeric_limits<double>::epsilon();

// Waves of time or states do not show in the error of the states, so that steps would grow over them.
constexpr double steps_over_waves = 500;

// Between two points a sine turns by so much at most.
constexpr double most_turn = std::numbers::pi / 8;

bool is_same(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

}  // namespace

CrossingFinder::CrossingFinder(const jit::CompiledModel& model) : model_(model) {
  const auto& switches = model.code().switches;
  for (std::size_t k = 0; k < switches.size(); ++k) {
    const auto driver = switches[k].driver;
    has_wave_ = has_wave_ || driver == Switch::Driver::wave;
    if (driver == Switch::Driver::course || driver == Switch::Driver::wave) {
      watched_.push_back(static_cast<int>(k));
    }
  }
  for (auto& sample : samples_) sample.resize(switches.size());
  arguments_.resize(switches.size());
  phases_.resize(watched_.empty() ? 0 : model.code().n_phases);
  phases_before_.resize(phases_.size());
  derivatives_.resize(model.code().switch_derivatives.size());
}

double CrossingFinder::longest_step(double duration) const {
  return has_wave_ ? duration / steps_over_waves : 0.0;
}

std::optional<double> CrossingFinder::first(double from, double to, const double* prelude,
                                            const std::function<const double*(double)>& state_at) {
  return watches() ? first_in(from, to, {prelude, state_at}) : std::nullopt;
}

/// Into how many stretches an interval falls for its points to be close enough for its waves; at most as many
/// as are left to be looked at.
double CrossingFinder::stretches_for_waves(double from, double to, const Step& step) {
  double turn = 0.0;
  for (int i = 0; i < n_samples && !phases_.empty(); ++i) {
    const double time = i + 1 < n_samples ? from + (to - from) * i / (n_samples - 1) : to;
    phases_before_.swap(phases_);
    model_.phases(time, step.state_at(time), step.prelude, phases_.data());
    for (std::size_t k = 0; k < phases_.size() && i > 0; ++k) {
      if (const double change = std::fabs(phases_[k] - phases_before_[k]); std::isfinite(change))
        turn = std::max(turn, change);
    }
  }
  const bool is_instant = to - from <= rounding * std::max(std::fabs(from), std::fabs(to));
  return turn <= most_turn || is_instant ? 1.0 : std::min(std::ceil(turn / most_turn), double{max_stretches});
}

std::optional<double> CrossingFinder::first_in(double from, double to, const Step& step) {
  const double n = stretches_for_waves(from, to, step);
  if (n > 1.0) {
    double start = from;
    for (double i = 1.0; i <= n && !is_exhausted(); ++i) {
      const double end = i < n ? from + (to - from) * (i / n) : to;
      if (const auto time = first_in(start, end, step)) return time;
      start = end;
    }
    return std::nullopt;
  }
  ++n_stretches_;
  std::array<double, n_samples> times;
  for (int i = 0; i < n_samples; ++i) times[i] = from + (to - from) * i / (n_samples - 1);
  times.back() = to;
  is_changed(from, step, samples_[0]);  // for the course of the arguments; the start itself is settled
  for (int i = 1; i < n_samples; ++i) {
    const bool changed = is_changed(times[i], step, samples_[i]);
    if (const auto time = i > 1 ? dip(i, times, step) : std::nullopt)
      return locate(from, *time, to - from, step);
    if (changed) return locate(times[i - 1], times[i], to - from, step);
  }
  return std::nullopt;
}

bool CrossingFinder::is_changed(double t, const Step& step, std::vector<double>& arguments) {
  model_.switch_arguments(t, step.state_at(t), step.prelude, arguments.data());
  const double* held = step.prelude + model_.code().first_switch();
  return std::ranges::any_of(watched_, [&](int k) {
    return !is_same(model_.code().switches[k].value(arguments[k]), held[k]) &&
           !is_rounding(k, t, arguments[k], step);
  });
}

/// Whether an argument is no further outside the bounds of the value that is held than rounding errors of
/// what it is computed from may bring it. Where it creeps over a bound, or rests on it, it would change back
/// and forth otherwise.
bool CrossingFinder::is_rounding(int k, double t, double argument, const Step& step) {
  const double held = step.prelude[model_.code().first_switch() + k];
  const bool is_on_bound = model_.code().switches[k].kind == Switch::Kind::sign && held == 0.0;
  const double outside = is_on_bound ? std::fabs(argument) : -distance(k, argument, step.prelude);
  const double* x = step.state_at(t);
  model_.switch_derivatives(t, x, step.prelude, derivatives_.data());
  const jit::Pattern& by_state = model_.code().switch_derivatives.by_state;
  double size = std::fabs(t * derivatives_[k]);
  for (int i = 0; i < by_state.n_cols; ++i) {
    for (int e = by_state.column_starts[i]; e < by_state.column_starts[i + 1]; ++e)
      if (by_state.rows[e] == k) size += std::fabs(x[i] * derivatives_[by_state.n_rows + e]);
  }
  return outside <= several_roundings * size;
}

/// How far an argument is inside the bounds of the value that is held.
double CrossingFinder::distance(int k, double argument, const double* prelude) const {
  const double held = prelude[model_.code().first_switch() + k];
  switch (model_.code().switches[k].kind) {
    case Switch::Kind::floor:
      return std::min(argument - held, held + 1.0 - argument);
    case Switch::Kind::ceil:
      return std::min(held - argument, argument - held + 1.0);
    case Switch::Kind::sign:
      break;
  }
  return held * argument;
}

/// Halves an interval at whose end some switch has changed.
double CrossingFinder::locate(double from, double to, double longest, const Step& step) {
  while (to - from > rounding * std::max(std::fabs(to), longest)) {
    const double middle = from + (to - from) / 2;
    if (is_changed(middle, step, arguments_))
      to = middle;
    else
      from = middle;
  }
  return to;
}

/// A time of change around the last but one point, or where a parabola through the last three puts it.
std::optional<double> CrossingFinder::dip(int last, const std::array<double, n_samples>& times,
                                          const Step& step) {
  for (const int k : watched_) {
    const auto at = [&](int i) { return distance(k, samples_[i][k], step.prelude); };
    const double before = at(last - 2), lowest = at(last - 1), after = at(last);
    const double bend = before - 2 * lowest + after;
    if (!(before > 0.0 && lowest > 0.0 && after > 0.0 && bend > 0.0)) continue;
    const double vertex = lowest - (after - before) * (after - before) / (8 * bend);
    // Around the middle point the parabola may be wrong by half of it; beside it, where a step's first or
    // last point may be the lowest, it must go through the bound.
    const bool is_around_middle = lowest <= before && lowest <= after;
    const bool is_inside = std::fabs(after - before) < 2 * bend;
    const bool is_near =
        is_around_middle ? vertex <= 0.5 * lowest : is_inside && vertex < -clearly * std::max(before, after);
    if (!is_near) continue;
    if (const auto time = minimum(k, times[last - 2], times[last], step)) return time;
  }
  return std::nullopt;
}

/// Golden-section search for the least distance; stops at a time of change.
std::optional<double> CrossingFinder::minimum(int k, double from, double to, const Step& step) {
  constexpr double ratio = 0.6180339887498949;
  constexpr int n_iterations = 20;
  double a = to - ratio * (to - from), b = from + ratio * (to - from);
  const auto look = [&](double t, double& d) {
    const bool changed = is_changed(t, step, arguments_);
    d = distance(k, arguments_[k], step.prelude);
    return changed;
  };
  double at_a, at_b;
  if (look(a, at_a)) return a;
  if (look(b, at_b)) return b;
  for (int i = 0; i < n_iterations; ++i) {
    if (at_a < at_b) {
      to = b, b = a, at_b = at_a;
      a = to - ratio * (to - from);
      if (look(a, at_a)) return a;
    } else {
      from = a, a = b, at_a = at_b;
      b = from + ratio * (to - from);
      if (look(b, at_b)) return b;
    }
  }
  return std::nullopt;
}

}  // namespace kinetune::simulate
