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
    call(rates_, t, x, prelude, nullptr, dx);
  }
  void jacobian(const double* t, const double* x, const double* prelude, double* values) const {
    call(jacobian_, t, x, prelude, nullptr, values);
  }
  void rates_and_derivatives(const double* t, const double* x, const double* prelude, double* all) const {
    call(rates_and_derivatives_, t, x, prelude, nullptr, all);
  }
  void rates_by_time(const double* t, const double* x, const double* prelude, double* values) const {
    call(rates_by_time_, t, x, prelude, nullptr, values);
  }
  void second_derivatives(const double* t, const double* x, const double* prelude, double* values) const {
    call(second_derivatives_, t, x, prelude, nullptr, values);
  }

  /// Whether the model has the following, for matrices of the Jacobian's pattern.
  bool has_lu() const { return has_lu_; }
  /// @param values   in the pattern's order
  /// @param factors  (n_lower + n_upper + n_states + 1) the triangles and the inverse pivots as in the
  ///                 pattern's Elimination; then 0 where a pivot has lost its digits, otherwise 1
  void factor(const double* values, double* factors) const {
    call(factor_, values, nullptr, nullptr, values, factors);
  }
  /// @param b, x  (n_states) not the same array
  void solve(const double* factors, const double* b, double* x) const {
    call(solve_, b, b, nullptr, factors, x);
  }
  void solve_transposed(const double* factors, const double* b, double* x) const {
    call(solve_transposed_, b, b, nullptr, factors, x);
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

  void call(Kernel kernel, const double* t, const double* x, const double* prelude, const double* arguments,
            double* out) const {
    if (width_ == 1)
      kernel.of_one(*t, x, prelude, arguments, out);
    else
      kernel.of_several(t, x, prelude, arguments, out);
  }

  int width_ = 1;
  bool has_lu_ = false;
  Kernel rates_{}, jacobian_{}, rates_and_derivatives_{}, rates_by_time_{}, second_derivatives_{};
  Kernel factor_{}, solve_{}, solve_transposed_{};
};

}  // namespace kinetune::jit
