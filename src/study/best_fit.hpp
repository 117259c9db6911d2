#pragma once

#include <vector>

#include "estimate/posterior.hpp"
#include "store/run_rows.hpp"
#include "study/load.hpp"

namespace kinetune::study {

/// What a parameter vector predicts: beside each measurement, and as curves between them.
struct BestFit {
  std::vector<store::FitRow> measurements;  ///< in the order of the measurement table
  std::vector<store::CurveRow> curves;
};

/// @param x  (n_x) on the parameters' scales
/// @returns empty tables when the simulation fails at x
BestFit best_fit(const petab::Problem&, const estimate::Problem&, const std::vector<jit::ModelCode>&,
                 const simulate::IntegratorOptions&, std::span<const double> x);

}  // namespace kinetune::study
