#pragma once

#include <vector>

#include "simulate/rosenbrock_stages.hpp"

namespace kinetune::simulate {

/// Keeps steps short enough for sensitivities where states rest: a state that does not change has no error,
/// whatever the step, while what a parameter would change there does. While some state rests and the others
/// have hardly an error, a displacement of all states is taken along, as the Jacobian at each step's start
/// moves it, and its error counts: in full where all states rest, and otherwise so far that steps still grow.
/// Each lane has its own.
class RestProbe {
 public:
  explicit RestProbe(RosenbrockStages&);

  /// Forgets a lane's displacement: another piece begins.
  void begin(int lane);

  /// After RosenbrockStages::step: raises the errors of those of the lanes in which the states have hardly
  /// one.
  /// @param h       (width) of the step
  /// @param horizon (width) time to what is asked for next; modes that are over long before it do not count
  /// @param rtol    of the states
  /// @param errors  (width) in units of the tolerance
  void add_errors(LaneBits lanes, const double* h, const double* horizon, const IntegratorOptions&,
                  const double* x, const double* end, double* errors);

  /// The lanes' last steps are taken.
  void accept(LaneBits);

 private:
  void start(int lane, double h, double horizon);
  bool is_bounded(int lane) const;
  int count_resting(int lane, const IntegratorOptions&, const double* start, const double* end) const;
  double error(int lane, double rtol) const;

  RosenbrockStages& stages_;
  LaneBits is_under_way_ = 0, was_tried_ = 0;
  LaneBits has_given_up_ = 0;        // until another piece begins
  PackVector start_, end_, values_;  // (n_states, width), the same, stages
  PackVector largest_;               // (n_states, width) so far
};

}  // namespace kinetune::simulate
