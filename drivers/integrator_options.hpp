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

/// An option that takes the names of some choices.
template <class Choice>
void add_choice(CLI::App& command, const std::string& option, Choice& choice,
                std::initializer_list<Choice> choices, const std::string& help) {
  std::map<std::string, Choice> names;
  for (const Choice each : choices) names.emplace(name(each), each);
  command.add_option(option, choice, help)
      ->transform(CLI::CheckedTransformer(names))
      ->default_str(std::string(name(choice)));
}

inline void add_integrator_options(CLI::App& command, simulate::IntegratorOptions& options) {
  using simulate::Method, simulate::SensitivityErrors, simulate::SteadyStateSearch;
  add_choice(command, "--integrator", options.method,
             {Method::automatic, Method::cvodes, Method::rodas5p, Method::rodas4p2}, "method of integration");
  command
      .add_option("--lanes", options.lanes, "simulations that go side by side in vector registers: 1, 4 or 8")
      ->transform(lane_numbers())
      ->default_str("1");
  add_choice(command, "--sensitivity-errors", options.sensitivity_errors,
             {SensitivityErrors::automatic, SensitivityErrors::ignored, SensitivityErrors::controlled},
             "whether those of forward sensitivities count in the steps; auto: by CVODES alone");
  add_choice(command, "--steady-state", options.steady_state,
             {SteadyStateSearch::integrate, SteadyStateSearch::newton},
             "integrate, or Newton's method first, which may find another one");
  command.add_option("--rtol", options.rtol, "relative tolerance of integration")->capture_default_str();
  command.add_option("--atol", options.atol, "absolute tolerance, model units")->capture_default_str();
  command
      .add_option("--max-steps", options.max_steps, "steps that may lie between two jumps of a simulation")
      ->capture_default_str();
}

}  // namespace kinetune::drivers
