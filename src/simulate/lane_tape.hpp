#pragma once

#include <span>
#include <vector>

#include "simulate/lane_integrator.hpp"
#include "simulate/packs.hpp"

namespace kinetune::simulate {

/// The steps of integrations side by side, and what was asked for on the way. A step of all lanes is taped as
/// one; in a lane that did not accept it, it counts for nobody.
class LaneTape {
 public:
  struct Task {
    std::vector<double> prelude;
    std::vector<int> active;
    std::vector<std::vector<double>> at_start;  ///< cotangents
    bool has_failed = false;
  };
  struct Cotangent {
    std::size_t step;
    int lane;
    double theta;  ///< where in the step
    std::vector<double> value;
  };
  /// What one call of LaneIntegrator::forward leaves.
  struct Batch {
    std::size_t first_step;
    std::vector<Task> tasks;
    std::vector<Cotangent> cotangents;  ///< by step, ascending
  };
  struct Step {
    const int* owners;     ///< (width) the task that each lane's step belongs to; -1: none
    const double* t;       ///< (width)
    const double* h;       ///< (width)
    const double* x;       ///< (n_states, width)
    const double* stages;  ///< as RosenbrockStages has them; nullptr where they are not kept
  };

  /// @param stages_size  doubles of a step's stages
  /// @param kept         doubles of stages that are kept at most
  LaneTape(int width, int n_states, std::size_t stages_size, std::size_t kept);

  void begin(std::span<const LaneTask>);
  Batch& batch() { return batches_.back(); }
  void add_step(std::span<const int> owners, const double* t, const double* h, const double* x,
                const double* stages);
  std::size_t n_steps() const { return n_steps_; }
  Step step(std::size_t i) const;
  /// Has the processor bring a step near that is wanted soon.
  void fetch(std::size_t i) const;
  /// Takes the last batch off; its steps stay until they are cut off.
  Batch take_batch();
  void shorten(std::size_t n_steps);
  void clear();

 private:
  std::size_t width_, step_size_, stages_size_, kept_;
  std::size_t n_steps_ = 0, n_with_stages_ = 0;
  std::vector<int> owners_;
  PackVector steps_;   // of each {t, h, x}
  PackVector stages_;  // of the first n_with_stages_
  std::vector<Batch> batches_;
};

}  // namespace kinetune::simulate
