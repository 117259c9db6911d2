#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "core/random.hpp"
#include "simulate/static_lu.hpp"

using namespace kinetune;

namespace {

/// A random sparse matrix whose diagonal elements are `diagonal` plus noise.
struct Matrix {
  jit::Pattern pattern;
  std::vector<double> values, dense;

  Matrix(int n, double diagonal, std::uint64_t seed) : pattern{n, n, {0}, {}}, dense(n * n) {
    core::RandomStream random(seed, 0);
    for (int j = 0; j < n; ++j) {
      for (int i = 0; i < n; ++i) {
        if (i != j && random.uniform() > 4.0 / n) continue;
        pattern.rows.push_back(i);
        values.push_back(random.normal() + (i == j ? diagonal : 0.0));
        dense[i * n + j] = values.back();
      }
      pattern.column_starts.push_back(pattern.n_nonzeros());
    }
  }
};

void expect_solutions(simulate::Factorisation& factors, const Matrix& a) {
  const int n = a.pattern.n_rows;
  for (const int m : {1, 8, 16, 19}) {
    std::vector<double> b(n), transposed(n), block(n * m);
    for (int i = 0; i < n; ++i) {
      for (int j = 0; j < n; ++j) {
        b[i] += a.dense[i * n + j] * (1.0 + j);
        transposed[i] += a.dense[j * n + i] * (1.0 + j);
      }
      for (int k = 0; k < m; ++k) block[i * m + k] = (k + 1) * b[i];
    }
    factors.solve(b.data());
    factors.solve_transposed(transposed.data());
    factors.solve_block(block.data(), m);
    for (int i = 0; i < n; ++i) {
      EXPECT_NEAR(b[i], 1.0 + i, 1e-8 * n);
      EXPECT_NEAR(transposed[i], 1.0 + i, 1e-8 * n);
      for (int k = 0; k < m; ++k) EXPECT_NEAR(block[i * m + k], (k + 1) * (1.0 + i), 1e-7 * n * m);
    }
  }
}

}  // namespace

TEST(StaticLu, solutions_satisfy_their_systems) {
  for (const int n : {1, 2, 7, 60}) {
    const Matrix a(n, 10.0, n);
    simulate::StaticLu factors(a.pattern);
    ASSERT_TRUE(factors.factor(a.values.data()));
    ASSERT_TRUE(factors.factor(a.values.data()));  // and once more, over what is there
    expect_solutions(factors, a);
  }
}

TEST(StaticLu, a_diagonal_that_does_not_serve_is_pivoted_around) {
  Matrix a(5, 0.0, 3);
  for (int j = 0; j < 5; ++j) {
    for (int e = a.pattern.column_starts[j]; e < a.pattern.column_starts[j + 1]; ++e)
      if (a.pattern.rows[e] == j) a.values[e] = a.dense[j * 5 + j] = 0.0;
  }
  simulate::StaticLu factors(a.pattern);
  ASSERT_TRUE(factors.factor(a.values.data()));
  expect_solutions(factors, a);
}

TEST(StaticLu, singular_and_infinite_matrices_are_told) {
  const jit::Pattern pattern{2, 2, {0, 2, 4}, {0, 1, 0, 1}};
  simulate::StaticLu factors(pattern);
  EXPECT_FALSE(factors.factor(std::vector{1.0, 2.0, 2.0, 4.0}.data()));
  EXPECT_FALSE(factors.factor(std::vector{std::numeric_limits<double>::infinity(), 0.0, 0.0, 1.0}.data()));
  EXPECT_TRUE(factors.factor(std::vector{1.0, 2.0, 2.0, 5.0}.data()));
}
