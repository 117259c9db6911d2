#pragma once

#include <memory>

#include "jit/model_code.hpp"
#include "jit/rate_kernels.hpp"

namespace kinetune::jit {

/// Native code loaded into this process. Calls are thread-safe, allocate nothing and check nothing: arrays
/// have the sizes that code() states. Rates and their derivatives take the switches as the prelude has them;
/// initial values, outputs and observables follow time and states by themselves.
class CompiledModel {
 public:
  /// @throws core::Error when the code was made for another processor or cannot be loaded
  explicit CompiledModel(ModelCode);
  ~CompiledModel();
  CompiledModel(CompiledModel&&) noexcept;
  CompiledModel& operator=(CompiledModel&&) noexcept;

  const ModelCode& code() const { return code_; }
  int n_states() const { return code_.n_states; }
  int n_differentiated() const { return static_cast<int>(code_.differentiated.size()); }

  /// All that depends on parameters (n_parameters, linear scale) alone, for `prelude` in the other calls
  /// (n_prelude). Leaves the switches at its end as they are.
  void prelude(const double* parameters, double* prelude) const {
    prelude_(0, nullptr, nullptr, parameters, prelude);
  }

  void initials(double t, const double* prelude, double* x) const {
    initials_(t, nullptr, prelude, nullptr, x);
  }
  /// Values in the order of code().initials_by_parameter.
  void initials_by_parameter(double t, const double* prelude, double* values) const {
    initials_by_parameter_(t, nullptr, prelude, nullptr, values);
  }

  void rates(double t, const double* x, const double* prelude, double* dx) const {
    rates_(t, x, prelude, nullptr, dx);
  }
  /// Values in the order of code().jacobian.
  void jacobian(double t, const double* x, const double* prelude, double* values) const {
    jacobian_(t, x, prelude, nullptr, values);
  }
  /// Values in the order of code().rates_by_parameter.
  void rates_by_parameter(double t, const double* x, const double* prelude, double* values) const {
    rates_by_parameter_(t, x, prelude, nullptr, values);
  }
  /// Rates (n_states), then the Jacobian's values, then those by parameter: cheaper than one by one.
  void rates_and_derivatives(double t, const double* x, const double* prelude, double* all) const {
    rates_and_derivatives_(t, x, prelude, nullptr, all);
  }

  /// Derivatives by time of the rates in code().curvature.rates_by_time. Only where curvature is present.
  void rates_by_time(double t, const double* x, const double* prelude, double* values) const {
    rates_by_time_(t, x, prelude, nullptr, values);
  }
  /// The numbers that code().curvature's contractions are made of (n_values). Only where it is present.
  void second_derivatives(double t, const double* x, const double* prelude, double* values) const {
    second_derivatives_(t, x, prelude, nullptr, values);
  }

  /// The kernels of a Rosenbrock method's steps: for one point, or for code().lanes points side by side. Only
  /// where curvature is present.
  const RateKernels& of_one_point() const { return of_one_point_; }
  const RateKernels& of_lanes() const { return of_lanes_; }

  /// The source's outputs (n_outputs).
  void outputs(double t, const double* x, const double* prelude, double* values) const {
    outputs_(t, x, prelude, nullptr, values);
  }

  /// What each switch looks at (n_switches). Of the prelude's switches it reads those before it.
  void switch_arguments(double t, const double* x, const double* prelude, double* values) const {
    switch_arguments_(t, x, prelude, nullptr, values);
  }
  /// Derivatives by time of the arguments that the clock drives, 0 for the others (n_switches).
  void switch_slopes(const double* x, const double* prelude, double* values) const {
    switch_slopes_(0, x, prelude, nullptr, values);
  }
  /// Derivatives of the arguments, as code().switch_derivatives has them.
  void switch_derivatives(double t, const double* x, const double* prelude, double* values) const {
    switch_derivatives_(t, x, prelude, nullptr, values);
  }
  /// What sin, cos and tan in the arguments that move are taken of (n_phases).
  void phases(double t, const double* x, const double* prelude, double* values) const {
    phases_(t, x, prelude, nullptr, values);
  }
  /// Of each constraint {residual, the sum of its terms' absolute values, its derivative by the state that it
  /// determines}, with the prelude's switches (3 n_constraints).
  void constraints(double t, const double* x, const double* prelude, double* values) const {
    constraints_(t, x, prelude, nullptr, values);
  }
  /// Derivatives of the residuals, as code().constraint_derivatives has them.
  void constraint_derivatives(double t, const double* x, const double* prelude, double* values) const {
    constraint_derivatives_(t, x, prelude, nullptr, values);
  }
  /// Sets the prelude's switches to what time and states say. Allocates.
  void set_switches(double t, const double* x, double* prelude) const;
  /// Whether each event's trigger holds, with the prelude's switches (n_events): 0 if not.
  void triggers(double t, const double* x, const double* prelude, double* values) const {
    triggers_(t, x, prelude, nullptr, values);
  }
  /// What event i is about to do: {delay, priority, values (n_targets), factors (n_targets)}.
  void event(int i, double t, const double* x, const double* prelude, double* all) const {
    events_[i](t, x, prelude, nullptr, all);
  }
  /// Derivatives of that, as code().events[i].derivatives has them. Not without differentiated parameters.
  void event_derivatives(int i, double t, const double* x, const double* prelude, double* values) const {
    event_derivatives_[i](t, x, prelude, nullptr, values);
  }

  /// How long ago each delay looks (n_delays).
  void lags(double t, const double* x, const double* prelude, double* values) const {
    lags_(t, x, prelude, nullptr, values);
  }
  /// What each delay looks at, at the time at which it looks: from the start on, and before it (n_delays).
  void delayed_values(double t, const double* x, const double* prelude, double* values) const {
    delayed_values_(t, x, prelude, nullptr, values);
  }
  void delayed_values_before(double t, const double* prelude, double* values) const {
    delayed_values_before_(t, nullptr, prelude, nullptr, values);
  }

  /// {value, noise} of observable i.
  void observable(int i, double t, const double* x, const double* prelude, const double* placeholders,
                  double* both) const {
    observables_[i](t, x, prelude, placeholders, both);
  }
  /// {value, noise, derivatives of the value, derivatives of the noise} in the order of
  /// code().observables[i].
  void observable_derivatives(int i, double t, const double* x, const double* prelude,
                              const double* placeholders, double* all) const {
    observable_derivatives_[i](t, x, prelude, placeholders, all);
  }

 private:
  using Kernel = void (*)(double t, const double* x, const double* prelude, const double* arguments,
                          double* out);
  struct Library;

  RateKernels rate_kernels(int width, const auto& find) const;

  ModelCode code_;
  std::unique_ptr<Library> library_;
  Kernel prelude_, initials_, initials_by_parameter_, rates_, jacobian_, rates_by_parameter_,
      rates_and_derivatives_, outputs_, switch_arguments_, switch_slopes_, switch_derivatives_, phases_,
      constraints_, constraint_derivatives_, triggers_, lags_, delayed_values_, delayed_values_before_;
  Kernel rates_by_time_ = nullptr, second_derivatives_ = nullptr;
  RateKernels of_one_point_, of_lanes_;
  std::vector<Kernel> observables_, observable_derivatives_, events_, event_derivatives_;
};

}  // namespace kinetune::jit
