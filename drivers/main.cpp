#include <CLI/CLI.hpp>

#include "commands.hpp"
#include "core/error.hpp"
#include "core/log.hpp"

int main(int argc, char** argv) {
  using namespace kinetune;
  CLI::App app("kinetune estimates the parameters of kinetic models", "kinetune");
  app.require_subcommand(1);
  drivers::Action action;
  drivers::add_evaluate(app, action);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  try {
    return action();
  } catch (const core::Error& error) {
    core::log(core::LogLevel::error, "{}", error.what());
    return 2;
  }
}
