#include <gtest/gtest.h>

#include "optimize/stopping.hpp"

using namespace kinetune::optimize;

namespace {

/// An iterate with a large gradient, far from the one before.
Iterate iterate(std::int64_t iteration, double fval, std::span<const double> x) {
  return {iteration, iteration + 1, 0.0, fval, 1.0, x};
}

}  // namespace

TEST(StoppingRules, a_plateau_shorter_than_the_window_is_passed) {
  StoppingRules rules({.fval_tolerance = 1e-6, .fval_window = 4});
  const std::vector<double> fvals{10, 5, 5, 5, 5, 4, 4, 4, 4};
  for (std::size_t i = 0; i < fvals.size(); ++i) {
    const std::vector x{static_cast<double>(i)};
    EXPECT_EQ(rules.judge(iterate(static_cast<std::int64_t>(i), fvals[i], x)), std::nullopt) << i;
  }
  const std::vector x{9.0};
  EXPECT_EQ(rules.judge(iterate(9, 4, x)), Termination::fval_change);
}

TEST(StoppingRules, tolerance_of_fval_is_relative_above_one_and_absolute_below) {
  for (const auto& [before, after, stops] :
       {std::tuple{1000.0, 999.9995, true}, {1.0, 0.9995, false}, {1e-4, 0.0, false}, {1e-7, 0.0, true}}) {
    StoppingRules rules({.fval_tolerance = 1e-6, .fval_window = 1});
    const std::vector near{0.0}, far{1.0};
    rules.judge(iterate(0, before, near));
    EXPECT_EQ(rules.judge(iterate(1, after, far)).has_value(), stops) << before;
  }
}

TEST(StoppingRules, every_component_must_rest_for_a_small_step) {
  StoppingRules rules({.fval_tolerance = 0, .step_tolerance = 1e-3});
  const std::vector first{100.0, 0.0}, second{100.05, 0.01}, third{100.1, 0.0105};
  EXPECT_EQ(rules.judge(iterate(0, 3, first)), std::nullopt);
  EXPECT_EQ(rules.judge(iterate(1, 2, second)), std::nullopt);
  EXPECT_EQ(rules.judge(iterate(2, 1, third)), Termination::step);
}

TEST(StoppingRules, a_vanishing_gradient_counts_more_than_a_limit) {
  StoppingRules rules({.gradient_tolerance = 1e-6, .max_iterations = 0});
  const std::vector x{0.0};
  EXPECT_EQ(rules.judge({0, 1, 0.0, 1.0, 1e-6, x}), Termination::gradient);
  EXPECT_EQ(rules.judge({1, 2, 0.0, 0.5, 1.0, x}), Termination::max_iterations);
}
