#pragma once

#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/error.hpp"
#include "petab/diagnostics.hpp"

namespace kinetune::petab {

/// The scale a parameter is estimated on, or an observable is compared on. log is the natural logarithm.
enum class Scale { linear, log, log10 };

enum class Estimate { no, yes };

/// The prior types of both versions. Parameters: bounds of the uniform ones; mean and standard deviation of
/// the normal ones; location and scale of the Laplace ones and the Cauchy one; degrees of freedom (chi
/// square); scale (exponential, Rayleigh); shape and scale (gamma).
enum class PriorType {
  uniform,
  normal,
  laplace,
  log_normal,   ///< of the parameter; its natural logarithm is normal
  log_laplace,  ///< of the parameter; its natural logarithm is Laplace
  parameter_scale_uniform,
  parameter_scale_normal,
  parameter_scale_laplace,
  log_uniform,  ///< of the parameter; its natural logarithm is uniform; bounds are those of the parameter
  cauchy,
  chi_square,
  exponential,
  gamma,
  rayleigh,
};

struct Prior {
  PriorType type;
  /// Of log(parameter) for log_normal and log_laplace, on the parameter's scale for parameter_scale_*, else
  /// linear. Types with one parameter have no second.
  double first, second = 0;
  /// Version 2: the density is 0 outside and larger inside accordingly; linear.
  double truncated_below = -std::numeric_limits<double>::infinity();
  double truncated_above = std::numeric_limits<double>::infinity();
};

/// A row of the parameter table. Bounds and nominal value are linear whatever the scale; NaN where the table
/// gives none, which only bounds of fixed parameters and nominal values of estimated ones may be.
struct Parameter {
  std::string id;
  std::string name;
  Scale scale;
  double lower_bound;
  double upper_bound;
  double nominal_value;
  Estimate estimate;
  std::optional<Prior> initialization_prior;  ///< none: uniform on the parameter's scale between the bounds
  std::optional<Prior> objective_prior;       ///< none: none
  core::Location where;
};

/// Text of PEtab's maths; symbolic::parse_maths reads it.
struct Formula {
  std::string text;
  core::Location where;
};

enum class NoiseDistribution { normal, laplace };

/// A row of the observable table. Its formulas were parsed once in reading, so they are well formed; their
/// symbols were not looked up.
struct Observable {
  std::string id;
  std::string name;
  Formula formula;
  Formula
      noise_formula;  ///< standard deviation (normal) or scale (Laplace), on the scale of the transformation
  Scale transformation;  ///< measurements and simulations are linear and are transformed to be compared
  NoiseDistribution noise_distribution;
  std::vector<std::string> observable_placeholders;  ///< in the order of a measurement's values for them
  std::vector<std::string> noise_placeholders;
  core::Location where;
  std::string model_id = {};  ///< version 1, of several problems: the only model it is for
};

/// Version 1: the names that the k-th (from 1) entries of a measurement's lists replace in its observable's
/// formulas.
std::string observable_placeholder(const std::string& observable_id, int k);
std::string noise_placeholder(const std::string& observable_id, int k);

/// A number, or the id of the quantity whose value it is.
using Value = std::variant<double, std::string>;

/// What a condition sets one quantity of the model to: a parameter's or a compartment's value, a species'
/// value.
struct Override {
  std::string target_id;
  Value value;
  std::optional<Formula> formula =
      {};                     ///< version 2: takes the place of the value where it is more than that
  core::Location where = {};  ///< version 2: of its own row
};

/// Version 1: a row of the condition table. A target that the row leaves empty keeps its value: after
/// pre-equilibration the one reached there (species), otherwise the model's. Version 2: all rows of one
/// condition; what it does not name keeps its value.
struct Condition {
  std::string id;
  std::string name;
  std::vector<Override> overrides;
  core::Location where;
  std::string model_id = {};  ///< version 1, of several problems: the only model it is for
};

/// Version 2: conditions that are applied at one time of an experiment.
struct ExperimentPeriod {
  double time;  ///< model time unit; -inf: before the experiment, until a steady state is reached
  std::vector<std::string> condition_ids;  ///< none: the model goes on as it is
  core::Location where;
};

/// Version 2: a course of conditions.
struct Experiment {
  std::string id;
  std::vector<ExperimentPeriod> periods;  ///< by time
  core::Location where;
};

/// Version 2: another name for an entity of the model whose own is no PEtab id.
struct Mapping {
  std::string petab_id;
  std::string model_id;  ///< empty: the row is a mere remark
  core::Location where;
};

/// A row of the measurement table.
struct Measurement {
  std::string observable_id;
  std::string preequilibration_condition_id;  ///< version 1; empty: none
  std::string simulation_condition_id;        ///< version 1
  double value;                               ///< linear
  double time;                                ///< model time unit; +inf: at the steady state
  std::vector<Value> observable_parameters;   ///< for the observable's placeholders
  std::vector<Value> noise_parameters;        ///< likewise
  std::string dataset_id;
  std::string replicate_id;
  core::Location where;
  int row = 0;                     ///< of the measurement table, from 0
  std::string experiment_id = {};  ///< version 2; empty: the model as it is
  std::string model_id = {};       ///< of several models, the one that it is compared with

  /// What it is a measurement of: the experiment or the condition, of several models `model/experiment`.
  std::string simulation_id() const;
};

/// A quantity that conditions set: a column of the condition table (version 1), or a targetId (version 2).
struct ConditionTarget {
  std::string id;
  core::Location where;
  std::string model_id = {};  ///< version 1, of several problems: the only model it is for
};

/// A table that says how to draw measurements.
struct VisualizationFile {
  std::filesystem::path path;
  std::string model_id = {};  ///< of several problems: the only model it is for
};

/// A model, in SBML.
struct Model {
  std::string id;  ///< version 1: the number of its problem, from 1
  std::filesystem::path file;
  core::Location where;  ///< where the YAML file names it
};

/// A file that the problem consists of.
struct InputFile {
  std::filesystem::path path;
  std::string checksum;  ///< core::checksum of its bytes
};

/// An estimation problem as its files state it.
struct Problem {
  std::filesystem::path yaml_file;
  int format_version = 1;
  std::vector<Model> models;
  std::vector<Parameter> parameters;
  std::vector<ConditionTarget> condition_targets;
  std::vector<Condition> conditions;
  std::vector<Experiment> experiments;  ///< version 2
  std::vector<Mapping> mappings;        ///< version 2
  std::vector<Observable> observables;
  std::vector<Measurement> measurements;
  std::vector<VisualizationFile> visualizations;  ///< version 1
  std::vector<InputFile> inputs;                  ///< YAML, model and tables, in the order of reading

  /// The entry of that id, or nullptr. A search from the front: not for inner loops.
  const Parameter* parameter(const std::string& id) const;
  const Condition* condition(const std::string& id) const;
  const Experiment* experiment(const std::string& id) const;
  const Observable* observable(const std::string& id) const;
  /// That of a measurement of a problem without errors.
  const Observable& observable_of(const Measurement&) const;
};

/// What a problem of several models says about one of them, as a problem of its own: all parameters, and of
/// the other tables what the model's measurements ask for (PEtab v2 specification, "Parameter estimation
/// problems combining multiple models").
Problem of_model(const Problem&, const Model&);

/// Reads a PEtab problem (specification version 1 or 2) and checks all that needs no model.
/// @throws core::Error  the first thing that is wrong
Problem read_problem(const std::filesystem::path& yaml_file);

/// The same, reporting everything that is wrong. The result is fit for use only if nothing was reported.
Problem read_problem(const std::filesystem::path& yaml_file, Diagnostics&);

}  // namespace kinetune::petab
