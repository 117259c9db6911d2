#pragma once

#include <memory>
#include <vector>

#include "jit/elimination.hpp"
#include "jit/rate_kernels.hpp"
#include "simulate/linear_solver.hpp"

namespace kinetune::simulate {

/// Sparse LU whose order of elimination follows from the pattern alone, so that a factorisation is one pass
/// over index lists, or over code that is written out for the pattern. Meant for I / h - J, whose diagonal
/// usually serves; where a pivot is lost to cancellation, the matrix is left to a factorisation that chooses
/// its pivots.
///
/// It can hold several matrices of the pattern side by side, in the lanes of vector registers; then all
/// arrays have the numbers of all lanes together, (..., width).
class StaticLu final : public Factorisation {
 public:
  /// @param pattern  square with its whole diagonal; must outlive the object
  explicit StaticLu(const jit::Pattern& pattern, int width = 1);
  /// With the code for the pattern, where there is any.
  /// @param kernels  must outlive the object
  StaticLu(const jit::Pattern& pattern, const jit::RateKernels& kernels);
  void forget() override;
  LaneBits factor(const double* values) override;
  void solve(double* b) override;
  void solve_transposed(double* b) override;
  void solve_block(double* b, int n_columns) override;

  /// Index lists and numbers, for the loops.
  struct Numbers {
    struct Triangle {
      const int* starts;
      const int* columns;
      double* values;
    };
    int n;
    const int* order;
    const int* place;
    Triangle lower, upper;
    double* inverse_pivots;
    double* good;  ///< (width) 0 where a pivot cannot be trusted, otherwise 1
  };

 private:
  Numbers numbers();
  bool factor_carefully(const double* values, int lane);
  template <class Static, class Careful>
  void solve_each(double* b, std::size_t length, const Static& by_static, const Careful& by_careful);

  const jit::Pattern& pattern_;
  const jit::Elimination elimination_;
  const jit::RateKernels* written_out_ = nullptr;
  int n_, width_;
  PackVector factors_;  // L, U, inverse pivots, good
  PackVector row_;      // memory for one row while it is eliminated, or for a right-hand side
  std::vector<std::unique_ptr<Factorisation>> careful_;  // by lane, made when first needed
  LaneBits of_careful_ = 0;                              // lanes whose last matrix these hold
};

}  // namespace kinetune::simulate
