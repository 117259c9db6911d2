#pragma once

#include <span>

#include "simulate/integrator.hpp"

namespace kinetune::simulate {

/// Chooses the steps of a one-step method from its error estimates (Hairer and Wanner, Solving Ordinary
/// Differential Equations II, section IV.8).
class StepControl {
 public:
  /// Of the step that the error estimate suggests.
  static constexpr double safety = 0.9;

  /// @param longest  what a step should not exceed; 0: anything
  StepControl(int order, double start, double end, double longest);

  /// Guesses the first step from the states and their rates.
  void begin(const IntegratorOptions&, std::span<const double> x, std::span<const double> rates);

  /// The step to try from t: what is left is not cut into a step and a sliver.
  double next(double t);
  /// Where a step ends: exactly the end, if it is the last.
  double end_of(double t, double h) const { return is_last_ ? end_ : t + h; }

  /// @param error  of the step tried, in units of the tolerance; NaN where it has no value
  bool accepts(double error);
  /// Whether the next step would not move t.
  bool is_stuck(double t) const;
  IntegrationError why_stuck() const { return why_; }

 private:
  int order_;
  double start_, end_, longest_;
  double step_ = 0, tried_ = 0;
  bool is_last_ = false, was_rejected_ = false;
  IntegrationError why_ = IntegrationError::error_test;
};

}  // namespace kinetune::simulate
