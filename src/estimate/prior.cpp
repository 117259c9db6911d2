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

PriorTerm uniform(double z, double from, double to) {
  const bool inside = from <= z && z <= to;
  return {inside ? std::log(to - from) : infinity, 0.0, 0.0};
}

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
  if (!(z > 0.0) && shape != 1.0) return {infinity, 0.0, 0.0};
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

PriorTerm whole_prior_term(const Prior& prior, Scale scale, double on_scale, double linear) {
  const double slope = unscaled_slope(scale, linear), a = prior.first, b = prior.second;
  switch (prior.type) {
    case PriorType::uniform:
      return by(uniform(linear, a, b), slope);
    case PriorType::normal:
      return by(normal(linear, a, b), slope);
    case PriorType::laplace:
      return by(laplace(linear, a, b), slope);
    case PriorType::log_normal:
      return of_logarithm(normal(std::log(linear), a, b), linear, slope / linear);
    case PriorType::log_laplace:
      return of_logarithm(laplace(std::log(linear), a, b), linear, slope / linear);
    case PriorType::parameter_scale_uniform:
      return uniform(on_scale, a, b);
    case PriorType::parameter_scale_normal:
      return normal(on_scale, a, b);
    case PriorType::parameter_scale_laplace:
      return laplace(on_scale, a, b);
    case PriorType::log_uniform:
      return of_logarithm(uniform(std::log(linear), std::log(a), std::log(b)), linear, slope / linear);
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
  if (linear < prior.truncated_below || linear > prior.truncated_above) return {infinity, 0.0, 0.0};
  PriorTerm term = whole_prior_term(prior, scale, on_scale, linear);
  term.value += std::log(prior_mass(prior));
  return term;
}

}  // namespace kinetune::estimate
