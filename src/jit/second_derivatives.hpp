#pragma once

#include <span>

#include "jit/kernels.hpp"

namespace kinetune::jit {

/// The first derivatives of the rates, as they go into kernels.
struct RateDerivatives {
  const Pattern& by_state_pattern;
  const std::vector<symbolic::Expr>& by_state;
  const Pattern& by_parameter_pattern;
  const std::vector<symbolic::Expr>& by_parameter;
};

/// Adds the kernels "rates_by_time" and "second_derivatives" and fills in code.curvature. Leaves it without
/// second derivatives where there are more than `max_terms` of them, or delays.
/// @param rates  with switches in place
void add_second_derivatives(const model::FlatModel&, const std::vector<symbolic::Expr>& rates,
                            const RateDerivatives&, int max_terms, symbolic::Differentiator&, ModelCode& code,
                            KernelSet&);

}  // namespace kinetune::jit
