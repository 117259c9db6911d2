#pragma once

#include <memory>

#include "simulate/integrator.hpp"

namespace kinetune::simulate {

/// One of several integrations that are carried out side by side: what Integrator::forward is given, and what
/// comes of it.
struct LaneTask {
  Segment segment;
  std::span<double> x;
  std::span<double> sensitivities;
  std::span<const double> times;
  Sink* sink;
  std::expected<void, IntegrationFailure> done = {};
  Statistics statistics = {};  ///< is added to
};

/// The way back of a task: what Integrator::backward is given, and what comes of it.
struct LaneReturn {
  std::span<double> adjoint;
  std::span<double> gradient;
  std::expected<void, IntegrationFailure> done = {};
  Statistics statistics = {};  ///< is added to
};

/// A Rosenbrock method for several integrations side by side, in the lanes of vector registers: each with its
/// own parameters, times, data, steps, and end. A lane that has come to its end takes the next task. What
/// becomes of a task depends neither on its lane nor on its neighbours, to the last bit; and it is what
/// make_rosenbrock's integrator computes but for rounding. One instance a thread.
class LaneIntegrator {
 public:
  /// @param model  has kernels for lanes, and must outlive the integrator
  /// @param options  its method is one of the Rosenbrock methods
  LaneIntegrator(const jit::CompiledModel& model, const IntegratorOptions& options);
  ~LaneIntegrator();

  int width() const;

  /// Integrates all tasks, however many. A task that fails leaves the others alone.
  void forward(std::span<LaneTask>, Mode);

  /// Goes back over the tasks of the last forward() with Mode::adjoint that has not been gone back over yet.
  /// @param returns  in the order of the tasks; those of tasks that failed are left alone
  void backward(std::span<LaneReturn> returns);

  /// Forgets what backward() would go over.
  void clear_tape();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Whether a LaneIntegrator can carry the model with that method.
bool has_lanes(const jit::ModelCode&, Method);

}  // namespace kinetune::simulate
