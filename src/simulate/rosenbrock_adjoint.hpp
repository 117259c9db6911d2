#pragma once

#include <span>
#include <vector>

#include "simulate/rosenbrock_stages.hpp"
#include "simulate/stage_curvature.hpp"

namespace kinetune::simulate {

/// The discrete adjoint of a Rosenbrock method: the transpose of what RosenbrockSensitivities does, step by
/// step backward, for any number of parameters at once; of one step at a time, or of several side by side.
/// Arrays have the numbers of all steps together, (..., width).
class RosenbrockAdjoint {
 public:
  explicit RosenbrockAdjoint(const RosenbrockStages&);

  /// @param active  differentiated parameter of each entry of the gradient; -1: none
  void begin(std::span<const int> active);

  /// A step as it was taken.
  struct Step {
    const double* t;       ///< (width)
    const double* h;       ///< (width)
    const double* x;       ///< (n_states, width) at its start
    const double* stages;  ///< (n_stages, n_states + 1, width)
  };

  /// Adds d objective / d interpolated states to what the next step back is asked to carry back.
  /// @param cotangent  (n_states), of one lane
  void add_cotangent(const DenseWeights&, std::span<const double> cotangent, int lane = 0);

  /// Goes back over a step that the stages hold. Cotangents within the step have been added before.
  /// @param prelude   (n_prelude, width) that the step was taken with
  /// @param adjoint   (n_states, width) at its end; afterwards at its start
  /// @param gradient  (n_active, width) is added to
  void step_back(const Step&, const double* prelude, RosenbrockStages&, std::span<double> adjoint,
                 std::span<double> gradient);

 private:
  int width() const { return kernels_.width(); }

  const jit::CompiledModel& model_;
  const jit::RateKernels& kernels_;
  const RosenbrockScheme& scheme_;
  int n_;
  StageCurvature curvature_;
  std::vector<int> active_;
  std::vector<ParameterEntry> entries_;
  // Cotangents that wait for step_back, and zeros after it.
  PackVector at_start_, at_end_;  // (n_states)
  PackVector of_stages_;          // (n_stages, n_states), then the stages' adjoints
  PackVector through_rates_;      // (n_states)
  PackVector by_stage_;           // (n_states, n_together): the stages' adjoints side by side
};

}  // namespace kinetune::simulate
