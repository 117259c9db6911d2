#pragma once

#include <memory>
#include <vector>

#include "simulate/linear_solver.hpp"
#include "simulate/rodas_coefficients.hpp"

namespace kinetune::simulate {

/// Where all of n numbers are finite. @param values  (n, width)
LaneBits finite_lanes(int width, const double* values, int n);

/// The stages of Rosenbrock steps for the states, with what their derivatives need; of one step, or of
/// several side by side, each with its own model parameters, time and length. Arrays have the numbers of all
/// steps together, (..., width).
class RosenbrockStages {
 public:
  enum class With {
    rates,
    derivatives  ///< evaluated together with the rates, at every stage
  };

  /// @param model, scheme  must outlive the object; the model has its curvature
  /// @param kernels        the model's; the linear solver can be chosen for one step only
  RosenbrockStages(const jit::CompiledModel& model, const jit::RateKernels& kernels,
                   const RosenbrockScheme& scheme, LinearSolver);

  int width() const { return kernels_.width(); }
  const jit::RateKernels& kernels() const { return kernels_; }
  const RosenbrockScheme& scheme() const { return scheme_; }
  const jit::CompiledModel& model() const { return model_; }
  /// Doubles from one stage to the next: the states, then h slope_i, the stage's component along time.
  int stride() const { return (n_ + 1) * width(); }
  int size() const { return scheme_.n_stages * stride(); }  ///< of all stages

  /// @param prelude  of the steps to come; must stay
  void begin(const double* prelude, With);

  /// Sets where the next steps start.
  /// @param t  (width)
  /// @returns where rates and their derivatives are finite numbers
  LaneBits set_start(const double* t, const double* x);
  /// (n_states, width)
  std::span<const double> rates_at_start() const {
    return {derivatives_.data(), static_cast<std::size_t>(n_ * width())};
  }

  /// Steps from the start by h.
  /// @param h       (width)
  /// @param stages  (size()) u_i, also the error estimate: the last
  /// @param end     (n_states, width)
  /// @returns where the matrix is not singular; what is not finite shows in the error estimate
  LaneBits step(const double* h, double* stages, double* end);

  /// What the step from the start by h makes of a small displacement of the states, with the Jacobian as at
  /// the start throughout. After step().
  /// @param displacement  (n_states, width)
  /// @param stages        (size()) also its error estimate: the last
  /// @param end           (n_states, width)
  void displace(const double* displacement, double* stages, double* end);

  /// The error estimates of the step, in units of the tolerances, which are no smaller than rounding errors;
  /// what has no value, NaN.
  /// @param start, end, stages  of the step
  /// @param norms               (width)
  void error_norms(const IntegratorOptions&, const double* start, const double* end, const double* stages,
                   double* norms) const;
  /// The state that a lane's error estimate is largest of, or has no value.
  int worst_state(const IntegratorOptions&, const double* start, const double* stages, int lane = 0) const;
  /// The states of a lane within the step.
  /// @param out  (n_states)
  void interpolate(const DenseWeights&, const double* start, const double* end, const double* stages,
                   int lane, double* out) const;

  /// Makes the derivatives and the matrix of steps that were taken before: With::derivatives.
  LaneBits restore(const double* t, const double* h, const double* x, const double* stages);

  /// Of the last step, With::derivatives: values in the order of the patterns.
  const double* jacobian(int stage) const {
    return derivatives_.data() + (stage * evaluation_size_ + n_) * width();
  }
  const double* by_parameter(int stage) const { return jacobian(stage) + n_jacobian_ * width(); }
  Factorisation& matrix() { return *matrix_; }

  long rate_evaluations() const { return rate_evaluations_; }  ///< of all steps together
  long jacobian_evaluations() const { return jacobian_evaluations_; }

 private:
  LaneBits factor(const double* h);
  void evaluate(int stage, const double* t, const double* x);
  void evaluate(int stage, const double* t, const double* x, const double* prelude, double* all) const;
  const double* stage_times(int stage, const double* t, const double* h);
  void combine_states(int stage, const double* x, const double* stages, double* y);

  const jit::CompiledModel& model_;
  const jit::RateKernels& kernels_;
  const RosenbrockScheme& scheme_;
  int n_, n_jacobian_, evaluation_size_;
  const double* prelude_ = nullptr;
  With with_ = With::rates;
  PackVector t_, stage_t_, x_, y_, product_;
  PackVector ones_, inverse_h_;     // scales of combinations
  std::vector<double> as_written_;  // prelude with the switches as a point has them; empty without switches
  PackVector derivatives_;          // (n_stages, rates, Jacobian, by parameter)
  PackVector by_time_;              // at the start
  std::vector<int> diagonal_;       // entries of the Jacobian
  PackVector matrix_values_;
  PackVector rounding_, floors_;  // (n_states, width) of the rates at the start; what the step makes of it
  std::unique_ptr<Factorisation> matrix_;
  long rate_evaluations_ = 0, jacobian_evaluations_ = 0;
};

}  // namespace kinetune::simulate
