#pragma once

#include <expected>
#include <span>

#include "optimize/objective.hpp"

namespace kinetune::optimize {

/// A derivative of an objective from its values alone.
struct Difference {
  double value;
  double error;  ///< how far the estimates of the next larger and the next smaller step are off
  double step;   ///< the smallest that went into it, as a share of the direction
};

/// The derivative by s of the objective at x + s direction, where s is 0.
///
/// Central differences over steps that halve, extrapolated to step zero; of all steps the estimate of least
/// error is taken (after Ridders 1982, doi:10.1016/S0141-1195(82)80057-0).
/// @param x          (n_x)
/// @param direction  (n_x); its length is that of the largest step, over which the objective may bend but not
///                   break
/// @param enough     the error of the derivative at which to stop
/// @returns the last failure when there is no value at any three steps in a row
std::expected<Difference, EvaluationFailure> central_difference(Objective&, std::span<const double> x,
                                                                std::span<const double> direction,
                                                                double enough = 0.0);

}  // namespace kinetune::optimize
