#include <cmath>
#include <stdexcept>

#include <gtest/gtest.h>

#include "estimate/chain.hpp"

using namespace kinetune::estimate;
using namespace kinetune::estimate::test;

TEST(Scale, goes_from_linear_values_and_back) {
  EXPECT_DOUBLE_EQ(scaled(Scale::linear, 0.02), 0.02);
  EXPECT_DOUBLE_EQ(scaled(Scale::log, 0.02), std::log(0.02));
  EXPECT_DOUBLE_EQ(scaled(Scale::log10, 0.01), -2.0);
  EXPECT_DOUBLE_EQ(unscaled(Scale::log10, 3.0), 1000.0);
  EXPECT_DOUBLE_EQ(unscaled(Scale::log, 1.0), M_E);
  EXPECT_DOUBLE_EQ(unscaled(Scale::linear, -3.0), -3.0);
}

TEST(Scale, has_the_slope_that_finite_differences_give) {
  for (const Scale scale : {Scale::linear, Scale::log, Scale::log10}) {
    const double x = 0.4;
    const double numerical = derivative([&](double at) { return unscaled(scale, at); }, x, 1e-3);
    EXPECT_NEAR(unscaled_slope(scale, unscaled(scale, x)), numerical, 1e-9);
  }
}

TEST(Problem, comes_back_from_bytes_as_it_was) {
  ProblemFiles files;
  write_chain(files);
  const Problem problem = files.joined().problem;

  const Problem copy = Problem::from_bytes(problem.to_bytes());

  EXPECT_EQ(copy.to_bytes(), problem.to_bytes());
  ASSERT_EQ(copy.parameters.size(), 6u);
  EXPECT_EQ(copy.parameters[0].id, "k1");
  EXPECT_EQ(copy.parameters[1].scale, Scale::log);
  EXPECT_FALSE(copy.parameters[1].prior);
  EXPECT_EQ(copy.parameters[2].prior->first, 4.0);
  EXPECT_EQ(copy.parts.front().state_ids, problem.parts.front().state_ids);
  ASSERT_EQ(copy.parts.front().simulations.size(), 2u);
  const auto& periods = problem.parts.front().simulations[1].periods;
  ASSERT_EQ(copy.parts.front().simulations[1].periods.size(), periods.size());
  EXPECT_EQ(copy.parts.front().simulations[1].periods[0].times, periods[0].times);
  EXPECT_EQ(copy.parts.front().simulations[1].periods[0].data.size(), periods[0].data.size());
}

TEST(Problem, refuses_bytes_that_are_not_its_own) {
  ProblemFiles files;
  const std::string bytes = files.joined().problem.to_bytes();
  EXPECT_THROW(Problem::from_bytes(bytes.substr(0, bytes.size() / 2)), std::runtime_error);
  EXPECT_THROW(Problem::from_bytes(""), std::runtime_error);
}
