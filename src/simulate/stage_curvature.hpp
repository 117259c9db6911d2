#pragma once

#include <functional>
#include <span>
#include <vector>

#include "jit/compiled_model.hpp"
#include "simulate/packs.hpp"
#include "simulate/rodas_coefficients.hpp"

namespace kinetune::simulate {

/// The second derivatives at a step's start contracted with each of its stages: f_xx u_i + f_tx h slope_i and
/// f_xp u_i + f_tp h slope_i; of one step, or of several side by side. Arrays that hold all stages have
/// max_stages of them together, (..., max_stages, width).
class StageCurvature {
 public:
  static constexpr int n_together = RosenbrockScheme::max_stages;

  /// @param model    must outlive the object; it has its curvature
  /// @param kernels  the model's
  StageCurvature(const jit::CompiledModel& model, const jit::RateKernels& kernels);

  /// An infinite second derivative by what does not move in a stage counts nothing.
  /// @param t       (width)
  /// @param stages  (n_stages, n_states + 1, width)
  void evaluate(const double* t, const double* x, const double* prelude, const double* stages, int n_stages);

  /// Sets f_xx u_i and f_tx h slope_i to 0 where they have no value, as that of x^1.5 at x = 0, and no
  /// parameter moves the state.
  /// @param rests  whether none moves it, by state and lane
  void leave_out_by(const std::function<bool(int state, int lane)>& rests);

  /// In the order of the contraction's pattern; behind them zeros for what has no second derivative.
  const double* by_state() const { return by_state_.data(); }
  const double* by_parameter() const { return by_parameter_.data(); }

 private:
  void leave_out_what_stays(const jit::Contraction&, PackVector& sums);

  const jit::Curvature& curvature_;
  const jit::RateKernels& kernels_;
  int n_states_;
  PackVector second_;
  PackVector directions_;  // (n_states + 1, n_together, width)
  PackVector by_state_, by_parameter_;
  bool has_values_ = true;  // all of the last evaluation
};

/// How a segment's parameters enter: entry (row, column) of d rates / d active parameter.
struct ParameterEntry {
  int row;
  int column;
  int first;   ///< index into rates_by_parameter
  int second;  ///< index into StageCurvature::by_parameter
};

/// @param active  differentiated parameter of each column; -1: none
std::vector<ParameterEntry> parameter_entries(const jit::ModelCode&, std::span<const int> active);

}  // namespace kinetune::simulate
