#include "estimate/prior_mass.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace kinetune::estimate {
namespace {

using petab::PriorType;

/// Of the standard normal distribution between two values; precise in both tails.
double normal_mass(double from, double to) {
  const auto upper_tail = [](double z) { return 0.5 * std::erfc(z / std::numbers::sqrt2); };
  return from > 0.0 ? upper_tail(from) - upper_tail(to) : upper_tail(-to) - upper_tail(-from);
}

double laplace_mass(double from, double to) {
  const auto tail = [](double z) { return 0.5 * std::exp(-z); };
  if (from > 0.0) return tail(from) - tail(to);
  return to < 0.0 ? tail(-to) - tail(-from) : 1.0 - tail(-from) - tail(to);
}

double cauchy_mass(double from, double to) { return (std::atan(to) - std::atan(from)) / std::numbers::pi; }

/// The regularised lower incomplete gamma function P(a, x) for x > 0, by its power series or, where that is
/// slow, one minus its continued fraction (NIST Handbook of Mathematical Functions, 8.7.1 and 8.9.2).
double gamma_share(double a, double x) {
  if (std::isinf(x)) return 1.0;
  if (!(x > 0.0)) return 0.0;
  const double front = std::exp(a * std::log(x) - x - std::lgamma(a));
  constexpr double precision = 1e-17;
  constexpr int max_terms = 100000;
  if (x < a + 1.0) {
    double term = 1.0 / a, sum = term;
    for (int n = 1; n < max_terms && term > precision * sum; ++n) sum += term *= x / (a + n);
    return front * sum;
  }
  // Lentz's method.
  double b = x + 1.0 - a, c = 1e300, d = 1.0 / b, fraction = d;
  for (int n = 1; n < max_terms; ++n) {
    const double numerator = -n * (n - a);
    b += 2.0;
    d = 1.0 / (numerator * d + b);
    c = b + numerator / c;
    fraction *= d * c;
    if (std::fabs(d * c - 1.0) < 1e-16) break;
  }
  return 1.0 - front * fraction;
}

double uniform_mass(double lowest, double highest, double from, double to) {
  return (std::min(highest, to) - std::max(lowest, from)) / (highest - lowest);
}

}  // namespace

double prior_mass(const petab::Prior& prior) {
  const double a = prior.first, b = prior.second, from = prior.truncated_below, to = prior.truncated_above;
  if (std::isinf(from) && std::isinf(to)) return 1.0;
  const auto logarithm = [](double v) { return std::log(std::max(v, 0.0)); };
  const double positive_from = std::max(from, 0.0), positive_to = std::max(to, 0.0);
  switch (prior.type) {
    case PriorType::uniform:
      return uniform_mass(a, b, from, to);
    case PriorType::log_uniform:
      return uniform_mass(std::log(a), std::log(b), logarithm(from), logarithm(to));
    case PriorType::normal:
      return normal_mass((from - a) / b, (to - a) / b);
    case PriorType::log_normal:
      return normal_mass((logarithm(from) - a) / b, (logarithm(to) - a) / b);
    case PriorType::laplace:
      return laplace_mass((from - a) / b, (to - a) / b);
    case PriorType::log_laplace:
      return laplace_mass((logarithm(from) - a) / b, (logarithm(to) - a) / b);
    case PriorType::cauchy:
      return cauchy_mass((from - a) / b, (to - a) / b);
    case PriorType::chi_square:
      return gamma_share(a / 2.0, positive_to / 2.0) - gamma_share(a / 2.0, positive_from / 2.0);
    case PriorType::exponential:
      return std::exp(-positive_from / a) - std::exp(-positive_to / a);
    case PriorType::gamma:
      return gamma_share(a, positive_to / b) - gamma_share(a, positive_from / b);
    case PriorType::rayleigh:
      return std::exp(-positive_from * positive_from / (2.0 * a * a)) -
             std::exp(-positive_to * positive_to / (2.0 * a * a));
    default:
      return 1.0;
  }
}

}  // namespace kinetune::estimate
