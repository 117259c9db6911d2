#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "core/random.hpp"
#include "simulate/linear_solver.hpp"

using namespace kinetune;
using simulate::LinearSolver;

namespace {

/// A random sparse matrix with a full diagonal, beside its dense form.
struct Matrix {
  jit::Pattern pattern;
  std::vector<double> values, dense;

  Matrix(int n, double density, std::uint64_t seed) : pattern{n, n, {0}, {}}, dense(n * n) {
    core::RandomStream random(seed, 0);
    for (int j = 0; j < n; ++j) {
      for (int i = 0; i < n; ++i) {
        if (i != j && random.uniform() > density) continue;
        pattern.rows.push_back(i);
        values.push_back(random.normal());  // small pivots on the diagonal: pivoting is needed
        dense[i * n + j] = values.back();
      }
      pattern.column_starts.push_back(pattern.n_nonzeros());
    }
  }
};

}  // namespace

class FactorisationTest : public testing::TestWithParam<LinearSolver> {};
INSTANTIATE_TEST_SUITE_P(, FactorisationTest, testing::Values(LinearSolver::dense, LinearSolver::klu));

TEST_P(FactorisationTest, solutions_satisfy_their_systems) {
  for (const int n : {1, 2, 7, 60}) {
    const Matrix a(n, 0.3, n);
    const auto factors = make_factorisation(a.pattern, GetParam());
    ASSERT_TRUE(factors->factor(a.values.data()));
    ASSERT_TRUE(factors->factor(a.values.data()));  // and once more, over what is there
    const int m = 5;
    std::vector<double> x(n), b(n), bt(n), block(n * m);
    for (int i = 0; i < n; ++i) x[i] = 1.0 + i;
    for (int i = 0; i < n; ++i) {
      for (int j = 0; j < n; ++j) {
        b[i] += a.dense[i * n + j] * x[j];
        bt[i] += a.dense[j * n + i] * x[j];
      }
    }
    for (int i = 0; i < n; ++i)
      for (int k = 0; k < m; ++k) block[i * m + k] = (k + 1) * b[i];

    factors->solve(b.data());
    factors->solve_transposed(bt.data());
    factors->solve_block(block.data(), m);

    for (int i = 0; i < n; ++i) {
      EXPECT_NEAR(b[i], x[i], 1e-8 * n);
      EXPECT_NEAR(bt[i], x[i], 1e-8 * n);
      for (int k = 0; k < m; ++k) EXPECT_NEAR(block[i * m + k], (k + 1) * x[i], 1e-8 * n * m);
    }
  }
}

TEST_P(FactorisationTest, a_singular_matrix_is_told) {
  jit::Pattern pattern{2, 2, {0, 2, 4}, {0, 1, 0, 1}};
  const auto factors = make_factorisation(pattern, GetParam());
  const std::vector<double> singular{1, 2, 2, 4}, regular{0, 2, 2, 4}, infinite{1, INFINITY, 2, 4};
  EXPECT_FALSE(factors->factor(singular.data()));
  EXPECT_TRUE(factors->factor(regular.data()));
  EXPECT_FALSE(factors->factor(infinite.data()));
}

TEST_P(FactorisationTest, what_was_forgotten_leaves_no_bit_behind) {
  const int n = 60;
  const Matrix first(n, 0.3, 1);
  std::vector<double> other = first.values;
  std::ranges::reverse(other);  // other pivots
  std::vector<double> b(n, 1.0), fresh(n, 1.0);
  const auto used = make_factorisation(first.pattern, GetParam());
  const auto unused = make_factorisation(first.pattern, GetParam());

  ASSERT_TRUE(used->factor(other.data()));
  used->forget();
  ASSERT_TRUE(used->factor(first.values.data()));
  ASSERT_TRUE(unused->factor(first.values.data()));

  used->solve(b.data());
  unused->solve(fresh.data());
  EXPECT_EQ(b, fresh);
}
