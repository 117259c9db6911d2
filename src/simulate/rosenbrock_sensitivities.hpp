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
///
/// Of one integration, or of several side by side, each with its own parameters; arrays that come from
/// RosenbrockStages are as it has them.
class RosenbrockSensitivities {
 public:
  explicit RosenbrockSensitivities(const RosenbrockStages&);

  /// @param n_columns  that any of the integrations has
  void begin(std::size_t n_columns);
  /// What a lane goes on with.
  /// @param active         differentiated parameter of each column; -1: none
  /// @param sensitivities  (n_states, n_active) row-major
  void load(std::span<const int> active, std::span<const double> sensitivities, int lane = 0);

  /// Follows steps that the stages have just taken.
  void step(const double* t, const double* h, const double* x, const double* prelude, const double* stages,
            RosenbrockStages&);
  /// The largest error estimate of a lane's column in the last step, 1 where it is just tolerated: rtol of
  /// its own and a tenth of the states' tolerance per relative change of the parameter.
  /// @param x      (n_states, width) at the step's start
  /// @param sizes  (n_active) of the lane's parameters
  double error_norm(const IntegratorOptions&, const double* x, std::span<const double> sizes,
                    int lane = 0) const;
  /// Of a lane, within the step.
  /// @param out  (n_states, n_active) row-major
  void interpolate(const DenseWeights&, std::span<double> out, int lane = 0) const;
  /// Makes the step's end the start of the next, in those lanes.
  void accept(LaneBits lanes = 1);
  /// @param out  (n_states, n_active) row-major, of a lane at the start
  void copy_start(std::span<double> out, int lane = 0) const;

 private:
  /// Where a number of the right-hand sides comes from.
  struct Entry {
    std::size_t target, first, second;
  };
  /// Columns that are carried through a step together: (n_states, n_columns, width). Of one integration
  /// columns fill vector registers, of several the lanes do.
  struct Block {
    std::size_t first_column, n_columns;
    std::size_t offset;                       // of its start in start_, end_; times stages in stages_
    std::vector<std::vector<Entry>> entries;  // by lane
  };
  /// A matrix by rows.
  struct Rows {
    std::vector<int> starts, columns, values;
  };

  static Rows rows_of(const jit::Pattern&);
  std::size_t row_length(const Block& block) const { return block.n_columns * width_; }
  void add_block(std::size_t first_column, std::size_t n_columns);
  void choose_entries(std::span<const int> active, int lane);
  void step_block(const Block&, const double* h, RosenbrockStages&);
  bool rests(int state, int lane) const;
  template <class Use>
  void for_each_number(int lane, Use&& use) const;

  const jit::CompiledModel& model_;
  const RosenbrockScheme& scheme_;
  int n_, width_;
  std::size_t n_columns_ = 0;
  Rows jacobian_, second_;
  StageCurvature curvature_;
  std::vector<std::vector<int>> active_;  // by lane
  std::vector<Block> blocks_;
  PackVector start_, end_, stages_, right_hand_side_, c_over_h_;
};

/// Of the parameters that a segment's columns are by; 0 where there is none.
std::vector<double> column_sizes(const Segment&, const jit::ModelCode&);

}  // namespace kinetune::simulate
