#pragma once

#include <functional>
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
                   ///< them than others, or took so long that it was broken off
};

/// Settles what the options leave to `automatic`, integrator, kind of sensitivities and lanes, by evaluating
/// the objective in each way that is open at some points: once where that takes long. A way is broken off
/// when it has taken clearly longer than the best one before.
/// @param order      what the optimiser will ask for
/// @param points     on the parameters' scales, such as a study's first starts
/// @param n_at_once  so many points the optimiser will ask for at a time, or as many as fill lanes if these
///                   are fewer
/// @param stopping   true ends it: the best way so far is taken
/// @returns the ways tried, the one chosen first; empty where nothing was open
std::vector<MethodTime> choose_method(const estimate::Problem&, const std::vector<jit::ModelCode>&,
                                      optimize::Order order, std::span<const std::vector<double>> points,
                                      int n_at_once, const std::function<bool()>& stopping,
                                      estimate::PosteriorOptions& options);

}  // namespace kinetune::study
