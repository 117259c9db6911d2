#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include <gtest/gtest.h>

#include "models.hpp"
#include "simulate/rate_rounding.hpp"

using namespace kinetune;
using symbolic::Expr;
using test::SmallModel;

namespace {

constexpr double amount = 3e8;

/// a <-> b in large numbers; x' = k a - l b - d x, which goes to 0 as a difference of large terms.
SmallModel difference() {
  SmallModel s;
  const Expr k = s.parameter("k", 0.7), l = s.parameter("l", 0.3), d = s.parameter("d", 0.9);
  const Expr net = k * s.symbol("a") - l * s.symbol("b");
  s.state("a", -net, s.number(amount));
  s.state("b", net, s.number(amount / 3));
  s.state("x", net - d * s.symbol("x"), s.number(amount / 7));
  return s;
}

class RateRounding : public test::WithMethod {
 protected:
  const jit::CompiledModel model = difference().compile();
  const std::vector<double> parameters{0.7, 0.3, 0.9}, times{400.0};
  test::Simulation run{model, parameters, times.back()};
  test::Recorder recorder;

  auto forward(simulate::Mode mode, std::span<double> s) {
    return simulate::make_integrator(model, options())->forward(run.segment, mode, run.x, s, times, recorder);
  }
};
INSTANTIATE_TEST_SUITE_P(, RateRounding,
                         testing::Values(simulate::Method::rodas5p, simulate::Method::rodas4p2));

}  // namespace

TEST_P(RateRounding, of_large_states_does_not_stop_one_that_vanishes) {
  const auto result = forward(simulate::Mode::states, {});

  ASSERT_TRUE(result) << to_string(result.error().error) << " at " << result.error().time;
  EXPECT_NEAR(run.x[0], 0.3 * (amount + amount / 3), 1e-6 * amount);
  EXPECT_NEAR(run.x[2], 0.0, 1e-12 * amount);
}

TEST_P(RateRounding, of_large_states_does_not_stop_sensitivities) {
  const auto result = forward(simulate::Mode::forward, run.s);

  ASSERT_TRUE(result) << to_string(result.error().error) << " at " << result.error().time;
  EXPECT_NEAR(recorder.sensitivities.back()[0], -0.3 * (amount + amount / 3), 1e-6 * amount);  // of a by k
}

TEST(RateRoundingTest, is_that_of_the_terms_in_each_of_several_systems) {
  const jit::Pattern pattern{2, 2, {0, 2, 3}, {0, 1, 1}};  // columns (a, b), (c)
  const std::vector<double> a{1, -2, 3, 4}, b{0, 5, -6, 7}, c{-8, 9, 10, -11};
  const std::vector<double> x{1, 1, -2, 0}, y{-1, 2, 2, 3};
  std::vector<double> jacobian, states, rounding(8);
  for (const auto* part : {&a, &b, &c}) jacobian.insert(jacobian.end(), part->begin(), part->end());
  for (const auto* part : {&x, &y}) states.insert(states.end(), part->begin(), part->end());

  simulate::find_rate_rounding(4, pattern, jacobian.data(), states.data(), rounding.data());

  const double units = 8 * std::numeric_limits<double>::epsilon();
  for (int k = 0; k < 4; ++k) {
    EXPECT_DOUBLE_EQ(rounding[k], units * std::fabs(a[k] * x[k]));
    EXPECT_DOUBLE_EQ(rounding[4 + k], units * (std::fabs(b[k] * x[k]) + std::fabs(c[k] * y[k])));
  }
}
