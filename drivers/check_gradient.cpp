#include "study/check_gradient.hpp"

#include <iostream>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "commands.hpp"
#include "core/file.hpp"
#include "integrator_options.hpp"

namespace kinetune::drivers {

void add_check_gradient(CLI::App& app, Action& action) {
  struct Options {
    study::CheckGradientOptions check;
    std::string parameters, table;
    bool json = false;
  };
  auto options = std::make_shared<Options>();
  CLI::App& command = *app.add_subcommand(
      "check-gradient",
      "Compare forward sensitivities, adjoints and central differences; exit code 1 where "
      "they do not agree");
  command.add_option("problem", options->check.problem, "PEtab problem (YAML)")->required();
  command.add_option("--parameters", options->parameters,
                     "first point: table with parameterId and value (linear) or scaledValue; nominal values "
                     "without");
  command.add_option("--points", options->check.n_random, "further points, random within the bounds")
      ->capture_default_str();
  command.add_option("--seed", options->check.seed, "of the random points")->capture_default_str();
  command.add_option("--differences", options->check.n_differences,
                     "points at which differences are taken too, the first ones; all without");
  command.add_option(
      "--directions", options->check.n_directions,
      "take differences along so many random directions a point; along each parameter without");
  command.add_option("--tolerance", options->check.tolerance, "relative difference of gradients, norm-wise")
      ->capture_default_str();
  add_integrator_options(command, options->check.integrator);
  command.add_option("--table", options->table, "file for a line per point and parameter (TSV)");
  command.add_flag("--json", options->json, "print one JSON object");
  command.callback([options, &action] {
    action = [options](Arguments) {
      if (!options->parameters.empty()) options->check.parameters = options->parameters;
      // Points can take minutes each: what is known of them should not be lost with the rest.
      const auto print = [](const study::GradientCheck& check) {
        std::cout << check.text_of(check.points.back()) << std::flush;
      };
      const study::GradientCheck check = options->json ? study::check_gradient(options->check)
                                                       : study::check_gradient(options->check, print);
      if (!options->table.empty()) core::write_file_atomically(options->table, check.to_table());
      std::cout << (options->json ? check.to_json() + "\n" : check.summary());
      return check.can_be_trusted() ? 0 : 1;
    };
  });
}

}  // namespace kinetune::drivers
