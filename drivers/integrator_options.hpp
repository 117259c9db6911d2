#pragma once

#include <CLI/CLI.hpp>

#include "simulate/integrator.hpp"

namespace kinetune::drivers {

inline void add_integrator_options(CLI::App& command, simulate::IntegratorOptions& options) {
  command.add_option("--rtol", options.rtol, "relative tolerance of integration")->capture_default_str();
  command.add_option("--atol", options.atol, "absolute tolerance, model units")->capture_default_str();
  command
      .add_option("--max-steps", options.max_steps, "steps that may lie between two jumps of a simulation")
      ->capture_default_str();
}

}  // namespace kinetune::drivers
