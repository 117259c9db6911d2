#include "simulate/steady_state.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace kinetune::simulate {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

// The longest stretch is 10^15 times the shortest: reactions slower than that have no effect in double
// precision.
constexpr int max_stretches = 17;
constexpr double stretch_growth = 10.0;

// Newton's method may take over where its first step is below this share of the state.
constexpr double closeness = 1e-3;
constexpr int max_newton_steps = 12;

// An instability of rate r shows after this time times 1 / r: it has grown from rounding errors to full size.
constexpr double times_to_show = 50.0;
constexpr int max_states_for_eigenvalues = 250;

// What looks conserved by the first may be a mode 10^12 times slower than others; then only rounding errors
// count as nothing.
constexpr double rank_thresholds[] = {1e-12, 1e-15};

// Errors of integration stay below this many tolerances.
constexpr double event_free_change = 1e3;

// How much longer a trajectory with events is followed to see that nothing else happens.
constexpr double later = 1e3;

// Sums that vanish but for rounding errors, as a share of the sum of absolute values.
constexpr double vanishing = 1e-9;

// Integrated sensitivities have settled when ten times the time changes them by no more than this share.
constexpr double settling = 1e-6;
constexpr int max_settling_stretches = 6;
constexpr double settling_time = 100.0;  // for adjoints, in times that the states took

bool all_finite(std::span<const double> values) {
  return std::ranges::all_of(values, [](double v) { return std::isfinite(v); });
}

struct NoData final : Sink {
  void at(std::size_t, std::span<const double>, std::span<const double>, std::span<double>) override {}
};

/// What an integration that fails on the way means: a trajectory that does not end or leaves all bounds has
/// no steady state.
IntegrationFailure on_the_way(IntegrationFailure failure) {
  const bool never_settles =
      failure.error == IntegrationError::too_many_steps || failure.error == IntegrationError::not_finite;
  if (never_settles) failure.error = IntegrationError::no_steady_state;
  return failure;
}

}  // namespace

/// Newton's method on its way.
struct SteadyStates::Attempt {
  const Segment& segment;
  double time;                    ///< at which rates are taken
  double threshold;               ///< of the system's rank
  std::span<const double> start;  ///< where conserved quantities are what they are
  std::vector<double> x, step, rates, jacobian;
  std::unique_ptr<SteadySystem> system = {};
};

SteadyStates::SteadyStates(const jit::CompiledModel& model, const IntegratorOptions& options)
    : model_(model), options_(options) {}

/// As the integrator measures errors: 1 is the tolerance.
double SteadyStates::norm(std::span<const double> change, std::span<const double> x) const {
  double sum = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double relative = change[i] / (options_.rtol * std::fabs(x[i]) + options_.atol);
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

/// Takes x from one time to another. Each integration is a simulation of its own, so one with events begins
/// at the start again.
std::expected<double, IntegrationFailure> SteadyStates::follow(Integrator& integrator, const Segment& segment,
                                                               std::span<const double> start, double from,
                                                               double to, std::span<double> x) {
  const Segment stretch{has_events() ? segment.start : from, to, segment.prelude, segment.parameters, {}};
  NoData none;
  const std::vector<double> before(x.begin(), x.end());
  if (has_events()) std::ranges::copy(start, x.begin());
  if (const auto arrived = integrator.forward(stretch, Mode::states, x, {}, {}, none); !arrived)
    return std::unexpected(on_the_way(arrived.error()));
  std::vector<double> change(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) change[i] = x[i] - before[i];
  return norm(change, x);
}

std::expected<SteadyPoint, IntegrationFailure> SteadyStates::find(Integrator& integrator,
                                                                  const Segment& segment,
                                                                  std::span<const double> start) {
  SteadyPoint point{{start.begin(), start.end()}, segment.start, {start.begin(), start.end()}, nullptr};
  if (!all_finite(start))
    return std::unexpected(IntegrationFailure{IntegrationError::not_finite, segment.start});
  if (start.empty()) return point;
  double length = first_stretch(segment, start);
  int n_still = 0;  // stretches in a row over which nothing has changed
  double still_from = segment.start;
  for (int k = 0; k < max_stretches; ++k, length *= stretch_growth) {
    const auto change = follow(integrator, segment, start, point.time, point.time + length, point.x);
    if (!change) return std::unexpected(change.error());
    point.time += length;
    n_still = *change < 1.0 ? n_still + 1 : 0;
    if (n_still == 0) still_from = point.time;
    for (const double threshold : rank_thresholds) {
      // Events may change what reactions conserve.
      const std::span<const double> kept = has_events() ? point.x : start;
      Attempt attempt{segment, late_time(segment, point.x, point.time), threshold, kept, point.x, {}, {}, {}};
      if (!polish(attempt)) continue;
      if (!conserves(*attempt.system, point.visited, segment, attempt.time)) continue;
      if (!is_steady_later(attempt) || !is_believable(attempt, point.time - segment.start)) break;
      const auto stays = stays_there(integrator, attempt, start, point.time);
      if (!stays) return std::unexpected(stays.error());
      if (!*stays) break;
      point.x = std::move(attempt.x);
      point.system = std::move(attempt.system);
      return point;
    }
    point.visited.insert(point.visited.end(), point.x.begin(), point.x.end());
  }
  if (n_still < 3) return std::unexpected(IntegrationFailure{IntegrationError::no_steady_state, point.time});
  point.time = still_from;
  return point;
}

/// The system at the attempt's state, and Newton's step.
bool SteadyStates::linearise(Attempt& attempt) const {
  const std::size_t n = attempt.x.size();
  attempt.rates.resize(n);
  attempt.jacobian.resize(model_.code().jacobian.n_nonzeros());
  const double* prelude = prelude_at(attempt.segment, attempt.time, attempt.x.data());
  model_.rates(attempt.time, attempt.x.data(), prelude, attempt.rates.data());
  model_.jacobian(attempt.time, attempt.x.data(), prelude, attempt.jacobian.data());
  if (!all_finite(attempt.rates)) return false;
  std::vector<double> size(n);
  for (std::size_t i = 0; i < n; ++i) size[i] = std::fabs(attempt.x[i]) + options_.atol / options_.rtol;
  attempt.system = SteadySystem::make(model_.code().jacobian, attempt.jacobian, size, attempt.threshold);
  if (!attempt.system) return false;
  attempt.step.resize(n);
  for (std::size_t i = 0; i < n; ++i) attempt.step[i] = -attempt.rates[i];
  for (int c = 0; c < attempt.system->n_conserved(); ++c) {
    attempt.step[attempt.system->dependent()[c]] =
        attempt.system->conserved_amount(c, attempt.start) - attempt.system->conserved_amount(c, attempt.x);
  }
  attempt.system->solve(attempt.step.data());
  return all_finite(attempt.step);
}

/// Newton's method from a state that must be close to its solution already.
bool SteadyStates::polish(Attempt& attempt) const {
  if (!linearise(attempt)) return false;
  const int n_conserved = attempt.system->n_conserved();
  double before = norm(attempt.step, attempt.x);
  if (before > closeness / options_.rtol) return false;
  for (int k = 0; k < max_newton_steps; ++k) {
    for (std::size_t i = 0; i < attempt.x.size(); ++i) attempt.x[i] += attempt.step[i];
    if (!linearise(attempt) || attempt.system->n_conserved() != n_conserved) return false;
    const double now = norm(attempt.step, attempt.x);
    if (now < 1e-3) return true;
    if (now > 0.5 * before) return now < 0.1;  // rounding errors keep it from coming closer
    before = now;
  }
  return false;
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

/// Rates that have no value at infinity might still change: they must vanish at some later times as well.
bool SteadyStates::is_steady_later(const Attempt& attempt) const {
  if (std::isinf(attempt.time)) return true;
  std::vector<double> step(attempt.x.size());
  for (const double factor : {2.0, 3.7, 11.3}) {
    const double later = attempt.segment.start + factor * (attempt.time - attempt.segment.start);
    model_.rates(later, attempt.x.data(), prelude_at(attempt.segment, later, attempt.x.data()), step.data());
    for (double& v : step) v = -v;
    for (const int i : attempt.system->dependent()) step[i] = 0.0;
    attempt.system->solve(step.data());
    if (!(norm(step, attempt.x) < 1.0)) return false;
  }
  return true;
}

/// Whether no event takes the trajectory away after the time at which it is close.
std::expected<bool, IntegrationFailure> SteadyStates::stays_there(Integrator& integrator,
                                                                  const Attempt& attempt,
                                                                  std::span<const double> start,
                                                                  double time) {
  if (!has_events()) return true;
  const Segment& segment = attempt.segment;
  std::vector<double> x = attempt.x;
  const double end = segment.start + later * (time - segment.start);
  const auto change = follow(integrator, segment, start, time, end, x);
  if (!change) return std::unexpected(change.error());
  return *change < event_free_change;
}

/// Whether the trajectory, which is close after so much time, stays there.
bool SteadyStates::is_believable(const Attempt& attempt, double followed) const {
  if (model_.n_states() > max_states_for_eigenvalues) return true;
  const double growth = attempt.system->growth();
  return growth <= 0.0 || followed * growth > times_to_show;
}

/// Whether the conserved quantities' definitions depend on no active parameter.
bool SteadyStates::derivatives_follow(const Segment& segment, const SteadyPoint& point) const {
  if (!point.system) return false;
  if (has_events() && point.system->n_conserved() > 0) return false;
  const jit::Pattern& pattern = model_.code().rates_by_parameter;
  std::vector<double> by_parameter(pattern.n_nonzeros());
  const std::size_t n = point.x.size();
  const double time = late_time(segment, point.x, point.time);
  for (std::size_t at = 0; at < point.visited.size() && point.system->n_conserved() > 0; at += n) {
    const double* x = point.visited.data() + at;
    model_.rates_by_parameter(time, x, prelude_at(segment, time, x), by_parameter.data());
    for (const int j : segment.active) {
      if (j < 0) continue;
      for (int c = 0; c < point.system->n_conserved(); ++c) {
        double sum = 0.0, sums = 0.0;
        for (int e = pattern.column_starts[j]; e < pattern.column_starts[j + 1]; ++e) {
          const double term = point.system->conserved(c)[pattern.rows[e]] * by_parameter[e];
          sum += term;
          sums += std::fabs(term);
        }
        if (!(std::fabs(sum) <= vanishing * sums)) return false;
      }
    }
  }
  return true;
}

std::expected<void, IntegrationFailure> SteadyStates::forward(Integrator& integrator, const Segment& segment,
                                                              const SteadyPoint& point,
                                                              std::span<double> sensitivities) {
  const std::size_t n = point.x.size(), m = segment.active.size();
  if (n == 0 || m == 0) return {};
  if (!derivatives_follow(segment, point)) return integrate(integrator, segment, point, sensitivities);
  const jit::Pattern& pattern = model_.code().rates_by_parameter;
  std::vector<double> by_parameter(pattern.n_nonzeros()), column(n);
  const double time = late_time(segment, point.x, point.time);
  model_.rates_by_parameter(time, point.x.data(), prelude_at(segment, time, point.x.data()),
                            by_parameter.data());
  for (std::size_t k = 0; k < m; ++k) {
    const int j = segment.active[k];
    std::ranges::fill(column, 0.0);
    for (int e = j < 0 ? 0 : pattern.column_starts[j]; j >= 0 && e < pattern.column_starts[j + 1]; ++e)
      column[pattern.rows[e]] = -by_parameter[e];
    for (int c = 0; c < point.system->n_conserved(); ++c) {
      double& amount = column[point.system->dependent()[c]] = 0.0;
      for (std::size_t i = 0; i < n; ++i) amount += point.system->conserved(c)[i] * sensitivities[i * m + k];
    }
    point.system->solve(column.data());
    for (std::size_t i = 0; i < n; ++i) sensitivities[i * m + k] = column[i];
  }
  if (!all_finite(sensitivities))
    return std::unexpected(IntegrationFailure{IntegrationError::not_finite, point.time});
  return {};
}

std::expected<void, IntegrationFailure> SteadyStates::backward(Integrator& integrator, const Segment& segment,
                                                               const SteadyPoint& point,
                                                               std::span<double> adjoint,
                                                               std::span<double> gradient) {
  const std::size_t n = point.x.size();
  if (n == 0) return {};
  if (!derivatives_follow(segment, point))
    return integrate_back(integrator, segment, point, adjoint, gradient);
  const jit::Pattern& pattern = model_.code().rates_by_parameter;
  std::vector<double> by_parameter(pattern.n_nonzeros()), dual(adjoint.begin(), adjoint.end());
  const double time = late_time(segment, point.x, point.time);
  model_.rates_by_parameter(time, point.x.data(), prelude_at(segment, time, point.x.data()),
                            by_parameter.data());
  point.system->solve_transposed(dual.data());
  std::ranges::fill(adjoint, 0.0);
  for (int c = 0; c < point.system->n_conserved(); ++c) {
    double& of_amount = dual[point.system->dependent()[c]];
    for (std::size_t i = 0; i < n; ++i) adjoint[i] += of_amount * point.system->conserved(c)[i];
    of_amount = 0.0;
  }
  for (std::size_t k = 0; k < gradient.size(); ++k) {
    const int j = segment.active[k];
    if (j < 0) continue;
    for (int e = pattern.column_starts[j]; e < pattern.column_starts[j + 1]; ++e)
      gradient[k] -= dual[pattern.rows[e]] * by_parameter[e];
  }
  if (!all_finite(adjoint) || !all_finite(gradient))
    return std::unexpected(IntegrationFailure{IntegrationError::not_finite, point.time});
  return {};
}

/// Sensitivities along the trajectory until they have settled as well.
std::expected<void, IntegrationFailure> SteadyStates::integrate(Integrator& integrator,
                                                                const Segment& segment,
                                                                const SteadyPoint& point,
                                                                std::span<double> sensitivities) const {
  std::vector<double> x(point.visited.begin(), point.visited.begin() + static_cast<long>(point.x.size()));
  const std::vector<double> start = x, at_start(sensitivities.begin(), sensitivities.end());
  std::vector<double> before;
  NoData none;
  double from = segment.start, to = point.time;
  for (int k = 0; k < max_settling_stretches; ++k) {
    if (has_events()) {
      from = segment.start;
      x = start;
      std::ranges::copy(at_start, sensitivities.begin());
    }
    Segment stretch = segment;
    stretch.start = from;
    stretch.end = to;
    if (const auto arrived = integrator.forward(stretch, Mode::forward, x, sensitivities, {}, none); !arrived)
      return std::unexpected(on_the_way(arrived.error()));
    bool settled = !before.empty();
    for (std::size_t e = 0; e < before.size(); ++e) {
      const double floor = options_.atol / options_.rtol * settling;
      settled &= std::fabs(sensitivities[e] - before[e]) <= settling * std::fabs(sensitivities[e]) + floor;
    }
    if (settled) return {};
    before.assign(sensitivities.begin(), sensitivities.end());
    from = to;
    to = segment.start + stretch_growth * (to - segment.start);
  }
  return std::unexpected(IntegrationFailure{IntegrationError::no_steady_state, from});
}

std::expected<void, IntegrationFailure> SteadyStates::integrate_back(Integrator& integrator,
                                                                     const Segment& segment,
                                                                     const SteadyPoint& point,
                                                                     std::span<double> adjoint,
                                                                     std::span<double> gradient) const {
  std::vector<double> x(point.visited.begin(), point.visited.begin() + static_cast<long>(point.x.size()));
  NoData none;
  Segment way = segment;
  way.end = segment.start + settling_time * (point.time - segment.start);
  if (const auto arrived = integrator.forward(way, Mode::adjoint, x, {}, {}, none); !arrived)
    return std::unexpected(on_the_way(arrived.error()));
  return integrator.backward(adjoint, gradient);
}

}  // namespace kinetune::simulate
