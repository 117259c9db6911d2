#pragma once

#include <cstddef>
#include <expected>
#include <span>

#include "optimize/objective.hpp"

namespace kinetune::optimize {

/// A derivative of an objective from its values alone.
struct Difference {
  double value;
  double error;  ///< how far the estimates of the next larger and the next smaller step are off
  double step;   ///< the smallest that went into it
};

/// Central differences over steps that halve, extrapolated to step zero; of all steps the estimate of least
/// error is taken (after Ridders 1982, doi:10.1016/S0141-1195(82)80057-0).
/// @param x           (n_x)
/// @param i           the variable
/// @param first_step  the largest, over which the objective may bend but not break
/// @returns the last failure when there is no value at any three steps in a row
std::expected<Difference, EvaluationFailure> central_difference(Objective&, std::span<const double> x,
                                                                std::size_t i, double first_step);

}  // namespace kinetune::optimize
