#include <functional>
#include <iterator>

#include "simulate/steady_attempt.hpp"

namespace kinetune::simulate {
namespace {

// Integrated sensitivities and adjoints have settled when ten times the time changes them by no more than
// this share.
constexpr double settling = 1e-6;
constexpr int max_settling_stretches = 6;
constexpr double error_share = 100.0;  // of integrated adjoints, in relative tolerances

// A state that differs by more than this share of its size on the way is another one.
constexpr double elsewhere = 1e-3;

}  // namespace

/// Conserved quantities must not depend on an active parameter by their definition, and events change their
/// amounts.
SteadyStates::Follows SteadyStates::derivatives_follow(const Segment& segment,
                                                       const SteadyPoint& point) const {
  if (!point.system) return Follows::never;
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
        if (!(std::fabs(sum) <= vanishing * sums)) return Follows::never;
      }
    }
  }
  const bool has_moved_amounts = point.has_jumped && point.system->n_conserved() > 0;
  return has_moved_amounts ? Follows::from_its_time : Follows::from_start;
}

std::expected<void, IntegrationFailure> SteadyStates::forward(Integrator& integrator, const Segment& segment,
                                                              const SteadyPoint& point,
                                                              std::span<double> sensitivities) {
  const std::size_t n = point.x.size(), m = segment.active.size();
  if (n == 0 || m == 0) return {};
  const Follows follows = derivatives_follow(segment, point);
  if (follows == Follows::never) return integrate(integrator, segment, point, sensitivities);
  if (follows == Follows::from_its_time) {
    const auto arrived = arrive(integrator, segment, point, Mode::forward, sensitivities);
    if (!arrived) return arrived;
  }
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
  const Follows follows = derivatives_follow(segment, point);
  if (follows == Follows::never) return integrate_back(integrator, segment, point, adjoint, gradient);
  if (follows == Follows::from_its_time) {
    const auto arrived = arrive(integrator, segment, point, Mode::adjoint, {});
    if (!arrived) return arrived;
  }
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
  if (follows == Follows::from_its_time) {
    if (const auto back = integrator.backward(adjoint, gradient); !back) return back;
  }
  if (!all_finite(adjoint) || !all_finite(gradient))
    return std::unexpected(IntegrationFailure{IntegrationError::not_finite, point.time});
  return {};
}

/// Goes along the trajectory until the time at which the state was found.
std::expected<void, IntegrationFailure> SteadyStates::arrive(Integrator& integrator, const Segment& segment,
                                                             const SteadyPoint& point, Mode mode,
                                                             std::span<double> sensitivities) const {
  std::vector<double> x(point.visited.begin(), point.visited.begin() + static_cast<long>(point.x.size()));
  Segment way = segment;
  way.end = point.time;
  NoData none;
  if (const auto arrived = integrator.forward(way, mode, x, sensitivities, {}, none); !arrived)
    return std::unexpected(on_the_way(arrived.error()));
  // The trajectory need not be close to the state yet: Newton's method looks far ahead in a linear model.
  return is_at(std::span(point.visited).last(x.size()), x, point, point.time);
}

/// Derivatives must be those of the state that was found. It may be unstable, with so small a displacement
/// that it has not shown when the state was found.
std::expected<void, IntegrationFailure> SteadyStates::is_at(std::span<const double> expected,
                                                            std::span<const double> x,
                                                            const SteadyPoint& point, double time) const {
  const std::size_t n = x.size();
  for (std::size_t i = 0; i < n; ++i) {
    double largest = std::max(std::fabs(expected[i]), options_.atol / options_.rtol);
    for (std::size_t at = i; at < point.visited.size(); at += n)
      largest = std::max(largest, std::fabs(point.visited[at]));
    if (!(std::fabs(x[i] - expected[i]) <= elsewhere * largest))
      return std::unexpected(
          IntegrationFailure{IntegrationError::no_steady_state, time, static_cast<int>(i)});
  }
  return {};
}

/// Sensitivities along the trajectory until they have settled as well.
std::expected<void, IntegrationFailure> SteadyStates::integrate(Integrator& integrator,
                                                                const Segment& segment,
                                                                const SteadyPoint& point,
                                                                std::span<double> sensitivities) const {
  std::vector<double> x(point.visited.begin(), point.visited.begin() + static_cast<long>(point.x.size()));
  std::vector<double> before;
  std::optional<Past> past;
  const std::vector<double> sizes = sizes_of(segment, model_.code());
  const std::size_t m = segment.active.size();
  NoData none;
  double from = segment.start, to = point.time;
  for (int k = 0; k < max_settling_stretches; ++k) {
    Segment stretch = segment;
    stretch.start = from;
    stretch.end = to;
    if (past) stretch.past = &*past;
    stretch.most_steps = options_.max_steps;
    if (const auto arrived = integrator.forward(stretch, Mode::forward, x, sensitivities, {}, none); !arrived)
      return std::unexpected(on_the_way(arrived.error()));
    past = integrator.past();
    bool settled = !before.empty();
    for (std::size_t e = 0; e < before.size(); ++e) {
      // What counts is the change that a relative change of the parameter makes.
      const double size = sizes[e % m] != 0.0 ? std::fabs(sizes[e % m]) : 1.0;
      const double least = (std::fabs(x[e / m]) + options_.atol / options_.rtol) / size;
      settled &= std::fabs(sensitivities[e] - before[e]) <= settling * (std::fabs(sensitivities[e]) + least);
    }
    if (settled) return is_at(point.x, x, point, to);
    before.assign(sensitivities.begin(), sensitivities.end());
    from = to;
    to = segment.start + stretch_growth * (to - segment.start);
  }
  return std::unexpected(IntegrationFailure{IntegrationError::no_steady_state, from});
}

/// Adjoints and the gradient of ever longer ways to the steady state, until these have settled.
std::expected<void, IntegrationFailure> SteadyStates::integrate_back(Integrator& integrator,
                                                                     const Segment& segment,
                                                                     const SteadyPoint& point,
                                                                     std::span<double> adjoint,
                                                                     std::span<double> gradient) const {
  const std::span<const double> start(point.visited.data(), point.x.size());
  const std::vector<double> at_end(adjoint.begin(), adjoint.end());
  const std::vector<double> least = least_changes(segment, point, at_end);
  std::vector<double> before, by_way(gradient.size());
  // Each way back has errors of integration of its own.
  const double share = std::max(settling, error_share * options_.rtol);
  NoData none;
  Segment way = segment;
  way.most_steps = options_.max_steps;
  double to = point.time;
  for (int k = 0; k < max_settling_stretches; ++k) {
    way.end = to;
    to = segment.start + stretch_growth * (to - segment.start);
    std::vector<double> x(start.begin(), start.end());
    if (const auto arrived = integrator.forward(way, Mode::adjoint, x, {}, {}, none); !arrived)
      return std::unexpected(on_the_way(arrived.error()));
    std::ranges::copy(at_end, adjoint.begin());
    std::ranges::fill(by_way, 0.0);
    if (const auto back = integrator.backward(adjoint, by_way); !back) return back;
    std::vector<double> now(adjoint.begin(), adjoint.end());
    now.insert(now.end(), by_way.begin(), by_way.end());
    bool settled = !before.empty();
    for (std::size_t e = 0; e < before.size(); ++e)
      settled &= std::fabs(now[e] - before[e]) <= share * (std::fabs(now[e]) + least[e]);
    if (settled) {
      if (const auto there = is_at(point.x, x, point, way.end); !there) return there;
      std::ranges::transform(gradient, by_way, gradient.begin(), std::plus{});
      return {};
    }
    before = std::move(now);
  }
  return std::unexpected(IntegrationFailure{IntegrationError::no_steady_state, way.end});
}

/// Of adjoints at the start and of the gradient (n_states + n_active): what a relative change of the start or
/// of a parameter would make of the objective if it changed the steady state by as much.
std::vector<double> SteadyStates::least_changes(const Segment& segment, const SteadyPoint& point,
                                                std::span<const double> adjoint) const {
  double whole = 0.0;
  for (std::size_t i = 0; i < adjoint.size(); ++i)
    whole += std::fabs(adjoint[i]) * (std::fabs(point.x[i]) + options_.atol / options_.rtol);
  std::vector<double> sizes;
  for (std::size_t i = 0; i < point.x.size(); ++i)
    sizes.push_back(std::max(std::fabs(point.visited[i]), std::fabs(point.x[i])));
  std::ranges::copy(sizes_of(segment, model_.code()), std::back_inserter(sizes));
  for (double& size : sizes) size = whole / (size != 0.0 ? std::fabs(size) : 1.0);
  return sizes;
}

}  // namespace kinetune::simulate
