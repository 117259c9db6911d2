#include "simulate/newton_matrix.hpp"

#include <algorithm>
#include <new>

#include <sundials/sundials_linearsolver.h>
#include <sundials/sundials_matrix.h>

#include "simulate/block_vector.hpp"

namespace kinetune::simulate {
namespace {

struct PatternMatrix {
  const jit::Pattern& pattern;
  std::vector<double> values;
};

PatternMatrix& content(SUNMatrix a) { return *static_cast<PatternMatrix*>(a->content); }

void destroy_matrix(SUNMatrix a) {
  delete static_cast<PatternMatrix*>(a->content);
  SUNMatFreeEmpty(a);
}

/// A = c A + I
int scale_add_identity(double c, SUNMatrix a) {
  auto& [pattern, values] = content(a);
  for (double& v : values) v *= c;
  for (int j = 0; j < pattern.n_cols; ++j) {
    const auto first = pattern.rows.begin() + pattern.column_starts[j];
    const auto last = pattern.rows.begin() + pattern.column_starts[j + 1];
    values[std::lower_bound(first, last, j) - pattern.rows.begin()] += 1.0;
  }
  return 0;
}

struct BlockSolver {
  Factorisation& factors;
  Orientation orientation;
};

BlockSolver& content(SUNLinearSolver s) { return *static_cast<BlockSolver*>(s->content); }

int setup(SUNLinearSolver s, SUNMatrix a) {
  return content(s).factors.factor(values(a)) ? 0 : SUNLS_LUFACT_FAIL;
}

int solve(SUNLinearSolver s, SUNMatrix, N_Vector x, N_Vector b, double) {
  auto& [factors, orientation] = content(s);
  const auto [n, m, solution] = block(x);
  if (x != b) std::copy_n(block(b).data, block(b).size(), solution);
  if (orientation == Orientation::transposed)
    factors.solve_transposed(solution);
  else
    factors.solve(solution);
  if (m > 0) factors.solve_block(solution + n, m);
  return 0;
}

}  // namespace

double* values(_generic_SUNMatrix* a) { return content(a).values.data(); }

_generic_SUNMatrix* new_pattern_matrix(const jit::Pattern& pattern, _SUNContext* context) {
  SUNMatrix a = SUNMatNewEmpty(context);
  if (!a) throw std::bad_alloc();
  a->content = new PatternMatrix{pattern, std::vector<double>(pattern.n_nonzeros())};
  a->ops->getid = [](SUNMatrix) { return SUNMATRIX_CUSTOM; };
  a->ops->clone = [](SUNMatrix b) { return new_pattern_matrix(content(b).pattern, b->sunctx); };
  a->ops->destroy = destroy_matrix;
  a->ops->zero = [](SUNMatrix b) {
    std::ranges::fill(content(b).values, 0.0);
    return 0;
  };
  a->ops->copy = [](SUNMatrix from, SUNMatrix to) {
    content(to).values = content(from).values;
    return 0;
  };
  a->ops->scaleaddi = scale_add_identity;
  return a;
}

_generic_SUNLinearSolver* new_block_solver(Factorisation& factors, Orientation orientation,
                                           _SUNContext* context) {
  SUNLinearSolver s = SUNLinSolNewEmpty(context);
  if (!s) throw std::bad_alloc();
  s->content = new BlockSolver{factors, orientation};
  s->ops->gettype = [](SUNLinearSolver) { return SUNLINEARSOLVER_DIRECT; };
  s->ops->getid = [](SUNLinearSolver) { return SUNLINEARSOLVER_CUSTOM; };
  s->ops->initialize = [](SUNLinearSolver) { return 0; };
  s->ops->setup = setup;
  s->ops->solve = solve;
  s->ops->free = [](SUNLinearSolver solver) {
    delete static_cast<BlockSolver*>(solver->content);
    SUNLinSolFreeEmpty(solver);
    return 0;
  };
  return s;
}

}  // namespace kinetune::simulate
