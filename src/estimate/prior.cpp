#include "estimate/prior.hpp"

#include <cmath>
#include <limits>
#include <numbers>

namespace kinetune::estimate {
namespace {

using petab::PriorType;

PriorTerm uniform(double z, double from, double to) {
  const bool inside = from <= z && z <= to;
  return {inside ? std::log(to - from) : std::numeric_limits<double>::infinity(), 0.0, 0.0};
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

}  // namespace

PriorTerm prior_term(const Prior& prior, Scale scale, double on_scale) {
  const double linear = unscaled(scale, on_scale);
  const double slope = unscaled_slope(scale, linear);
  const auto [type, a, b] = prior;
  switch (type) {
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
      break;
  }
  return laplace(on_scale, a, b);
}

}  // namespace kinetune::estimate
