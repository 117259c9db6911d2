#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace kinetune::drivers {

/// What the chosen subcommand will do once all options are read; returns the exit code.
using Action = std::function<int()>;

// Each adds one subcommand with its options; parsing it sets the action.
void add_evaluate(CLI::App&, Action&);

}  // namespace kinetune::drivers
