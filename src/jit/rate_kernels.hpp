#pragma once

namespace kinetune::jit {

/// What a Rosenbrock method calls at every step, for one point or for several side by side. Arrays have the
/// values of all points together, (..., width): first those of the first state, then those of the second.
/// Calls are thread-safe, allocate nothing and check nothing.
class RateKernels {
 public:
  int width() const { return width_; }

  /// @param t  (width)
  void rates(const double* t, const double* x, const double* prelude, double* dx) const {
    call(rates_, t, x, prelude, dx);
  }
  void jacobian(const double* t, const double* x, const double* prelude, double* values) const {
    call(jacobian_, t, x, prelude, values);
  }
  void rates_and_derivatives(const double* t, const double* x, const double* prelude, double* all) const {
    call(rates_and_derivatives_, t, x, prelude, all);
  }
  void rates_by_time(const double* t, const double* x, const double* prelude, double* values) const {
    call(rates_by_time_, t, x, prelude, values);
  }
  void second_derivatives(const double* t, const double* x, const double* prelude, double* values) const {
    call(second_derivatives_, t, x, prelude, values);
  }

 private:
  friend class CompiledModel;

  using OfOne = void (*)(double t, const double* x, const double* prelude, const double* arguments,
                         double* out);
  using OfSeveral = void (*)(const double* t, const double* x, const double* prelude, const double* arguments,
                             double* out);
  union Kernel {
    OfOne of_one;
    OfSeveral of_several;
  };

  void call(Kernel kernel, const double* t, const double* x, const double* prelude, double* out) const {
    if (width_ == 1)
      kernel.of_one(*t, x, prelude, nullptr, out);
    else
      kernel.of_several(t, x, prelude, nullptr, out);
  }

  int width_ = 1;
  Kernel rates_{}, jacobian_{}, rates_and_derivatives_{}, rates_by_time_{}, second_derivatives_{};
};

}  // namespace kinetune::jit
