#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "simulate/integrator.hpp"

namespace kinetune::study {

/// A time course of a bare model.
struct SimulateModelOptions {
  std::filesystem::path model;  ///< SBML
  double start = 0;             ///< first time printed; the simulation begins at 0
  double duration = 10;
  int steps = 50;                      ///< intervals, so steps + 1 rows
  std::vector<std::string> variables;  ///< ids, in the order of columns; none: all that vary
  std::vector<std::string> amounts;  ///< species to be given as amounts, whatever their ids mean in the model
  std::vector<std::string> concentrations;                         ///< species to be given as concentrations
  simulate::IntegratorOptions integrator{.max_steps = 1'000'000};  ///< one course that somebody waits for
};

/// Values of a model's variables at equally spaced times.
struct TimeCourse {
  std::vector<std::string> variables;
  std::vector<double> times;
  std::vector<double> values;  ///< (n_times, n_variables) row-major
};

/// @throws core::Error for bad input, std::runtime_error when the integration fails (with time and reason)
TimeCourse time_course(const SimulateModelOptions&);

/// The same as comma-separated values: `time`, then the variables.
std::string simulate_model(const SimulateModelOptions&);

struct SimulateProblemOptions {
  std::filesystem::path problem;                    ///< PEtab
  std::optional<std::filesystem::path> parameters;  ///< as for evaluate
  simulate::IntegratorOptions integrator;
};

/// A PEtab simulation table (tab-separated): the measurement table's rows with a column `simulation`.
/// Throws as above.
std::string simulate_problem(const SimulateProblemOptions&);

}  // namespace kinetune::study
