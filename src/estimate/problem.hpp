#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "petab/problem.hpp"

namespace kinetune::estimate {

using petab::Prior;
using petab::Scale;

/// A parameter that is estimated. Bounds and nominal value are on its scale.
struct EstimatedParameter {
  std::string id;
  std::string name;
  Scale scale = Scale::linear;
  double lower_bound = 0;
  double upper_bound = 0;
  double nominal = 0;          ///< NaN where the problem gives none
  std::optional<Prior> prior;  ///< of the objective
};

/// Where a number comes from: an estimated parameter's linear value, or a constant.
struct Binding {
  double constant = 0;
  int estimated = -1;  ///< index of the estimated parameter, or -1
};

/// One measurement of a simulation.
struct DataPoint {
  int row = 0;         ///< of the problem's measurement table, from 0
  int time_index = 0;  ///< into the period's times
  int observable = 0;
  double measurement = 0;  ///< linear
  std::vector<Binding> placeholders;
};

/// A state that is set to a formula of the states, the parameters and the time that a period begins at, with
/// the values that states and parameters have before.
struct Reset {
  int state = 0;
  int formula = 0;  ///< which of the model code's observables; they come after those of the problem
};

/// A stretch of a simulation with one set of parameter values.
struct Period {
  double start = 0;  ///< model time; -inf: lasts, from time 0 on, until a steady state is reached
  std::vector<Binding> parameters;  ///< (n_parameters of the model)
  std::vector<Reset> resets;        ///< at its start, all at once; none of the first period
  std::vector<double> times;        ///< those of the data, ascending, each once; +inf: the steady state
  std::vector<DataPoint> data;      ///< by time
};

/// One simulation and the data it is compared with.
struct Simulation {
  std::string condition_id;  ///< of the last condition (PEtab v1), or of the experiment (v2);
                             ///< of several models `model/condition`
  std::string preequilibration_condition_id;  ///< PEtab v1; empty: none
  std::vector<Period> periods;  ///< by their starts; the first begins with the model's initial values
};

struct Observable {
  std::string id;
  Scale transformation = Scale::linear;
  petab::NoiseDistribution noise = petab::NoiseDistribution::normal;
};

/// What is asked of one of the problem's models.
struct Part {
  std::vector<std::string> model_parameter_ids;  ///< in the order of Period::parameters
  std::vector<std::string> state_ids;
  std::vector<Observable> observables;
  std::vector<Simulation> simulations;
};

/// What an objective needs to know beside the models' code; plain data that can be sent to another process.
struct Problem {
  std::vector<EstimatedParameter> parameters;  ///< of all parts together
  std::vector<Part> parts;                     ///< one for each model

  std::string to_bytes() const;
  /// @throws std::runtime_error when the bytes are not what to_bytes() made
  static Problem from_bytes(std::string_view);
};

/// As PEtab and the run file spell it: lin, log, log10.
std::string_view name(Scale);

/// Between a parameter's linear value and the one on its scale.
double scaled(Scale, double linear);
double unscaled(Scale, double on_scale);
/// d linear / d scaled, given the linear value.
double unscaled_slope(Scale, double linear);

}  // namespace kinetune::estimate
