#pragma once

#include <vector>

#include "jit/model_code.hpp"

namespace kinetune::jit {

/// A pivot below this share of the terms that it is the sum of has lost too many digits.
inline constexpr double worst_cancellation = 1e-7;

/// How matrices of one pattern fall into L, with 1 on its diagonal, and U: an order of elimination that keeps
/// fill low (Markowitz 1957), with pivots on the diagonal, and where L and U can be non-zero. Rows are in
/// that order, columns within a row likewise; indices are the matrix's own.
struct Elimination {
  struct Triangle {              ///< without the diagonal
    std::vector<int> starts{0};  ///< (n + 1) by place in the order
    std::vector<int> columns;    ///< (n_nonzeros)
  };

  int n = 0;
  std::vector<int> order, place;   ///< row of each place, place of each row
  std::vector<int> entry_starts;   ///< (n + 1) by place
  std::vector<int> entry_values;   ///< of the matrix, by row: index in the pattern
  std::vector<int> entry_columns;  ///< and column
  Triangle lower, upper;
  std::vector<int> on_diagonal;  ///< by entry of lower: where upper has (its column, its row), or -1

  /// Multiplications of a factorisation.
  long n_products() const;
};

/// @param pattern  square, with its whole diagonal
Elimination eliminate(const Pattern& pattern);

}  // namespace kinetune::jit
