#pragma once

#include <memory>

#include "jit/model_code.hpp"

namespace kinetune::jit {

/// Native code loaded into this process. Calls are thread-safe, allocate nothing and check nothing: arrays
/// have the sizes that code() states.
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
  /// (n_prelude).
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

  /// The source's outputs (n_outputs).
  void outputs(double t, const double* x, const double* prelude, double* values) const {
    outputs_(t, x, prelude, nullptr, values);
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

  ModelCode code_;
  std::unique_ptr<Library> library_;
  Kernel prelude_, initials_, initials_by_parameter_, rates_, jacobian_, rates_by_parameter_,
      rates_and_derivatives_, outputs_;
  std::vector<Kernel> observables_, observable_derivatives_;
};

}  // namespace kinetune::jit
