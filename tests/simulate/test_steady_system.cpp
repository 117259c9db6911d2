#include <cmath>

#include <gtest/gtest.h>

#include "simulate/steady_system.hpp"

using namespace kinetune;
using simulate::SteadySystem;

namespace {

/// A matrix by rows, as the pattern of all its entries and the values in the pattern's order.
struct Matrix {
  jit::Pattern pattern;
  std::vector<double> values;

  explicit Matrix(const std::vector<std::vector<double>>& rows) {
    const int n = static_cast<int>(rows.size());
    pattern = {n, n, {0}, {}};
    for (int j = 0; j < n; ++j) {
      for (int i = 0; i < n; ++i) {
        pattern.rows.push_back(i);
        values.push_back(rows[i][j]);
      }
      pattern.column_starts.push_back(pattern.n_nonzeros());
    }
  }
  std::unique_ptr<SteadySystem> system() const {
    return SteadySystem::make(pattern, values, std::vector<double>(pattern.n_rows, 1.0), 1e-12);
  }
};

}  // namespace

TEST(SteadySystem, a_regular_matrix_conserves_nothing_and_is_solved_as_it_is) {
  const Matrix matrix({{2, 1}, {0, 4}});
  const auto system = matrix.system();
  EXPECT_EQ(system->n_conserved(), 0);
  std::vector<double> b{5, 8}, c{4, 10};
  system->solve(b.data());
  EXPECT_NEAR(b[0], 1.5, 1e-15);
  EXPECT_NEAR(b[1], 2.0, 1e-15);
  system->solve_transposed(c.data());
  EXPECT_NEAR(c[0], 2.0, 1e-15);
  EXPECT_NEAR(c[1], 2.0, 1e-15);
}

TEST(SteadySystem, conserved_quantities_annihilate_the_matrix) {
  // a + b <-> c and d alone, which nothing changes: a + c, b + c and d are conserved.
  const Matrix matrix({{-3, -2, 5, 0}, {-3, -2, 5, 0}, {3, 2, -5, 0}, {0, 0, 0, 0}});
  const auto system = matrix.system();
  ASSERT_EQ(system->n_conserved(), 3);
  for (int c = 0; c < 3; ++c) {
    for (int j = 0; j < 4; ++j) {
      double sum = 0;
      for (int i = 0; i < 4; ++i) sum += system->conserved(c)[i] * matrix.values[j * 4 + i];
      EXPECT_NEAR(sum, 0.0, 1e-14);
    }
  }
  EXPECT_NEAR(system->growth(), -10.0, 1e-12);  // of a, b and c together: -3 - 2 - 5
}

TEST(SteadySystem, growth_is_the_largest_real_part_of_the_eigenvalues) {
  const Matrix spiral({{0.25, -3, 0}, {3, 0.25, 0}, {0, 0, -7}});  // 0.25 + 3i, 0.25 - 3i, -7
  EXPECT_NEAR(spiral.system()->growth(), 0.25, 1e-13);
  const Matrix nothing(std::vector<std::vector<double>>{{0.0}});
  EXPECT_TRUE(std::isinf(nothing.system()->growth()));
}

TEST(SteadySystem, an_eigenvalue_zero_without_an_eigenvector_of_its_own_is_refused) {
  EXPECT_EQ(Matrix({{0, 1}, {0, 0}}).system(), nullptr);
  EXPECT_EQ(Matrix({{NAN, 1}, {0, 1}}).system(), nullptr);
}
