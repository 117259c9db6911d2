#include <limits>

#include "simulate/steady_attempt.hpp"

namespace kinetune::simulate {
namespace {

// A trajectory that has not changed over so many stretches rests.
constexpr int still_stretches = 3;

// Something may happen in stretches up to 10^16 times the shortest: reactions slower than that have no effect
// in double precision.
constexpr int max_stretches = 17 + still_stretches;

// An instability of rate r shows after this time times 1 / r: it has grown from rounding errors to full size.
constexpr double times_to_show = 50.0;
constexpr int max_states_for_eigenvalues = 250;

// What looks conserved by the first may be a mode 10^12 times slower than others; then only rounding errors
// count as nothing.
constexpr double rank_thresholds[] = {1e-12, 1e-15};

// Over which any difference of rates counts.
constexpr double for_ever = 1e300;

}  // namespace

SteadyStates::SteadyStates(const jit::CompiledModel& model, const IntegratorOptions& options)
    : model_(model), options_(options) {}

/// As the integrator measures errors: 1 is the tolerance.
double SteadyStates::norm(std::span<const double> change, std::span<const double> x,
                          std::span<const double> floors) const {
  double sum = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double least = options_.atol + (floors.empty() ? 0.0 : floors[i]);
    const double relative = change[i] / (options_.rtol * std::fabs(x[i]) + least);
    sum += relative * relative;
  }
  return std::sqrt(sum / static_cast<double>(std::max<std::size_t>(x.size(), 1)));
}

/// The segment's prelude with its switches as they are at a time and state; valid until the next call.
const double* SteadyStates::prelude_at(const Segment& segment, double time, const double* x) const {
  prelude_.assign(segment.prelude.begin(), segment.prelude.end());
  model_.set_switches(time, x, prelude_.data());
  return prelude_.data();
}

double SteadyStates::late_time(const Segment& segment, std::span<const double> x, double time) const {
  std::vector<double> rates(x.size()), jacobian(model_.code().jacobian.n_nonzeros());
  const double* prelude = prelude_at(segment, infinity, x.data());
  model_.rates(infinity, x.data(), prelude, rates.data());
  model_.jacobian(infinity, x.data(), prelude, jacobian.data());
  return all_finite(rates) && all_finite(jacobian) ? infinity : time;
}

/// About the time that the fastest reaction takes.
double SteadyStates::first_stretch(const Segment& segment, std::span<const double> x) {
  const jit::Pattern& pattern = model_.code().jacobian;
  std::vector<double> jacobian(pattern.n_nonzeros());
  model_.jacobian(segment.start, x.data(), prelude_at(segment, segment.start, x.data()), jacobian.data());
  double fastest = 0.0;
  for (int j = 0; j < pattern.n_cols; ++j) {
    for (int e = pattern.column_starts[j]; e < pattern.column_starts[j + 1]; ++e) {
      if (pattern.rows[e] == j && std::isfinite(jacobian[e]))
        fastest = std::max(fastest, std::fabs(jacobian[e]));
    }
  }
  return fastest > 0.0 ? 1.0 / fastest : 1.0;
}

/// @returns the norm of the change
std::expected<double, IntegrationFailure> SteadyStates::follow(Integrator& integrator, const Segment& segment,
                                                               Trajectory& trajectory, double to) const {
  Segment stretch{trajectory.time, to, segment.prelude, segment.parameters, {}};
  stretch.past = trajectory.past ? &*trajectory.past : segment.past;
  stretch.most_steps = options_.max_steps;
  NoData none;
  std::vector<double>& x = trajectory.x;
  std::vector<double> change = x;
  if (const auto arrived = integrator.forward(stretch, Mode::states, x, {}, {}, none); !arrived)
    return std::unexpected(on_the_way(arrived.error()));
  trajectory.past = integrator.past();
  trajectory.time = to;
  for (std::size_t i = 0; i < x.size(); ++i) change[i] = x[i] - change[i];
  return norm(change, x);
}

std::expected<SteadyPoint, IntegrationFailure> SteadyStates::find(Integrator& integrator,
                                                                  const Segment& segment,
                                                                  std::span<const double> start) {
  SteadyPoint point{{start.begin(), start.end()}, segment.start, {start.begin(), start.end()}, nullptr};
  if (!all_finite(start))
    return std::unexpected(IntegrationFailure{IntegrationError::not_finite, segment.start});
  if (start.empty()) return point;
  if (options_.steady_state == SteadyStateSearch::newton) {
    if (auto found = leap(segment, start)) return std::move(*found);
  }
  double length = first_stretch(segment, start);
  Trajectory way{point.x, segment.start,
                 segment.start + length * std::pow(stretch_growth, max_stretches) / (stretch_growth - 1.0)};
  int n_still = 0;  // stretches in a row over which nothing has changed
  double still_from = segment.start;
  for (int k = 0; k < max_stretches; ++k, length *= stretch_growth) {
    const auto change = follow(integrator, segment, way, way.time + length);
    if (!change) return std::unexpected(change.error());
    point.x = way.x;
    point.time = way.time;
    point.has_jumped = has_jumped(segment, *way.past);
    n_still = *change < 1.0 ? n_still + 1 : 0;
    if (n_still == 0) still_from = point.time;
    for (const double threshold : rank_thresholds) {
      if (has_constraints()) break;  // what they conserve is not linear
      // Events change what reactions conserve.
      const std::span<const double> kept = point.has_jumped ? point.x : start;
      Attempt attempt{segment, late_time(segment, point.x, point.time), threshold, kept, point.x, {}, {}, {},
                      {}};
      if (!polish(attempt)) continue;
      if (!conserves(*attempt.system, point.visited, segment, attempt.time)) continue;
      if (!is_steady_later(attempt, point.time) || !is_believable(attempt, point.time - segment.start)) break;
      const auto stays = stays_there(integrator, attempt, way);
      if (!stays) return std::unexpected(stays.error());
      if (!*stays) break;
      point.x = std::move(attempt.x);
      point.system = std::move(attempt.system);
      point.visited.insert(point.visited.end(), way.x.begin(), way.x.end());
      return point;
    }
    point.visited.insert(point.visited.end(), point.x.begin(), point.x.end());
  }
  if (n_still < still_stretches)
    return std::unexpected(IntegrationFailure{IntegrationError::no_steady_state, point.time});
  point.time = still_from;
  return point;
}

bool SteadyStates::has_negative(const Attempt& attempt) const {
  for (std::size_t i = 0; i < attempt.x.size(); ++i) {
    if (attempt.x[i] < -options_.atol - attempt.floors[i]) return true;
  }
  return false;
}

/// Newton's method from the start, wherever it leads. Nothing unless all that decides where a trajectory
/// settles is in the rates and the conserved quantities at the start.
std::optional<SteadyPoint> SteadyStates::leap(const Segment& segment, std::span<const double> start) {
  const bool is_small = model_.n_states() <= max_states_for_eigenvalues;  // so that stability can be seen
  if (has_events() || has_constraints() || model_.code().n_delays > 0 || !is_small) return {};
  if (!is_timeless(segment, segment.start, for_ever, start)) return {};
  SteadyPoint point{{}, segment.start, {start.begin(), start.end()}, nullptr};
  const bool no_negative = std::ranges::all_of(start, [](double v) { return v >= 0.0; });
  for (const double threshold : rank_thresholds) {
    Attempt attempt{segment, infinity, threshold, start, point.visited, {}, {}, {}, {}};
    if (!descend(attempt) || !conserves(*attempt.system, point.visited, segment, infinity)) continue;
    double fastest = 0.0;
    for (const double v : attempt.jacobian) fastest = std::max(fastest, std::fabs(v));
    if (!(attempt.system->growth() < -vanishing * fastest)) return {};
    if (no_negative && has_negative(attempt)) return {};
    if (!is_timeless(segment, segment.start, for_ever, attempt.x)) return {};
    point.x = std::move(attempt.x);
    point.system = std::move(attempt.system);
    if (derivatives_follow(segment, point) == Follows::from_start) return point;
    return {};
  }
  return {};
}

/// Whether what looks conserved at the solution was so all along the way.
bool SteadyStates::conserves(const SteadySystem& system, std::span<const double> visited,
                             const Segment& segment, double time) const {
  const jit::Pattern& pattern = model_.code().jacobian;
  const std::size_t n = pattern.n_cols;
  std::vector<double> jacobian(pattern.n_nonzeros()), rates(n);
  for (std::size_t at = 0; at < visited.size() && system.n_conserved() > 0; at += n) {
    const double* x = visited.data() + at;
    const double* prelude = prelude_at(segment, time, x);
    model_.jacobian(time, x, prelude, jacobian.data());
    model_.rates(time, x, prelude, rates.data());
    for (int c = 0; c < system.n_conserved(); ++c) {
      const auto weights = system.conserved(c);
      double flow = 0.0, gross = 0.0;  // rates are differences of larger terms, which rounding errors go by
      for (std::size_t i = 0; i < n; ++i) {
        flow += weights[i] * rates[i];
        gross += std::fabs(weights[i] * rates[i]);
      }
      for (std::size_t j = 0; j < n; ++j) {
        double sum = 0.0, sums = 0.0;
        for (int e = pattern.column_starts[j]; e < pattern.column_starts[j + 1]; ++e) {
          const double term = weights[pattern.rows[e]] * jacobian[e];
          sum += term;
          sums += std::fabs(term);
        }
        if (!(std::fabs(sum) <= vanishing * sums)) return false;
        gross += sums * std::fabs(x[j]);
      }
      if (!(std::fabs(flow) <= vanishing * gross)) return false;
    }
  }
  return true;
}

/// Whether the trajectory, which is close after so much time, stays there.
bool SteadyStates::is_believable(const Attempt& attempt, double followed) const {
  if (model_.n_states() > max_states_for_eigenvalues) return true;
  const double growth = attempt.system->growth();
  return growth <= 0.0 || followed * growth > times_to_show;
}

}  // namespace kinetune::simulate
