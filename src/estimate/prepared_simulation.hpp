#pragma once

#include <vector>

#include "estimate/problem.hpp"
#include "jit/model_code.hpp"

namespace kinetune::estimate {

/// A period with what does not change between evaluations.
struct PreparedPeriod {
  const Period* period;
  std::vector<int> active;              ///< (n_columns) as simulate::Segment wants it
  std::vector<int> estimated_of;        ///< (n_differentiated) which estimated parameter each is; -1: none
  std::vector<std::size_t> first_data;  ///< (n_times + 1) data of time i: [first_data[i], first_data[i + 1])
};

/// A simulation, or a pre-equilibration that several simulations share. Sensitivities are by estimated
/// parameters: one that stands in several places of the model has as many columns, which only add up to its
/// derivative, so that each column is by at most one of the model's parameters in each period.
struct PreparedSimulation {
  const Simulation* simulation;
  std::vector<int> columns;             ///< (n_columns) the estimated parameter of each column, ascending
  std::vector<PreparedPeriod> periods;  ///< without the pre-equilibration
  std::vector<int> carried;  ///< (n_columns of the pre-equilibration) which column goes on with each
};

/// Simulations that an evaluation carries out together: those that share a pre-equilibration, or a single one
/// without.
struct Share {
  std::vector<int> simulations;  ///< ascending indices into the part's
  int preequilibration = -1;     ///< index into Preparation::preequilibrations; -1: none
};

/// A whole part. Refers to the part it was made of.
struct Preparation {
  std::vector<PreparedSimulation> simulations;
  std::vector<PreparedSimulation> preequilibrations;  ///< of one period each, all different
  std::vector<Share> shares;                          ///< by their first simulations
};

Preparation prepare(const Part&, const jit::ModelCode&);

}  // namespace kinetune::estimate
