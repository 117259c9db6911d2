#pragma once

#include <memory>

#include "jit/model_code.hpp"
#include "simulate/integrator.hpp"
#include "simulate/packs.hpp"

namespace kinetune::simulate {

/// A factorisation of matrices that share a pattern.
class Factorisation {
 public:
  virtual ~Factorisation() = default;

  /// Lets go of what was kept of earlier matrices to factor the next ones faster: a simulation must not
  /// depend on those before it.
  virtual void forget() {}
  /// @param values  in the order of the pattern
  /// @returns for each of the matrices side by side, of which only StaticLu has more than one, whether it is
  ///          neither singular nor holds what is no finite number
  virtual LaneBits factor(const double* values) = 0;
  /// A b = b, in place, (n).
  virtual void solve(double* b) = 0;
  /// A' b = b, in place, (n).
  virtual void solve_transposed(double* b) = 0;
  /// A B = B, in place, (n, n_columns) row-major.
  virtual void solve_block(double* b, int n_columns) = 0;
};

/// @param pattern  square; must outlive the result
std::unique_ptr<Factorisation> make_factorisation(const jit::Pattern& pattern, LinearSolver);

}  // namespace kinetune::simulate
