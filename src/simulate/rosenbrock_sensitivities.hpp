#pragma once

#include <span>
#include <vector>

#include "simulate/rosenbrock_stages.hpp"
#include "simulate/stage_curvature.hpp"

namespace kinetune::simulate {

/// Forward sensitivities of a Rosenbrock method: the derivatives of what it computes, exact but for rounding.
/// With S = dx/dp and the step's W, each parameter's stages solve
///
///     W U_i = f_x(i) Y_i + f_p(i) + sum_j (c_ij / h) U_j + (f_xx u_i + f_tx h slope_i) S
///             + f_xp u_i + f_tp h slope_i,          Y_i = S + sum_j a_ij U_j
class RosenbrockSensitivities {
 public:
  explicit RosenbrockSensitivities(const RosenbrockStages&);

  /// @param active         differentiated parameter of each column; -1: none
  /// @param sensitivities  (n_states, n_active) row-major
  void begin(std::span<const int> active, std::span<const double> sensitivities);

  /// Follows a step that the stages have just taken.
  void step(double t, double h, const double* x, const double* prelude, const double* stages,
            RosenbrockStages&);
  /// The largest error estimate of a column in the last step, 1 where it is just tolerated: rtol of its own
  /// and a tenth of the states' tolerance per relative change of the parameter.
  /// @param x      (n_states) at the step's start
  /// @param sizes  (n_active) of the parameters
  double error_norm(const IntegratorOptions&, const double* x, std::span<const double> sizes) const;
  /// Within the step.
  /// @param out  (n_states, n_active) row-major
  void interpolate(const DenseWeights&, std::span<double> out) const;
  /// Makes the step's end the start of the next.
  void accept() { start_.swap(end_); }
  /// @param out  (n_states, n_active) row-major, at the start
  void copy_start(std::span<double> out) const;

 private:
  /// Columns that are carried through a step together: (n_states, n_packs of 8 columns), row-major.
  struct Block {
    int first_column;
    int n_packs;
    std::size_t offset;  // of its start in start_, end_; times stages in stages_
    std::vector<ParameterEntry> entries;
    std::vector<int> targets;  // of the entries: doubles behind the block's right-hand side
  };
  /// A matrix by rows.
  struct Rows {
    std::vector<int> starts, columns, values;
  };

  static Rows rows_of(const jit::Pattern&);
  void add_block(int first_column, int n_packs);
  void step_block(const Block&, double h, RosenbrockStages&);

  const jit::CompiledModel& model_;
  const RosenbrockScheme& scheme_;
  int n_, n_active_ = 0;
  Rows jacobian_, second_;
  StageCurvature curvature_;
  std::vector<int> active_;
  std::vector<ParameterEntry> entries_;
  std::vector<Block> blocks_;
  PackVector start_, end_, stages_, right_hand_side_;
};

}  // namespace kinetune::simulate
