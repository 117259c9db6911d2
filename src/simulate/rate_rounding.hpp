#pragma once

#include "jit/model_code.hpp"

namespace kinetune::simulate {

/// What rounding errors may make of rates: a few units in the last place of the sums of |J_ij x_j|, about the
/// size of the terms that rates are differences of. No step takes a state closer to the truth than these do
/// in the time h / (1 + h |J_ii|) that the state remembers.
/// @param width     of systems side by side
/// @param jacobian  (n_nonzeros, width)
/// @param x         (n, width)
/// @param rounding  (n, width)
void find_rate_rounding(int width, const jit::Pattern&, const double* jacobian, const double* x,
                        double* rounding);

}  // namespace kinetune::simulate
