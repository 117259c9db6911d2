#pragma once

#include "estimate/problem.hpp"

namespace kinetune::estimate {

/// A prior's negative logarithm, normalised, and its derivatives by the parameter on its own scale.
struct PriorTerm {
  double value;  ///< +inf outside the prior's support
  double slope;
  double curvature;  ///< not negative: what a Gauss-Newton matrix may add
};

/// Densities are of the linear value for uniform, normal, laplace, log_normal and log_laplace, of the value
/// on the parameter's scale for the others (PEtab v1 specification, "Prior distributions").
PriorTerm prior_term(const Prior&, Scale, double on_scale);

}  // namespace kinetune::estimate
