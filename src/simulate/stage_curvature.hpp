#pragma once

#include <span>
#include <vector>

#include "jit/compiled_model.hpp"
#include "simulate/rodas_coefficients.hpp"

namespace kinetune::simulate {

/// Eight numbers side by side, of stages or of columns, that one vector instruction serves.
struct alignas(64) Lanes {
  static constexpr int width = 8;
  double values[width] = {};
};
static_assert(RosenbrockScheme::max_stages <= Lanes::width);
inline double* numbers(Lanes* lanes) { return reinterpret_cast<double*>(lanes); }
inline const double* numbers(const Lanes* lanes) { return reinterpret_cast<const double*>(lanes); }

/// The second derivatives at a step's start contracted with each of its stages: f_xx u_i + f_tx h slope_i and
/// f_xp u_i + f_tp h slope_i.
class StageCurvature {
 public:
  /// @param model  must outlive the object; it has its curvature
  explicit StageCurvature(const jit::CompiledModel& model);

  /// @param stages  (n_stages, n_states + 1)
  void evaluate(double t, const double* x, const double* prelude, const double* stages, int n_stages);

  /// In the order of the contraction's pattern; behind them a 0 for what has no second derivative.
  const Lanes* by_state() const { return by_state_.data(); }
  const Lanes* by_parameter() const { return by_parameter_.data(); }

 private:
  const jit::CompiledModel& model_;
  std::vector<double> second_;
  std::vector<Lanes> directions_;  // (n_states + 1)
  std::vector<Lanes> by_state_, by_parameter_;
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
