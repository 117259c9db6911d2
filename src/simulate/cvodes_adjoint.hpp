#pragma once

#include "simulate/cvodes_system.hpp"

namespace kinetune::simulate {

/// One segment's forward pass, which keeps all its steps, and the way back over it. CVODES' own adjoint
/// module would integrate forward anew between checkpoints; it need not take the same steps then, and writes
/// beyond its memory where it takes more.
class CvodesAdjoint {
 public:
  CvodesAdjoint(const jit::CompiledModel&, const IntegratorOptions&, int n_active, DelayHistory&);

  std::expected<double, IntegrationFailure> forward(const Segment&, std::span<double> x,
                                                    std::span<const double> times, Sink&);
  std::expected<void, IntegrationFailure> backward(std::span<double> adjoint, std::span<double> gradient);
  Statistics take_statistics();

 private:
  static int adjoint_rates(double t, _generic_N_Vector* adjoint, _generic_N_Vector* derivative, void*);
  static int adjoint_jacobian(double t, _generic_N_Vector* adjoint, _generic_N_Vector* derivative,
                              _generic_SUNMatrix*, void*, _generic_N_Vector*, _generic_N_Vector*,
                              _generic_N_Vector*);
  static int gradient_rates(double t, _generic_N_Vector* adjoint, _generic_N_Vector* derivative, void*);

  std::expected<void, IntegrationFailure> go_back(double from, double to);
  int restart(double from);
  void note_sizes(std::span<const double> x);
  void set_floors();

  struct Cotangent {
    double time;
    std::vector<double> value;
    std::vector<double> state_sizes;  // up to then
  };

  CvodesSystem states_;
  StatePath path_;
  const IntegratorOptions& options_;
  Segment segment_{};  // its spans are copied below: the caller's may be gone on the way back
  std::vector<double> prelude_;
  std::vector<int> active_;
  std::vector<Cotangent> cotangents_;  // ascending in time
  std::vector<double> jacobian_, by_parameter_;
  std::unique_ptr<Factorisation> factors_;
  std::vector<double> state_sizes_;      // (n_states) largest so far, on the way back: up to where it is
  std::vector<double> parameter_sizes_;  // (n_active)
  UniqueVector adjoint_, gradient_, adjoint_floors_, gradient_floors_;
  UniqueMatrix matrix_;
  UniqueLinearSolver linear_solver_;
  UniqueCvode cvode_;  // of the way back
  Statistics statistics_;
};

}  // namespace kinetune::simulate
