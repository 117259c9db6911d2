#pragma once

#include <memory>
#include <span>
#include <vector>

#include "jit/model_code.hpp"
#include "simulate/linear_solver.hpp"

namespace kinetune::simulate {

/// The rates' linearisation about a state, made regular: of rows of the Jacobian that depend on each other,
/// one gives way to the conserved quantity w with w'J = 0 that this means.
class SteadySystem {
 public:
  /// @param jacobian   values in the pattern's order
  /// @param size       (n) of each state, positive: what counts as small
  /// @param threshold  a pivot below this share of the largest, rows and columns scaled, means a row that
  /// depends on the others
  /// @returns nothing when a value is no finite number, or when the conserved quantities do not make up for
  /// the missing rows (an eigenvalue 0 without an eigenvector of its own)
  static std::unique_ptr<SteadySystem> make(const jit::Pattern&, std::span<const double> jacobian,
                                            std::span<const double> size, double threshold);

  int n_states() const { return n_; }
  int n_conserved() const { return static_cast<int>(dependent_.size()); }
  /// (n) the weights of the conserved quantity; the largest of them is 1 or -1
  std::span<const double> conserved(int c) const;
  double conserved_amount(int c, std::span<const double> x) const;

  /// The rows that gave way, ascending; row c stands for conserved quantity c.
  std::span<const int> dependent() const { return dependent_; }

  /// J b = b in the rows that are left, w'b = b in the others; in place, (n).
  void solve(double* b) const;
  /// The transposed system.
  void solve_transposed(double* b) const;

  /// The largest real part of the eigenvalues that J has at constant conserved quantities; -inf where there
  /// are none (LAPACK's dgeev).
  double growth() const;

 private:
  explicit SteadySystem(int n);
  void find_conserved(std::span<const double> size, double threshold);
  bool factor();

  int n_;
  jit::Pattern pattern_;           // of the whole matrix
  std::vector<double> jacobian_;   // (n, n) row-major
  std::vector<double> row_scale_;  // (n)
  std::vector<int> dependent_;
  std::vector<double> conserved_;           // (n_conserved, n)
  std::unique_ptr<Factorisation> factors_;  // of the system with its rows scaled
};

}  // namespace kinetune::simulate
