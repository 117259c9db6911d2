#include <algorithm>
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "core/random.hpp"
#include "jit/compiled_model.hpp"
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

  void clear_diagonal() {
    const int n = pattern.n_rows;
    for (int j = 0; j < n; ++j) {
      for (int e = pattern.column_starts[j]; e < pattern.column_starts[j + 1]; ++e)
        if (pattern.rows[e] == j) values[e] = dense[j * n + j] = 0.0;
    }
  }
};

/// The second pivot is what is left of 1 + 1e-12 - 1.
Matrix with_lost_pivot() {
  Matrix a(3, 0.0, 1);
  a.dense = {1.0, 1.0, 0.3, 1.0, 1.0 + 1e-12, 2.0, 0.5, 3.0, 1.0};
  for (int j = 0; j < 3; ++j)
    for (int i = 0; i < 3; ++i) a.values[j * 3 + i] = a.dense[i * 3 + j];
  return a;
}

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

/// A model whose Jacobian has the pattern: each rate is the sum of the products of its states and x0.
jit::CompiledModel with_jacobian(const jit::Pattern& pattern, int lanes = 1) {
  model::OdeModel ode;
  const int n = pattern.n_rows;
  std::vector<symbolic::Expr> x, rates(n, ode.graph->constant(0));
  for (int i = 0; i < n; ++i) x.push_back(ode.graph->symbol("x" + std::to_string(i)));
  for (int j = 0; j < n; ++j) {
    for (int e = pattern.column_starts[j]; e < pattern.column_starts[j + 1]; ++e)
      rates[pattern.rows[e]] = rates[pattern.rows[e]] + (1.0 + e) * x[j];
  }
  for (int i = 0; i < n; ++i)
    ode.states.push_back({"x" + std::to_string(i), x[i], rates[i], ode.graph->constant(0)});
  return jit::CompiledModel(jit::compile({model::flatten(std::move(ode)), {}, {}, {}},
                                         {.derivatives = jit::Derivatives::second, .lanes = lanes}));
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
  a.clear_diagonal();
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

TEST(StaticLu, code_for_the_pattern_gives_what_the_index_lists_give) {
  for (const int n : {1, 2, 7, 30}) {
    const Matrix a(n, 10.0, n);
    const auto model = with_jacobian(a.pattern);
    ASSERT_TRUE(model.of_one_point().has_lu());
    ASSERT_EQ(model.code().jacobian.rows, a.pattern.rows);
    simulate::StaticLu factors(a.pattern, model.of_one_point());
    ASSERT_TRUE(factors.factor(a.values.data()));
    ASSERT_TRUE(factors.factor(a.values.data()));
    expect_solutions(factors, a);
  }
}

TEST(StaticLu, a_pivot_that_is_lost_to_cancellation_is_not_trusted) {
  const Matrix a = with_lost_pivot();
  simulate::StaticLu factors(a.pattern);
  ASSERT_TRUE(factors.factor(a.values.data()));
  expect_solutions(factors, a);
}

TEST(StaticLu, code_for_the_pattern_does_not_trust_lost_pivots_either) {
  for (Matrix a : {with_lost_pivot(), Matrix(5, 0.0, 3)}) {
    if (a.pattern.n_rows == 5) a.clear_diagonal();
    const auto model = with_jacobian(a.pattern);
    simulate::StaticLu factors(a.pattern, model.of_one_point());
    ASSERT_TRUE(factors.factor(a.values.data()));
    expect_solutions(factors, a);
    std::ranges::fill(a.values, 0.0);
    EXPECT_FALSE(factors.factor(a.values.data()));
    a.values.back() = std::numeric_limits<double>::quiet_NaN();
    EXPECT_FALSE(factors.factor(a.values.data()));
  }
}

TEST(StaticLu, code_for_the_pattern_factors_a_matrix_in_each_lane) {
  const int width = jit::host_lanes();
  if (width == 1) GTEST_SKIP() << "this processor has no lanes";
  constexpr int n = 3, with_loss = 2;
  const Matrix a(n, 10.0, 1), lost = with_lost_pivot();
  const auto model = with_jacobian(a.pattern, width);
  ASSERT_TRUE(model.of_lanes().has_lu());
  simulate::StaticLu factors(a.pattern, model.of_lanes());
  simulate::PackVector values(a.values.size() * width), b(n * width), transposed(n * width);
  for (int lane = 0; lane < width; ++lane) {
    const Matrix& own = lane == with_loss ? lost : a;
    for (std::size_t e = 0; e < own.values.size(); ++e) values[e * width + lane] = (1 + lane) * own.values[e];
    for (int i = 0; i < n; ++i) {
      for (int j = 0; j < n; ++j) {
        b[i * width + lane] += (1 + lane) * own.dense[i * n + j] * (1.0 + j);
        transposed[i * width + lane] += (1 + lane) * own.dense[j * n + i] * (1.0 + j);
      }
    }
  }
  ASSERT_EQ(factors.factor(values.data()), (1u << width) - 1);
  factors.solve(b.data());
  factors.solve_transposed(transposed.data());
  for (int i = 0; i < n * width; ++i) {
    EXPECT_NEAR(b[i], 1.0 + i / width, 1e-9);
    EXPECT_NEAR(transposed[i], 1.0 + i / width, 1e-9);
  }
}

TEST(StaticLu, there_is_no_code_for_patterns_that_fill) {
  EXPECT_FALSE(with_jacobian(Matrix(200, 10.0, 5).pattern).of_one_point().has_lu());
}
