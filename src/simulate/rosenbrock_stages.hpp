#pragma once

#include <memory>
#include <vector>

#include "simulate/linear_solver.hpp"
#include "simulate/rodas_coefficients.hpp"

namespace kinetune::simulate {

/// The stages of Rosenbrock steps for the states, with what their derivatives need.
class RosenbrockStages {
 public:
  enum class With {
    rates,
    derivatives  ///< evaluated together with the rates, at every stage
  };

  /// @param model, scheme  must outlive the object; the model has its curvature
  RosenbrockStages(const jit::CompiledModel& model, const RosenbrockScheme& scheme, LinearSolver);

  const RosenbrockScheme& scheme() const { return scheme_; }
  const jit::CompiledModel& model() const { return model_; }
  /// Doubles from one stage to the next: the states, then h slope_i, the stage's component along time.
  int stride() const { return n_ + 1; }
  int size() const { return scheme_.n_stages * stride(); }  ///< of all stages

  /// @param prelude  of the steps to come; must stay
  void begin(const double* prelude, With);

  /// Sets where the next steps start. False where rates or their derivatives are no finite numbers.
  bool set_start(double t, const double* x);
  std::span<const double> rates_at_start() const {
    return {derivatives_.data(), static_cast<std::size_t>(n_)};
  }

  /// Steps from the start by h.
  /// @param stages  (size()) u_i, also the error estimate: the last
  /// @param end     (n_states)
  /// @returns false when the matrix is singular; what is not finite shows in the error estimate
  bool step(double h, double* stages, double* end);

  /// Makes the derivatives and the matrix of a step that was taken before: With::derivatives.
  bool restore(double t, double h, const double* x, const double* stages);

  /// Of the last step, With::derivatives: values in the order of the patterns.
  const double* jacobian(int stage) const { return derivatives_.data() + stage * evaluation_size_ + n_; }
  const double* by_parameter(int stage) const { return jacobian(stage) + n_jacobian_; }
  Factorisation& matrix() { return *matrix_; }

  long rate_evaluations() const { return rate_evaluations_; }
  long jacobian_evaluations() const { return jacobian_evaluations_; }

 private:
  bool factor(double h);
  void evaluate(int stage, double t, const double* x);
  void evaluate(int stage, double t, const double* x, const double* prelude, double* all) const;

  const jit::CompiledModel& model_;
  const RosenbrockScheme& scheme_;
  int n_, n_jacobian_, evaluation_size_;
  const double* prelude_ = nullptr;
  With with_ = With::rates;
  double t_ = 0;
  std::vector<double> x_, y_;
  std::vector<double> as_written_;   // prelude with the switches as a point has them; empty without switches
  std::vector<double> derivatives_;  // (n_stages, rates, Jacobian, by parameter)
  std::vector<double> by_time_;      // at the start
  std::vector<int> diagonal_;        // entries of the Jacobian
  std::vector<double> matrix_values_;
  std::unique_ptr<Factorisation> matrix_;
  long rate_evaluations_ = 0, jacobian_evaluations_ = 0;
};

}  // namespace kinetune::simulate
