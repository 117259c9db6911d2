#include <cmath>
#include <utility>

#include <gtest/gtest.h>

#include "optimize/differences.hpp"
#include "problems.hpp"

using namespace kinetune::optimize;

namespace {

/// r^2 / 2 with one residual.
LeastSquares half_square(std::function<double(double)> r) {
  return {{-100}, {100}, [r](std::span<const double> x) { return Residuals{{r(x[0])}, {0.0}}; }};
}

/// With steps from 0.1 down.
std::expected<Difference, EvaluationFailure> derivative(Objective& objective, const std::vector<double>& x) {
  auto along = central_difference(objective, x, std::vector{0.1});
  if (along) *along = {along->value / 0.1, along->error / 0.1, along->step * 0.1};
  return along;
}

}  // namespace

TEST(Differences, are_exact_to_rounding_for_smooth_functions) {
  auto objective = half_square([](double x) { return std::exp(x); });
  const std::vector<double> x{0.7};
  const auto d = derivative(objective, x);
  ASSERT_TRUE(d);
  EXPECT_NEAR(d->value, std::exp(1.4), 1e-9);
  EXPECT_LE(std::fabs(d->value - std::exp(1.4)), 10 * d->error + 1e-12);
}

TEST(Differences, take_smaller_steps_where_the_function_bends_quickly) {
  auto objective = half_square([](double x) { return std::sin(200 * x) + 2; });
  const std::vector<double> x{0.3};
  const double s = std::sin(60) + 2, slope = s * 200 * std::cos(60);
  const auto d = derivative(objective, x);
  ASSERT_TRUE(d);
  EXPECT_NEAR(d->value, slope, 1e-5 * std::fabs(slope));
}

TEST(Differences, say_how_far_noise_lets_them_down) {
  auto objective =
      half_square([](double x) { return std::sqrt(2 * (x * x + 1e-6 * std::sin(1e9 * x) + 1)); });
  const std::vector<double> x{0.5};
  const auto d = derivative(objective, x);
  ASSERT_TRUE(d);
  EXPECT_GT(d->error, 1e-6);
  EXPECT_NEAR(d->value, 1.0, 0.01);
}

TEST(Differences, stop_where_their_error_is_small_enough) {
  int n_values = 0;
  auto objective = half_square([&](double x) {
    ++n_values;
    return std::exp(x);
  });
  const std::vector<double> x{0.7}, direction{0.1};
  const auto best = central_difference(objective, x, direction);
  const int n_for_best = std::exchange(n_values, 0);

  const auto enough = central_difference(objective, x, direction, 1e-4);

  ASSERT_TRUE(best && enough);
  EXPECT_LT(n_values, n_for_best);
  EXPECT_LE(enough->error, 1e-4);
  EXPECT_NEAR(enough->value, 0.1 * std::exp(1.4), 1e-4);
}

TEST(Differences, leave_out_steps_without_a_value) {
  auto objective = half_square([](double x) { return x; });
  objective.fails = [](auto x) { return x[0] > 0.52; };
  const std::vector<double> x{0.5};
  const auto d = derivative(objective, x);
  ASSERT_TRUE(d);
  EXPECT_LT(d->step, 0.02);
  EXPECT_NEAR(d->value, 0.5, 1e-9);
}

TEST(Differences, without_any_value_say_why) {
  auto objective = half_square([](double x) { return x; });
  objective.fails = [](auto x) { return x[0] != 0.5; };
  const std::vector<double> x{0.5};
  const auto d = derivative(objective, x);
  ASSERT_FALSE(d);
  EXPECT_EQ(d.error().reason, "too many steps");
}

TEST(Differences, go_along_any_direction) {
  LeastSquares objective({-9, -9}, {9, 9}, [](std::span<const double> x) {
    return Residuals{{x[0] * x[1], x[0]}, {0, 0, 0, 0}};
  });
  // f = (x y)^2 / 2 + x^2 / 2: f_x = x y^2 + x, f_y = x^2 y
  const auto d = central_difference(objective, std::vector{2.0, 3.0}, std::vector{0.1, -0.2});
  ASSERT_TRUE(d);
  EXPECT_NEAR(d->value, 0.1 * 20 - 0.2 * 12, 1e-10);
}
