#pragma once

#include <map>
#include <string>

#include <CLI/CLI.hpp>

#include "simulate/integrator.hpp"

namespace kinetune::drivers {

/// auto, 1, 4 or 8, as IntegratorOptions has it.
inline CLI::CheckedTransformer lane_numbers() {
  return CLI::CheckedTransformer(std::map<std::string, int>{{"auto", 0}, {"1", 1}, {"4", 4}, {"8", 8}});
}

inline void add_integrator_options(CLI::App& command, simulate::IntegratorOptions& options) {
  std::map<std::string, simulate::Method> names;
  for (const auto method : {simulate::Method::automatic, simulate::Method::cvodes, simulate::Method::rodas5p,
                            simulate::Method::rodas4p2}) {
    names.emplace(simulate::name(method), method);
  }
  command.add_option("--integrator", options.method, "method of integration")
      ->transform(CLI::CheckedTransformer(names))
      ->default_str(std::string(simulate::name(options.method)));
  command
      .add_option("--lanes", options.lanes, "simulations that go side by side in vector registers: 1, 4 or 8")
      ->transform(lane_numbers())
      ->default_str("1");
  std::map<std::string, simulate::SensitivityErrors> errors;
  for (const auto choice : {simulate::SensitivityErrors::automatic, simulate::SensitivityErrors::ignored,
                            simulate::SensitivityErrors::controlled})
    errors.emplace(simulate::name(choice), choice);
  command
      .add_option("--sensitivity-errors", options.sensitivity_errors,
                  "whether those of forward sensitivities count in the steps; auto: by CVODES alone")
      ->transform(CLI::CheckedTransformer(errors))
      ->default_str(std::string(simulate::name(options.sensitivity_errors)));
  std::map<std::string, simulate::SteadyStateSearch> searches;
  for (const auto search : {simulate::SteadyStateSearch::integrate, simulate::SteadyStateSearch::newton})
    searches.emplace(simulate::name(search), search);
  command
      .add_option("--steady-state", options.steady_state,
                  "integrate, or Newton's method first, which may find another one")
      ->transform(CLI::CheckedTransformer(searches))
      ->default_str(std::string(simulate::name(options.steady_state)));
  command.add_option("--rtol", options.rtol, "relative tolerance of integration")->capture_default_str();
  command.add_option("--atol", options.atol, "absolute tolerance, model units")->capture_default_str();
  command
      .add_option("--max-steps", options.max_steps, "steps that may lie between two jumps of a simulation")
      ->capture_default_str();
}

}  // namespace kinetune::drivers
