#include "study/evaluate.hpp"

#include <iostream>
#include <map>
#include <memory>

#include <CLI/CLI.hpp>

#include "commands.hpp"
#include "integrator_options.hpp"
#include "parallel/mpi_session.hpp"

namespace kinetune::drivers {

void add_evaluate(CLI::App& app, Action& action) {
  struct Options {
    study::EvaluateOptions evaluate;
    std::string parameters;
    bool json = false;
  };
  auto options = std::make_shared<Options>();
  CLI::App& command = *app.add_subcommand("evaluate", "Objective and gradient at given parameters");
  command.add_option("problem", options->evaluate.problem, "PEtab problem (YAML)")->required();
  command.add_option("--parameters", options->parameters,
                     "table with parameterId and value (linear) or scaledValue; nominal values without");
  const std::map<std::string, study::Derivatives> names{{"none", study::Derivatives::none},
                                                        {"forward", study::Derivatives::forward},
                                                        {"adjoint", study::Derivatives::adjoint}};
  command.add_option("--sensitivities", options->evaluate.derivatives, "how the gradient is computed")
      ->transform(CLI::CheckedTransformer(names))
      ->default_str("forward");
  add_integrator_options(command, options->evaluate.integrator);
  command.add_option("--repeat", options->evaluate.repeat, "evaluations to take the median time of")
      ->capture_default_str();
  command.add_flag("--json", options->json, "print one JSON object");
  command.callback([options, &action] {
    action = [options](Arguments arguments) {
      return parallel::run_on_first_rank(arguments.count, arguments.values, [&] {
        if (!options->parameters.empty()) options->evaluate.parameters = options->parameters;
        const study::EvaluateResult result = study::evaluate(options->evaluate);
        std::cout << (options->json ? result.to_json() + "\n" : result.to_text());
        return result.terms ? 0 : 1;
      });
    };
  });
}

}  // namespace kinetune::drivers
