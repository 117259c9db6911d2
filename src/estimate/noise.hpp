#pragma once

#include "petab/problem.hpp"

namespace kinetune::estimate {

/// A measurement's negative log-likelihood and what gradients and Gauss-Newton matrices need of it.
struct NoiseTerm {
  double nllh;
  double by_value;              ///< d nllh / d simulated value (linear)
  double by_noise;              ///< d nllh / d noise parameter sigma
  double residual;              ///< (measurement - value) / sigma on the scale of the transformation
  double information_of_value;  ///< expected second derivative (Fisher information) by the value
  double information_of_noise;  ///< the same by sigma; the mixed one is 0
};

/// Density of a measurement around a simulated value: normal with standard deviation sigma, or Laplace with
/// scale sigma, of the transformed measurement (PEtab v1 specification, "Noise distributions"). Not finite
/// where value or measurement have no logarithm or sigma is not positive.
NoiseTerm noise_term(petab::NoiseDistribution, petab::Scale transformation, double measurement, double value,
                     double sigma);

}  // namespace kinetune::estimate
