#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "petab/read_tables.hpp"
#include "petab/row.hpp"
#include "symbolic/maths_parser.hpp"

namespace kinetune::petab::v2 {
namespace {

using namespace std::string_view_literals;

struct Noise {
  Scale transformation;
  NoiseDistribution distribution;
};

constexpr std::array noises{
    std::pair{"normal"sv, Noise{Scale::linear, NoiseDistribution::normal}},
    std::pair{"laplace"sv, Noise{Scale::linear, NoiseDistribution::laplace}},
    std::pair{"log-normal"sv, Noise{Scale::log, NoiseDistribution::normal}},
    std::pair{"log-laplace"sv, Noise{Scale::log, NoiseDistribution::laplace}},
};

constexpr std::array prior_types{
    std::pair{"cauchy"sv, PriorType::cauchy},           std::pair{"chisquare"sv, PriorType::chi_square},
    std::pair{"exponential"sv, PriorType::exponential}, std::pair{"gamma"sv, PriorType::gamma},
    std::pair{"laplace"sv, PriorType::laplace},         std::pair{"log-laplace"sv, PriorType::log_laplace},
    std::pair{"log-normal"sv, PriorType::log_normal},   std::pair{"log-uniform"sv, PriorType::log_uniform},
    std::pair{"normal"sv, PriorType::normal},           std::pair{"rayleigh"sv, PriorType::rayleigh},
    std::pair{"uniform"sv, PriorType::uniform},
};

constexpr std::array truths{std::pair{"true"sv, Estimate::yes}, std::pair{"false"sv, Estimate::no}};

std::size_t n_parameters(PriorType type) {
  const bool has_one =
      type == PriorType::chi_square || type == PriorType::exponential || type == PriorType::rayleigh;
  return has_one ? 1 : 2;
}

void check_prior(const Row& row, const Prior& prior) {
  const auto positive = [&](double value, const char* what) {
    if (!(value > 0)) row.report(fmt::format("the prior's {} is not positive", what), "a number above zero");
  };
  switch (prior.type) {
    case PriorType::uniform:
    case PriorType::log_uniform:
      if (!(prior.first < prior.second))
        row.report("priorParameters are no interval", "lower bound;upper bound");
      if (prior.type == PriorType::log_uniform) positive(prior.first, "lower bound");
      break;
    case PriorType::chi_square:
      positive(prior.first, "number of degrees of freedom");
      break;
    case PriorType::exponential:
    case PriorType::rayleigh:
      positive(prior.first, "scale");
      break;
    case PriorType::gamma:
      positive(prior.first, "shape");
      positive(prior.second, "scale");
      break;
    default:
      positive(prior.second, "scale");
  }
}

std::optional<Prior> read_prior(const Row& row, const Parameter& parameter) {
  const std::string text = row.text("priorParameters");
  if (row.text("priorDistribution").empty()) {
    if (!text.empty()) row.report("priorParameters without priorDistribution", "name the distribution");
    return std::nullopt;
  }
  const auto type = row.choice<PriorType>("priorDistribution", prior_types, std::nullopt);
  std::vector<double> numbers;
  for (const std::string& part : split_list(text)) {
    if (const auto number = parse_number(part); number && std::isfinite(*number)) numbers.push_back(*number);
  }
  if (numbers.size() != n_parameters(type) || split_list(text).size() != numbers.size()) {
    row.report(fmt::format("priorParameters '{}' are not what the distribution takes", text),
               n_parameters(type) == 1 ? "one number" : "two numbers with a semicolon between them");
    return std::nullopt;
  }
  Prior prior{type, numbers.front(), numbers.size() > 1 ? numbers.back() : 0.0};
  if (parameter.estimate == Estimate::yes) check_prior(row, prior);
  if (!std::isnan(parameter.lower_bound)) prior.truncated_below = parameter.lower_bound;
  if (!std::isnan(parameter.upper_bound)) prior.truncated_above = parameter.upper_bound;
  return prior;
}

/// Where some have a prior, the others have a uniform one between their bounds.
void complete_priors(Problem& problem) {
  const auto has_prior = [](const Parameter& p) { return p.objective_prior.has_value(); };
  if (std::ranges::none_of(problem.parameters, has_prior)) return;
  for (Parameter& p : problem.parameters) {
    const bool bounded = std::isfinite(p.lower_bound) && std::isfinite(p.upper_bound);
    if (p.estimate == Estimate::no || has_prior(p) || !bounded || !(p.lower_bound < p.upper_bound)) continue;
    p.objective_prior = Prior{PriorType::uniform, p.lower_bound, p.upper_bound};
  }
}

/// A list of ids between semicolons.
std::vector<std::string> ids(const Row& row, const char* column) {
  std::vector<std::string> result;
  const std::string text = row.text(column);
  if (text.empty()) return result;
  for (const std::string& id : split_list(text)) {
    if (!symbolic::is_identifier(id))
      row.report(fmt::format("'{}' in {} is no valid id", id, column), "ids with semicolons between them");
    else if (std::ranges::find(result, id) != result.end())
      row.report(fmt::format("'{}' stands twice in {}", id, column), "keep one of the two");
    else
      result.push_back(id);
  }
  return result;
}

void check_formulas(const Observable& observable, Diagnostics& diagnostics) {
  symbolic::Graph graph;
  diagnostics.attempt(
      [&] { symbolic::parse_maths(graph, observable.formula.text, observable.formula.where); });
  diagnostics.attempt([&] {
    const auto noise =
        symbolic::parse_maths(graph, observable.noise_formula.text, observable.noise_formula.where);
    check_noise(observable, noise, diagnostics);
  });
}

template <class Entry>
Entry& entry_of(std::vector<Entry>& entries, const std::string& id, Entry otherwise) {
  const auto found = std::ranges::find(entries, id, &Entry::id);
  return found == entries.end() ? entries.emplace_back(std::move(otherwise)) : *found;
}

}  // namespace

void read_parameters(const Table& table, Problem& problem, Diagnostics& diagnostics) {
  require_columns(table, {"parameterId", "estimate"});
  for (const Table::Row& cells : table.rows) {
    const Row row(table, cells, diagnostics);
    Parameter parameter{};
    parameter.where = row.where();
    parameter.id = row.required_id("parameterId");
    parameter.name = row.text("parameterName");
    parameter.scale = Scale::linear;
    parameter.estimate = row.choice<Estimate>("estimate", truths, std::nullopt);
    const bool estimated = parameter.estimate == Estimate::yes;
    parameter.lower_bound = estimated ? row.required_number("lowerBound") : row.optional_number("lowerBound");
    parameter.upper_bound = estimated ? row.required_number("upperBound") : row.optional_number("upperBound");
    parameter.nominal_value =
        estimated ? row.optional_number("nominalValue") : row.required_number("nominalValue");
    parameter.objective_prior = read_prior(row, parameter);
    if (!estimated) parameter.objective_prior.reset();
    parameter.initialization_prior = parameter.objective_prior;  // version 2 has one for both
    if (!parameter.id.empty()) problem.parameters.push_back(std::move(parameter));
  }
  complete_priors(problem);
}

void read_conditions(const Table& table, Problem& problem, Diagnostics& diagnostics) {
  require_columns(table, {"conditionId", "targetId", "targetValue"});
  for (const Table::Row& cells : table.rows) {
    const Row row(table, cells, diagnostics);
    const std::string id = row.required_id("conditionId"), target = row.required_id("targetId");
    const Formula value{row.required_text("targetValue"), row.where()};
    if (id.empty() || target.empty() || value.text.empty()) continue;
    symbolic::Graph graph;
    if (!diagnostics.attempt([&] { symbolic::parse_maths(graph, value.text, value.where); })) continue;
    Condition& condition = entry_of(problem.conditions, id, Condition{id, "", {}, row.where()});
    condition.overrides.push_back({target, 0.0, value, row.where()});
    entry_of(problem.condition_targets, target, ConditionTarget{target, row.where()});
  }
}

void read_experiments(const Table& table, Problem& problem, Diagnostics& diagnostics) {
  require_columns(table, {"experimentId", "time", "conditionId"});
  for (const Table::Row& cells : table.rows) {
    const Row row(table, cells, diagnostics);
    const std::string id = row.required_id("experimentId"), condition = row.optional_id("conditionId");
    const double time = row.required_number("time");
    if (time == std::numeric_limits<double>::infinity())
      row.report("an experiment's time is infinite", "a finite time, or -inf");
    if (id.empty() || std::isnan(time)) continue;
    Experiment& experiment = entry_of(problem.experiments, id, Experiment{id, {}, row.where()});
    auto& periods = experiment.periods;
    auto period = std::ranges::lower_bound(periods, time, {}, &ExperimentPeriod::time);
    if (period == periods.end() || period->time != time)
      period = periods.insert(period, {time, {}, row.where()});
    if (!condition.empty()) period->condition_ids.push_back(condition);
  }
}

void read_observables(const Table& table, Problem& problem, Diagnostics& diagnostics) {
  require_columns(table, {"observableId", "observableFormula", "noiseFormula"});
  for (const Table::Row& cells : table.rows) {
    const Row row(table, cells, diagnostics);
    Observable observable{};
    observable.where = row.where();
    observable.id = row.required_id("observableId");
    observable.name = row.text("observableName");
    observable.formula = {row.required_text("observableFormula"), row.where()};
    observable.noise_formula = {row.required_text("noiseFormula"), row.where()};
    const Noise noise = row.choice<Noise>("noiseDistribution", noises, noises.front().second);
    observable.transformation = noise.transformation;
    observable.noise_distribution = noise.distribution;
    observable.observable_placeholders = ids(row, "observablePlaceholders");
    observable.noise_placeholders = ids(row, "noisePlaceholders");
    if (!observable.formula.text.empty() && !observable.noise_formula.text.empty())
      check_formulas(observable, diagnostics);
    if (!observable.id.empty()) problem.observables.push_back(std::move(observable));
  }
}

void read_measurements(const Table& table, Problem& problem, Diagnostics& diagnostics) {
  const bool has_several_models = problem.models.size() > 1;
  require_columns(table, {"observableId", "measurement", "time"});
  if (has_several_models) require_columns(table, {"modelId"});
  for (const Table::Row& cells : table.rows) {
    const Row row(table, cells, diagnostics);
    Measurement measurement{};
    measurement.where = row.where();
    measurement.row = static_cast<int>(problem.measurements.size());
    measurement.observable_id = row.required_id("observableId");
    measurement.experiment_id = row.optional_id("experimentId");
    measurement.value = row.required_number("measurement");
    measurement.time = row.required_number("time");
    measurement.observable_parameters = row.values("observableParameters");
    measurement.noise_parameters = row.values("noiseParameters");
    if (std::isinf(measurement.value)) row.report("the measurement is infinite", "give a finite number");
    if (measurement.time == -std::numeric_limits<double>::infinity())
      row.report("the time is -inf", "a finite time, or inf for a steady state");
    const std::string model = has_several_models ? row.required_id("modelId") : row.optional_id("modelId");
    if (!model.empty() && std::ranges::find(problem.models, model, &Model::id) == problem.models.end())
      row.report(fmt::format("unknown model '{}'", model), "an id of the YAML file's model_files");
    if (has_several_models) measurement.model_id = model;
    problem.measurements.push_back(std::move(measurement));
  }
}

void read_mappings(const Table& table, Problem& problem, Diagnostics& diagnostics) {
  require_columns(table, {"petabEntityId", "modelEntityId"});
  for (const Table::Row& cells : table.rows) {
    const Row row(table, cells, diagnostics);
    Mapping mapping{row.required_id("petabEntityId"), row.text("modelEntityId"), row.where()};
    if (!mapping.model_id.empty() && mapping.model_id != mapping.petab_id &&
        symbolic::is_identifier(mapping.model_id)) {
      row.report(fmt::format("'{}' is another name for '{}', which has a valid id", mapping.petab_id,
                             mapping.model_id),
                 "use the model's id and remove the row");
    }
    if (!mapping.petab_id.empty()) problem.mappings.push_back(std::move(mapping));
  }
}

}  // namespace kinetune::petab::v2
