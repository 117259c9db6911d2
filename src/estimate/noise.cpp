#include "estimate/noise.hpp"

#include <cmath>
#include <numbers>

#include "estimate/problem.hpp"

namespace kinetune::estimate {

NoiseTerm noise_term(petab::NoiseDistribution distribution, Scale transformation, double measurement,
                     double value, double sigma) {
  const double difference = scaled(transformation, value) - scaled(transformation, measurement);
  const double slope = 1.0 / unscaled_slope(transformation, value);  // d transformed / d linear
  const double density_of_linear = 1.0 / unscaled_slope(transformation, measurement);
  const double residual = -difference / sigma;
  NoiseTerm term{};
  term.residual = residual;
  if (distribution == petab::NoiseDistribution::normal) {
    term.nllh = 0.5 * std::log(2.0 * std::numbers::pi) + std::log(sigma) - std::log(density_of_linear) +
                0.5 * residual * residual;
    term.by_value = -residual * slope / sigma;
    term.by_noise = (1.0 - residual * residual) / sigma;
    term.information_of_noise = 2.0 / (sigma * sigma);
  } else {
    term.nllh = std::numbers::ln2 + std::log(sigma) - std::log(density_of_linear) + std::fabs(residual);
    term.by_value = (residual < 0.0 ? 1.0 : residual > 0.0 ? -1.0 : 0.0) * slope / sigma;
    term.by_noise = (1.0 - std::fabs(residual)) / sigma;
    term.information_of_noise = 1.0 / (sigma * sigma);
  }
  term.information_of_value = slope * slope / (sigma * sigma);
  return term;
}

}  // namespace kinetune::estimate
