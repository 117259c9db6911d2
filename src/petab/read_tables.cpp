#include "petab/read_tables.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <initializer_list>
#include <utility>

#include <fmt/format.h>

#include "petab/placeholders.hpp"
#include "petab/row.hpp"
#include "symbolic/maths_parser.hpp"

namespace kinetune::petab {
namespace {

using namespace std::string_view_literals;

constexpr std::array scales{std::pair{"lin"sv, Scale::linear}, std::pair{"log"sv, Scale::log},
                            std::pair{"log10"sv, Scale::log10}};

constexpr std::array noise_distributions{std::pair{"normal"sv, NoiseDistribution::normal},
                                         std::pair{"laplace"sv, NoiseDistribution::laplace}};

constexpr std::array prior_types{
    std::pair{"uniform"sv, PriorType::uniform},
    std::pair{"normal"sv, PriorType::normal},
    std::pair{"laplace"sv, PriorType::laplace},
    std::pair{"logNormal"sv, PriorType::log_normal},
    std::pair{"logLaplace"sv, PriorType::log_laplace},
    std::pair{"parameterScaleUniform"sv, PriorType::parameter_scale_uniform},
    std::pair{"parameterScaleNormal"sv, PriorType::parameter_scale_normal},
    std::pair{"parameterScaleLaplace"sv, PriorType::parameter_scale_laplace},
};

bool is_uniform(PriorType type) {
  return type == PriorType::uniform || type == PriorType::parameter_scale_uniform;
}

void check_prior(const Row& row, std::string_view column, const Prior& prior) {
  if (is_uniform(prior.type)) {
    if (prior.first < prior.second) return;
    row.report(fmt::format("{} are no interval", column), "lower bound;upper bound");
  } else if (!(prior.second > 0) || !std::isfinite(prior.first) || !std::isfinite(prior.second)) {
    row.report(fmt::format("{} have a scale that is not positive, or are not finite", column),
               "location;scale with a scale above zero");
  }
}

/// The prior that a pair of columns states; none where they state the default, which is no prior.
std::optional<Prior> read_prior(const Row& row, std::string_view type_column,
                                std::string_view parameters_column) {
  const auto type = row.choice<PriorType>(type_column, prior_types, PriorType::parameter_scale_uniform);
  const std::string text = row.text(parameters_column);
  if (text.empty()) {
    if (type != PriorType::parameter_scale_uniform) {
      row.report(fmt::format("{} is empty", parameters_column), "two numbers with a semicolon between them");
    }
    return std::nullopt;
  }
  const auto parts = split_list(text);
  const auto first = parse_number(parts.front()), second = parse_number(parts.back());
  if (parts.size() != 2 || !first || !second) {
    row.report(fmt::format("{} '{}' are not two numbers", parameters_column, text),
               "two numbers with a semicolon between them");
    return std::nullopt;
  }
  const Prior prior{type, *first, *second};
  check_prior(row, parameters_column, prior);
  return prior;
}

Estimate read_estimate(const Row& row) {
  // Tables that passed through a spreadsheet or pandas write the flag as a decimal number.
  constexpr std::array spellings{std::pair{"0"sv, Estimate::no}, std::pair{"1"sv, Estimate::yes},
                                 std::pair{"0.0"sv, Estimate::no}, std::pair{"1.0"sv, Estimate::yes}};
  return row.choice<Estimate>("estimate", spellings, std::nullopt);
}

void check_formulas(Observable& observable, Diagnostics& diagnostics) {
  symbolic::Graph graph;
  diagnostics.attempt([&] {
    const auto formula = symbolic::parse_maths(graph, observable.formula.text, observable.formula.where);
    const auto noise =
        symbolic::parse_maths(graph, observable.noise_formula.text, observable.noise_formula.where);
    find_placeholders(observable, formula, noise, diagnostics);
    check_noise(observable, noise, diagnostics);
  });
}

}  // namespace

void require_columns(const Table& table, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (!table.column(name)) {
      throw core::Error({table.file, table.header_line}, fmt::format("no column '{}'", name),
                        "add it; columns are separated by tabs");
    }
  }
}

void check_noise(const Observable& observable, const symbolic::Expr& noise, Diagnostics& diagnostics) {
  if (!noise.is_constant() || (noise.value() > 0 && std::isfinite(noise.value()))) return;
  diagnostics.report(observable.where, fmt::format("noiseFormula is {}", noise.value()),
                     "a finite number above zero");
}

void read_parameters(const Table& table, Problem& problem, Diagnostics& diagnostics) {
  require_columns(table, {"parameterId", "parameterScale", "lowerBound", "upperBound", "estimate"});
  for (const Table::Row& cells : table.rows) {
    const Row row(table, cells, diagnostics);
    Parameter parameter{};
    parameter.where = row.where();
    parameter.id = row.required_id("parameterId");
    parameter.name = row.text("parameterName");
    parameter.scale = row.choice<Scale>("parameterScale", scales, std::nullopt);
    parameter.estimate = read_estimate(row);
    const bool estimated = parameter.estimate == Estimate::yes;
    parameter.lower_bound = estimated ? row.required_number("lowerBound") : row.optional_number("lowerBound");
    parameter.upper_bound = estimated ? row.required_number("upperBound") : row.optional_number("upperBound");
    parameter.nominal_value =
        estimated ? row.optional_number("nominalValue") : row.required_number("nominalValue");
    parameter.initialization_prior =
        read_prior(row, "initializationPriorType", "initializationPriorParameters");
    parameter.objective_prior = read_prior(row, "objectivePriorType", "objectivePriorParameters");
    if (!parameter.id.empty()) problem.parameters.push_back(std::move(parameter));
  }
}

void read_conditions(const Table& table, Problem& problem, Diagnostics& diagnostics) {
  require_columns(table, {"conditionId"});
  std::vector<std::string> targets;
  for (const std::string& column : table.columns) {
    if (column == "conditionId" || column == "conditionName") continue;
    const core::Location header{table.file, table.header_line};
    if (!symbolic::is_identifier(column)) {
      throw core::Error(header, fmt::format("column '{}' is no valid id", column),
                        "the id of a parameter, species or compartment");
    }
    targets.push_back(column);
    const auto known = [&](const ConditionTarget& target) { return target.id == column; };
    if (std::none_of(problem.condition_targets.begin(), problem.condition_targets.end(), known)) {
      problem.condition_targets.push_back({column, header});
    }
  }
  for (const Table::Row& cells : table.rows) {
    const Row row(table, cells, diagnostics);
    Condition condition{row.required_id("conditionId"), row.text("conditionName"), {}, row.where()};
    for (const std::string& target : targets) {
      const std::string cell = row.text(target);
      if (cell.empty()) continue;
      if (auto value = row.value(target, cell)) condition.overrides.push_back({target, std::move(*value)});
    }
    if (!condition.id.empty()) problem.conditions.push_back(std::move(condition));
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
    observable.transformation = row.choice<Scale>("observableTransformation", scales, Scale::linear);
    observable.noise_distribution =
        row.choice<NoiseDistribution>("noiseDistribution", noise_distributions, NoiseDistribution::normal);
    const bool complete =
        !observable.id.empty() && !observable.formula.text.empty() && !observable.noise_formula.text.empty();
    if (complete) check_formulas(observable, diagnostics);
    if (!observable.id.empty()) problem.observables.push_back(std::move(observable));
  }
}

void read_measurements(const Table& table, Problem& problem, Diagnostics& diagnostics) {
  require_columns(table, {"observableId", "simulationConditionId", "measurement", "time"});
  for (const Table::Row& cells : table.rows) {
    const Row row(table, cells, diagnostics);
    Measurement measurement{};
    measurement.where = row.where();
    measurement.row = static_cast<int>(problem.measurements.size());
    measurement.observable_id = row.required_id("observableId");
    measurement.preequilibration_condition_id = row.optional_id("preequilibrationConditionId");
    measurement.simulation_condition_id = row.required_id("simulationConditionId");
    measurement.value = row.required_number("measurement");
    measurement.time = row.required_number("time");
    measurement.observable_parameters = row.values("observableParameters");
    measurement.noise_parameters = row.values("noiseParameters");
    measurement.dataset_id = row.text("datasetId");
    measurement.replicate_id = row.text("replicateId");
    if (std::isinf(measurement.value)) row.report("the measurement is infinite", "give a finite number");
    if (measurement.time < 0)
      row.report("the time is negative", "give a time from zero on, or inf for a steady state");
    problem.measurements.push_back(std::move(measurement));
  }
}

}  // namespace kinetune::petab
