#pragma once

#include "simulate/lane_tape.hpp"
#include "simulate/rosenbrock_adjoint.hpp"

namespace kinetune::simulate {

/// The way back of integrations side by side: lanes take up the tasks in the order, reversed, in which they
/// came to them on the way there.
class LaneBackward {
 public:
  /// @param stages  must outlive the object
  explicit LaneBackward(RosenbrockStages& stages);

  /// As LaneIntegrator::backward, over the tape's last batch.
  void run(LaneTape&, std::span<LaneReturn>);

 private:
  /// A batch on the way back.
  struct Way {
    const LaneTape::Batch& batch;
    std::span<LaneReturn> returns;

    bool counts(int task) const {
      return task >= 0 && !batch.tasks[task].has_failed && returns[task].done.has_value();
    }
  };

  void choose_columns(const LaneTape::Batch&);
  void step_back(const Way&, const LaneTape::Step&);
  const double* restore(const Way&, const LaneTape::Step&);
  void load(int lane, int task, const Way&);
  void unload(int lane, const Way&);
  LaneBits lanes_that_count(const Way&, const LaneTape::Step&) const;

  RosenbrockStages& stages_;
  RosenbrockAdjoint adjoint_;
  int n_, width_;
  std::vector<int> columns_;       // the differentiated parameters that act in any task, ascending
  std::vector<int> loaded_;        // (width) the task in each lane; -1: none
  PackVector prelude_;             // (n_prelude, width)
  PackVector lambda_;              // (n_states, width)
  PackVector gradient_;            // (n_columns, width)
  PackVector stage_values_, end_;  // of a step whose stages are not kept
  PackVector lambda_before_, gradient_before_;
};

}  // namespace kinetune::simulate
