#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "optimize/local.hpp"

namespace kinetune::optimize {

/// The stopping rules of LocalOptions that look at iterates, the same for every method.
class StoppingRules {
 public:
  explicit StoppingRules(const LocalOptions& options) : options_(options) {}

  /// Takes the iterates in order, the start first.
  std::optional<Termination> judge(const Iterate&);

 private:
  bool has_small_change(double fval);
  bool has_small_step(std::span<const double> x) const;

  LocalOptions options_;
  std::deque<double> fvals_;  ///< the last fval_window and the one before them
  std::vector<double> x_;     ///< the iterate before
};

}  // namespace kinetune::optimize
