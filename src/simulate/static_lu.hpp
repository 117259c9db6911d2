#pragma once

#include <memory>
#include <vector>

#include "simulate/linear_solver.hpp"

namespace kinetune::simulate {

/// Sparse LU whose order of elimination follows from the pattern alone (Markowitz, on the diagonal), so that
/// a factorisation is one pass over index lists. Meant for I / h - J, whose diagonal usually serves; where a
/// pivot is lost to cancellation, the matrix is left to a factorisation that chooses its pivots.
///
/// It can hold several matrices of the pattern side by side, in the lanes of vector registers; then all
/// arrays have the numbers of all lanes together, (..., width).
class StaticLu final : public Factorisation {
 public:
  /// @param pattern  square with its whole diagonal; must outlive the object
  explicit StaticLu(const jit::Pattern& pattern, int width = 1);
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
  };

 private:
  /// Rows in the order of elimination, columns within a row likewise; all indices are the matrix's own.
  struct Triangle {
    std::vector<int> starts{0};  ///< (n + 1) by place in the order
    std::vector<int> columns;
    PackVector values;
  };
  void eliminate_symbolically();
  void store_row(int row, const std::vector<int>& columns);
  Numbers numbers();
  bool factor_carefully(const double* values, int lane);
  template <class Static, class Careful>
  void solve_each(double* b, std::size_t length, const Static& by_static, const Careful& by_careful);

  const jit::Pattern& pattern_;
  int n_, width_;
  std::vector<int> order_, place_;                 // row of each place, place of each row
  std::vector<int> entry_starts_;                  // (n + 1) by place
  std::vector<int> entry_values_, entry_columns_;  // of the matrix, by row: index of the value, column
  Triangle lower_, upper_;                         // without their diagonals: 1, and the pivots
  std::vector<int> on_diagonal_;     // by entry of lower_: where upper_ has (its column, its row), or -1
  PackVector inverse_pivots_, row_;  // by row; one row while it is eliminated
  std::vector<std::unique_ptr<Factorisation>> careful_;  // by lane, made when first needed
  LaneBits of_careful_ = 0;                              // lanes whose last matrix these hold
};

}  // namespace kinetune::simulate
