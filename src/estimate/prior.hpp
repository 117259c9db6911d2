#pragma once

#include "estimate/problem.hpp"

namespace kinetune::estimate {

/// A prior's negative logarithm, normalised, and its derivatives by the parameter on its own scale.
struct PriorTerm {
  double value;  ///< +inf outside the prior's support
  double slope;
  double curvature;  ///< not negative: what a Gauss-Newton matrix may add
};

/// Densities are of the value on the parameter's scale for parameter_scale_*, of the linear value for the
/// others (PEtab specifications, "Prior distributions"). What truncation takes away is spread over the rest.
/// A bound belongs to the support, also where rounding errors move it a little on the parameter's scale.
PriorTerm prior_term(const Prior&, Scale, double on_scale);

}  // namespace kinetune::estimate
