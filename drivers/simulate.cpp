#include "study/simulate.hpp"

#include <filesystem>
#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include "commands.hpp"
#include "core/file.hpp"
#include "integrator_options.hpp"
#include "parallel/mpi_session.hpp"

namespace kinetune::drivers {
namespace {

bool is_problem(const std::filesystem::path& file) {
  return file.extension() == ".yaml" || file.extension() == ".yml";
}

struct Options {
  std::string input, output, parameters;
  study::SimulateModelOptions model;
};

int run(Options& options) {
  options.model.integrator.validate();
  std::string text;
  if (is_problem(options.input)) {
    study::SimulateProblemOptions problem{options.input, {}, options.model.integrator};
    if (!options.parameters.empty()) problem.parameters = options.parameters;
    text = study::simulate_problem(problem);
  } else {
    options.model.model = options.input;
    text = study::simulate_model(options.model);
  }
  if (options.output.empty())
    std::cout << text;
  else
    core::write_file_atomically(options.output, text);
  return 0;
}

}  // namespace

void add_simulate(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  auto& model = options->model;
  CLI::App& command =
      *app.add_subcommand("simulate", "Trajectories of a model, or what a problem's model says for its data");
  command.add_option("input", options->input, "SBML model, or PEtab problem (YAML)")->required();
  command.add_option("-o,--output", options->output, "file to write; standard output without");
  command.add_option("--parameters", options->parameters,
                     "of a problem: table with parameterId and value or scaledValue");
  command.add_option("--start", model.start, "of a model: first time to print")->capture_default_str();
  command.add_option("--duration", model.duration, "from the first time to the last")->capture_default_str();
  command.add_option("--steps", model.steps, "equal intervals between them")->capture_default_str();
  command.add_option("--variables", model.variables, "ids to print, a,b,c; all that vary without")
      ->delimiter(',');
  command.add_option("--amounts", model.amounts, "species among them to print as amounts")->delimiter(',');
  command
      .add_option("--concentrations", model.concentrations, "species among them to print as concentrations")
      ->delimiter(',');
  add_integrator_options(command, model.integrator);
  command.callback([options, &action] {
    action = [options](Arguments arguments) {
      return parallel::run_on_first_rank(arguments.count, arguments.values, [&] { return run(*options); });
    };
  });
}

}  // namespace kinetune::drivers
