#include "study/start_box.hpp"

#include <algorithm>
#include <cmath>
#include <sstream>

#include <cereal/archives/portable_binary.hpp>
#include <cereal/types/vector.hpp>
#include <fmt/format.h>

#include "core/error.hpp"
#include "estimate/prior.hpp"

namespace kinetune::sample {

template <class Archive>
void serialize(Archive& archive, Quantiles& q) {
  archive(q.probabilities, q.values);
}

}  // namespace kinetune::sample

namespace kinetune::study {
namespace {

using estimate::EstimatedParameter;
using sample::Quantiles;

/// Ascending points between the bounds, evenly spaced, and ever closer to some locations: however narrow a
/// prior is there, some lie within.
std::vector<double> grid(const EstimatedParameter& parameter, const std::vector<double>& locations) {
  constexpr int n_even = 1024, n_halvings = 40, n_between = 16;
  const double lower = parameter.lower_bound, upper = parameter.upper_bound;
  std::vector<double> points;
  for (int i = 0; i <= n_even; ++i)
    points.push_back(std::lerp(lower, upper, static_cast<double>(i) / n_even));
  for (const double location : locations) {
    for (int i = 0; i <= n_halvings * n_between; ++i) {
      const double away = (upper - lower) * std::exp2(-static_cast<double>(i) / n_between);
      for (const double x : {location - away, location, location + away})
        if (lower < x && x < upper) points.push_back(x);
    }
  }
  std::ranges::sort(points);
  points.erase(std::ranges::unique(points).begin(), points.end());
  return points;
}

bool is_on_parameter_scale(petab::PriorType type) {
  using enum petab::PriorType;
  return type == parameter_scale_uniform || type == parameter_scale_normal || type == parameter_scale_laplace;
}

/// On the parameter's scale; where the density is to be looked at closely.
std::vector<double> locations(const petab::Prior& prior, petab::Scale scale) {
  using enum petab::PriorType;
  if (prior.type == parameter_scale_uniform) return {prior.first, prior.second};
  if (is_on_parameter_scale(prior.type)) return {prior.first};
  const auto on_scale = [scale](double linear) { return estimate::scaled(scale, linear); };
  if (prior.type == uniform || prior.type == log_uniform)
    return {on_scale(prior.first), on_scale(prior.second)};
  if (prior.type == log_normal || prior.type == log_laplace) return {on_scale(std::exp(prior.first))};
  return {on_scale(prior.first)};
}

double density(const petab::Prior& prior, petab::Scale scale, double x) {
  const double linear = estimate::unscaled(scale, x);
  const double stretch = is_on_parameter_scale(prior.type) ? 1.0 : estimate::unscaled_slope(scale, linear);
  return std::exp(-estimate::prior_term(prior, scale, x).value) * stretch;
}

/// The prior's share within the bounds, integrated by trapezia.
Quantiles from_prior(const EstimatedParameter& parameter, const petab::Parameter& row) {
  const petab::Prior& prior = *row.initialization_prior;
  Quantiles result{{0.0}, {parameter.lower_bound}};
  double mass = 0, x_before = parameter.lower_bound;
  double before = density(prior, parameter.scale, x_before);
  for (const double x : grid(parameter, locations(prior, parameter.scale))) {
    const double here = density(prior, parameter.scale, x), more = (x - x_before) * (before + here) / 2;
    if (more > 0) {
      if (mass == 0) result.values.front() = x_before;
      result.probabilities.push_back(mass += more);
      result.values.push_back(x);
    }
    x_before = x;
    before = here;
  }
  if (!(mass > 0 && std::isfinite(mass)))
    throw core::Error(row.where,
                      fmt::format("the initialisation prior of '{}' has nothing within the bounds", row.id),
                      "mend the one or the other, or draw starts between the bounds (--start-range bounds)");
  for (double& p : result.probabilities) p /= mass;
  result.probabilities.back() = 1.0;
  return result;
}

Quantiles around_nominal(const EstimatedParameter& parameter, double factor) {
  const double nominal = estimate::unscaled(parameter.scale, parameter.nominal);
  if (!(nominal != 0 && std::isfinite(nominal)))
    throw core::Error({}, fmt::format("'{}' has the nominal value {}", parameter.id, nominal),
                      "starts around nominal values need one that is not zero for each parameter");
  const double near = estimate::scaled(parameter.scale, nominal / factor),
               far = estimate::scaled(parameter.scale, nominal * factor);
  return {{0.0, 1.0},
          {std::clamp(std::min(near, far), parameter.lower_bound, parameter.upper_bound),
           std::clamp(std::max(near, far), parameter.lower_bound, parameter.upper_bound)}};
}

}  // namespace

sample::Box start_box(const LoadedProblem& loaded, StartRange range, double factor) {
  std::vector<double> lower, upper;
  for (const EstimatedParameter& parameter : loaded.problem.parameters) {
    lower.push_back(parameter.lower_bound);
    upper.push_back(parameter.upper_bound);
  }
  std::vector<Quantiles> quantiles = sample::Box(lower, upper).quantiles();  // sees that they are finite
  for (std::size_t i = 0; i < quantiles.size() && range != StartRange::bounds; ++i) {
    const EstimatedParameter& parameter = loaded.problem.parameters[i];
    const auto row = std::ranges::find(loaded.petab.parameters, parameter.id, &petab::Parameter::id);
    if (parameter.lower_bound == parameter.upper_bound) continue;
    if (range == StartRange::nominal) quantiles[i] = around_nominal(parameter, factor);
    if (range == StartRange::priors && row != loaded.petab.parameters.end() && row->initialization_prior)
      quantiles[i] = from_prior(parameter, *row);
  }
  return sample::Box(std::move(quantiles));
}

std::string to_bytes(const sample::Box& box) {
  std::ostringstream stream;
  cereal::PortableBinaryOutputArchive{stream}(box.quantiles());
  return std::move(stream).str();
}

sample::Box box_from_bytes(std::string_view bytes) {
  std::istringstream stream{std::string(bytes)};
  std::vector<Quantiles> quantiles;
  cereal::PortableBinaryInputArchive{stream}(quantiles);
  return sample::Box(std::move(quantiles));
}

}  // namespace kinetune::study
