#include "study/check.hpp"

#include <iostream>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "commands.hpp"
#include "parallel/mpi_session.hpp"

namespace kinetune::drivers {

void add_check(CLI::App& app, Action& action) {
  auto file = std::make_shared<std::string>();
  CLI::App& command =
      *app.add_subcommand("check", "Report everything that is wrong with a problem or a model");
  command.add_option("file", *file, "PEtab problem (YAML) or SBML model")->required();
  command.callback([file, &action] {
    action = [file](Arguments arguments) {
      return parallel::run_on_first_rank(arguments.count, arguments.values, [&] {
        const study::CheckResult result = study::check(*file);
        (result.n_errors ? std::cerr : std::cout) << result.text;
        return result.n_errors ? 2 : 0;
      });
    };
  });
}

}  // namespace kinetune::drivers
