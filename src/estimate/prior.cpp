#include "estimate/prior.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "estimate/prior_mass.hpp"

namespace kinetune::estimate {
namespace {

using petab::PriorType;

constexpr double infinity = std::numeric_limits<double>::infinity();

// What a bound may move by on its way to a parameter's scale, in another program too, as a share of itself.
constexpr double rounding = 8 * std::numeric_limits<double>::epsilon();

PriorTerm uniform(double from, double to) { return {std::log(to - from), 0.0, 0.0}; }

PriorTerm normal(double z, double mean, double deviation) {
  const double r = (z - mean) / deviation;
  return {0.5 * std::log(2.0 * std::numbers::pi) + std::log(deviation) + 0.5 * r * r, r / deviation,
          1.0 / (deviation * deviation)};
}

PriorTerm laplace(double z, double location, double scale) {
  const double r = (z - location) / scale;
  return {std::log(2.0 * scale) + std::fabs(r), (r > 0.0 ? 1.0 : r < 0.0 ? -1.0 : 0.0) / scale, 0.0};
}

PriorTerm cauchy(double z, double location, double scale) {
  const double r = (z - location) / scale, s = 1.0 + r * r;
  return {std::log(std::numbers::pi * scale * s), 2.0 * r / (scale * s),
          std::max(0.0, 2.0 * (1.0 - r * r) / (scale * scale * s * s))};
}

PriorTerm gamma(double z, double shape, double scale) {
  if (z < 0.0 || (!(z > 0.0) && shape != 1.0)) return {infinity, 0.0, 0.0};
  const double power = shape == 1.0 ? 0.0 : (shape - 1.0) * std::log(z);
  return {std::lgamma(shape) + shape * std::log(scale) - power + z / scale,
          (shape == 1.0 ? 0.0 : -(shape - 1.0) / z) + 1.0 / scale,
          shape == 1.0 ? 0.0 : std::max(0.0, (shape - 1.0) / (z * z))};
}

PriorTerm rayleigh(double z, double scale) {
  if (!(z > 0.0)) return {infinity, 0.0, 0.0};
  const double variance = scale * scale;
  return {std::log(variance) - std::log(z) + z * z / (2.0 * variance), -1.0 / z + z / variance,
          1.0 / (z * z) + 1.0 / variance};
}

/// From derivatives by z to derivatives by x, given z'(x); z'' is left out where it could make the curvature
/// negative.
PriorTerm by(PriorTerm term, double dz_dx) {
  return {term.value, term.slope * dz_dx, term.curvature * dz_dx * dz_dx};
}

/// A density of log(p) as one of p: divided by p.
PriorTerm of_logarithm(PriorTerm term, double linear, double dlog_dx) {
  PriorTerm result = by(term, dlog_dx);
  result.value += std::log(linear);
  result.slope += dlog_dx;
  return result;
}

/// Where uniform and truncated priors end, on the parameter's scale.
struct Ends {
  double lowest, highest;
};

Ends ends(const Prior& prior, Scale scale) {
  const auto on_scale = [scale](double v) {
    return scaled(scale, scale == Scale::linear ? v : std::max(v, 0.0));
  };
  Ends ends{on_scale(prior.truncated_below), on_scale(prior.truncated_above)};
  const bool is_of_scale = prior.type == PriorType::parameter_scale_uniform;
  if (is_of_scale || prior.type == PriorType::uniform || prior.type == PriorType::log_uniform) {
    ends.lowest = std::max(ends.lowest, is_of_scale ? prior.first : on_scale(prior.first));
    ends.highest = std::min(ends.highest, is_of_scale ? prior.second : on_scale(prior.second));
  }
  return ends;
}

/// Compared on the scale, where the optimiser has its bounds: 10^log10(0.3) is less than 0.3.
bool is_outside(const Ends& ends, double on_scale) {
  const auto slack = [](double end) { return std::isfinite(end) ? rounding * std::fabs(end) : 0.0; };
  return on_scale < ends.lowest - slack(ends.lowest) || on_scale > ends.highest + slack(ends.highest);
}

PriorTerm whole_prior_term(const Prior& prior, Scale scale, double on_scale, double linear) {
  const double slope = unscaled_slope(scale, linear), a = prior.first, b = prior.second;
  switch (prior.type) {
    case PriorType::uniform:
      return by(uniform(a, b), slope);
    case PriorType::normal:
      return by(normal(linear, a, b), slope);
    case PriorType::laplace:
      return by(laplace(linear, a, b), slope);
    case PriorType::log_normal:
      return of_logarithm(normal(std::log(linear), a, b), linear, slope / linear);
    case PriorType::log_laplace:
      return of_logarithm(laplace(std::log(linear), a, b), linear, slope / linear);
    case PriorType::parameter_scale_uniform:
      return uniform(a, b);
    case PriorType::parameter_scale_normal:
      return normal(on_scale, a, b);
    case PriorType::parameter_scale_laplace:
      return laplace(on_scale, a, b);
    case PriorType::log_uniform:
      return of_logarithm(uniform(std::log(a), std::log(b)), linear, slope / linear);
    case PriorType::cauchy:
      return by(cauchy(linear, a, b), slope);
    case PriorType::chi_square:
      return by(gamma(linear, a / 2.0, 2.0), slope);
    case PriorType::exponential:
      return by(gamma(linear, 1.0, a), slope);
    case PriorType::gamma:
      return by(gamma(linear, a, b), slope);
    case PriorType::rayleigh:
      break;
  }
  return by(rayleigh(linear, a), slope);
}

}  // namespace

PriorTerm prior_term(const Prior& prior, Scale scale, double on_scale) {
  const double linear = unscaled(scale, on_scale);
  if (is_outside(ends(prior, scale), on_scale)) return {infinity, 0.0, 0.0};
  PriorTerm term = whole_prior_term(prior, scale, on_scale, linear);
  term.value += std::log(prior_mass(prior));
  return term;
}

}  // namespace kinetune::estimate
