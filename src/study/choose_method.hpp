#pragma once

#include <span>
#include <vector>

#include "estimate/posterior.hpp"

namespace kinetune::study {

/// How long one way to evaluate the objective took.
struct MethodTime {
  simulate::Method method;
  estimate::Sensitivities sensitivities;
  int lanes;
  double seconds;  ///< thread CPU time for one of the points, on average; infinite where it failed at more of
                   ///< them than others
};

/// Settles what the options leave to `automatic`, integrator, kind of sensitivities and lanes, by evaluating
/// the objective in each way that is open at some points: once where that takes long.
/// @param order      what the optimiser will ask for
/// @param points     on the parameters' scales, such as a study's first starts
/// @param n_at_once  so many points the optimiser will ask for at a time, or as many as fill lanes if these
///                   are fewer
/// @returns the ways tried, the one chosen first; empty where nothing was open
std::vector<MethodTime> choose_method(const estimate::Problem&, const std::vector<jit::ModelCode>&,
                                      optimize::Order order, std::span<const std::vector<double>> points,
                                      int n_at_once, estimate::PosteriorOptions& options);

}  // namespace kinetune::study
