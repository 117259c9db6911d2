#include <exception>

#include <CLI/CLI.hpp>

#include "commands.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "study/version.hpp"

int main(int argc, char** argv) {
  using namespace kinetune;
  CLI::App app("kinetune estimates the parameters of kinetic models (SBML, PEtab) on MPI clusters",
               "kinetune");
  app.set_version_flag("--version", "kinetune " + study::version());
  app.require_subcommand(1);
  drivers::Action action;
  drivers::add_check(app, action);
  drivers::add_check_gradient(app, action);
  drivers::add_simulate(app, action);
  drivers::add_evaluate(app, action);
  drivers::add_fit(app, action);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  try {
    return action({argc, argv});
  } catch (const core::Error& error) {
    core::log(core::LogLevel::error, "{}", error.what());
    return 2;
  } catch (const std::exception& error) {
    core::log(core::LogLevel::error, "{}", error.what());
    return 1;
  }
}
