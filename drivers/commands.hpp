#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace kinetune::drivers {

/// The command line as the program got it: MPI may take its own arguments out.
struct Arguments {
  int& count;
  char**& values;
};

/// What the chosen subcommand will do once all options are read; returns the exit code.
using Action = std::function<int(Arguments)>;

// Each adds one subcommand with its options; parsing it sets the action.
void add_check(CLI::App&, Action&);
void add_check_gradient(CLI::App&, Action&);
void add_simulate(CLI::App&, Action&);
void add_evaluate(CLI::App&, Action&);
void add_fit(CLI::App&, Action&);

}  // namespace kinetune::drivers
