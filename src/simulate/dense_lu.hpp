#pragma once

#include <vector>

#include "simulate/linear_solver.hpp"

namespace kinetune::simulate {

/// LU with partial pivoting, row-major, zeros skipped: for small systems, where libraries' calls cost more
/// than the work.
class DenseLu final : public Factorisation {
 public:
  explicit DenseLu(const jit::Pattern&);
  LaneBits factor(const double* values) override;
  void solve(double* b) override;
  void solve_transposed(double* b) override;
  void solve_block(double* b, int n_columns) override;

 private:
  double* row(int i) { return matrix_.data() + static_cast<std::size_t>(i) * n_; }

  const jit::Pattern& pattern_;
  int n_;
  std::vector<double> matrix_;  // (n, n): U, and L below its unit diagonal
  std::vector<int> pivots_;
};

}  // namespace kinetune::simulate
