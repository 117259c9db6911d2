#include "study/check.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "estimate/join.hpp"
#include "petab/check.hpp"
#include "sbml/read_model.hpp"

namespace kinetune::study {
namespace {

std::string describe(const model::OdeModel& model) {
  std::string text = fmt::format("model {}: {} states, {} parameters, {} derived quantities", model.id,
                                 model.states.size(), model.parameters.size(), model.derived.size());
  if (!model.events.empty()) text += fmt::format(", {} events", model.events.size());
  if (!model.delays.empty()) text += fmt::format(", {} delays", model.delays.size());
  return text + "\n";
}

std::string describe(const petab::Problem& problem) {
  const auto n_estimated =
      std::ranges::count(problem.parameters, petab::Estimate::yes, &petab::Parameter::estimate);
  return fmt::format(
      "problem: {} parameters to be estimated, {} conditions, {} observables, {} measurements\n", n_estimated,
      problem.conditions.size(), problem.observables.size(), problem.measurements.size());
}

void check_model(const std::filesystem::path& file, petab::Diagnostics& diagnostics, std::string& text) {
  diagnostics.attempt([&] {
    const model::OdeModel model = sbml::read_model(file);
    flatten(model);
    text += describe(model);
  });
}

/// Those that can be read.
std::vector<model::OdeModel> read_models(const petab::Problem& problem, petab::Diagnostics& diagnostics) {
  std::vector<model::OdeModel> models;
  for (const petab::Model& model : problem.models) {
    std::error_code none;
    if (!exists(model.file, none)) continue;  // has been reported
    diagnostics.attempt([&] {
      models.push_back(sbml::read_model(model.file));
      for (const core::Error& error : sbml::find_inconsistencies(model.file)) diagnostics.report(error);
    });
  }
  return models;
}

void check_problem(const std::filesystem::path& file, petab::Diagnostics& diagnostics, std::string& text) {
  diagnostics.attempt([&] {
    const petab::Problem problem = petab::read_problem(file, diagnostics);
    const bool tables_are_right = diagnostics.errors().empty();
    if (tables_are_right) check_visualizations(problem, diagnostics);
    const auto models = read_models(problem, diagnostics);
    if (models.size() < problem.models.size()) return;
    estimate::check(problem, models, diagnostics);
    if (tables_are_right && diagnostics.errors().empty()) estimate::join(problem, models);
    for (const model::OdeModel& model : models) text += describe(model);
    text += describe(problem);
  });
}

}  // namespace

CheckResult check(const std::filesystem::path& file) {
  petab::Diagnostics diagnostics;
  std::string description;
  const auto extension = file.extension();
  if (extension == ".yaml" || extension == ".yml")
    check_problem(file, diagnostics, description);
  else
    check_model(file, diagnostics, description);

  std::string text;
  for (const core::Error& error : diagnostics.errors()) text += fmt::format("{}\n", error.what());
  const auto n_errors = static_cast<int>(diagnostics.errors().size());
  text += n_errors == 0 ? description + "no errors\n"
                        : fmt::format("{} error{}\n", n_errors, n_errors == 1 ? "" : "s");
  return {n_errors, text};
}

}  // namespace kinetune::study
