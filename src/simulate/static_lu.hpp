#pragma once

#include <memory>
#include <vector>

#include "simulate/linear_solver.hpp"

namespace kinetune::simulate {

/// Sparse LU whose order of elimination follows from the pattern alone (Markowitz, on the diagonal), so that
/// a factorisation is one pass over index lists. Meant for I / h - J, whose diagonal usually serves; where a
/// pivot is lost to cancellation, the matrix is left to a factorisation that chooses its pivots.
class StaticLu final : public Factorisation {
 public:
  /// @param pattern  square with its whole diagonal; must outlive the object
  explicit StaticLu(const jit::Pattern& pattern);
  void forget() override;
  bool factor(const double* values) override;
  void solve(double* b) override;
  void solve_transposed(double* b) override;
  void solve_block(double* b, int n_columns) override;

 private:
  /// Rows in the order of elimination, columns within a row likewise; all indices are the matrix's own.
  struct Triangle {
    std::vector<int> starts{0};  ///< (n + 1) by place in the order
    std::vector<int> columns;
    std::vector<double> values;
  };
  struct Entry {
    int value;  ///< index into the pattern's values
    int column;
  };

  void eliminate_symbolically();
  void store_row(int row, const std::vector<int>& columns);
  bool eliminate(const double* values);

  const jit::Pattern& pattern_;
  int n_;
  std::vector<int> order_, place_;  // row of each place, place of each row
  std::vector<int> entry_starts_;   // (n + 1) by place
  std::vector<Entry> entries_;      // of the matrix, by row
  Triangle lower_, upper_;          // without their diagonals: 1, and the pivots
  std::vector<int> on_diagonal_;    // by entry of lower_: where upper_ has (its column, its row), or -1
  std::vector<double> inverse_pivots_, row_;  // by row; one row while it is eliminated
  std::unique_ptr<Factorisation> careful_;    // made when first needed
  bool is_careful_ = false;                   // holds the last matrix
};

}  // namespace kinetune::simulate
