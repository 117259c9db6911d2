#pragma once

#include <span>
#include <vector>

#include "simulate/rosenbrock_stages.hpp"
#include "simulate/stage_curvature.hpp"

namespace kinetune::simulate {

/// The discrete adjoint of a Rosenbrock method: the transpose of what RosenbrockSensitivities does, step by
/// step backward, for any number of parameters at once.
class RosenbrockAdjoint {
 public:
  explicit RosenbrockAdjoint(const RosenbrockStages&);

  /// @param active  differentiated parameter of each entry of the gradient; -1: none
  void begin(std::span<const int> active);

  /// A step as it was taken.
  struct Step {
    double t, h;
    const double* x;       ///< (n_states) at its start
    const double* stages;  ///< (n_stages, n_states + 1)
  };

  /// Adds d objective / d interpolated states to what the step before is asked to carry back.
  void add_cotangent(const DenseWeights&, std::span<const double> cotangent);

  /// Goes back over a step that the stages hold. Cotangents within the step have been added before.
  /// @param prelude   (n_prelude) that the step was taken with
  /// @param adjoint   (n_states) at its end; afterwards at its start
  /// @param gradient  (n_active) is added to
  void step_back(const Step&, const double* prelude, RosenbrockStages&, std::span<double> adjoint,
                 std::span<double> gradient);

 private:
  void add_second_derivatives(std::span<double> adjoint, std::span<double> gradient) const;

  const jit::CompiledModel& model_;
  const RosenbrockScheme& scheme_;
  int n_;
  StageCurvature curvature_;
  std::vector<int> active_;
  std::vector<ParameterEntry> entries_;
  // Cotangents that wait for step_back, and zeros after it.
  std::vector<double> at_start_, at_end_;  // (n_states)
  std::vector<double> of_stages_;          // (n_stages, n_states), then the stages' adjoints
  std::vector<double> through_rates_;      // (n_states)
  std::vector<Lanes> by_stage_;            // (n_states): the stages' adjoints side by side
};

}  // namespace kinetune::simulate
