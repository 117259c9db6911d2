#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "estimate/prior.hpp"
#include "estimate/prior_mass.hpp"

using namespace kinetune;
using namespace kinetune::estimate;
using petab::PriorType;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

struct Case {
  const char* name;
  Prior prior;
};

const Case cases[]{{"uniform", {PriorType::uniform, 2, 8, 0, 6}},
                   {"normal", {PriorType::normal, 4, 2, 0, 10}},
                   {"far_normal", {PriorType::normal, -8, 1.5, 1, 4}},
                   {"laplace", {PriorType::laplace, 3, 5, 0, 10}},
                   {"right_laplace", {PriorType::laplace, 1, 2, 3, 10}},
                   {"log_normal", {PriorType::log_normal, 1, 0.7, 0.5, 10}},
                   {"log_laplace", {PriorType::log_laplace, 0.5, 0.6, 0.4, 9}},
                   {"log_uniform", {PriorType::log_uniform, 3, 7, 1, 5}},
                   {"cauchy", {PriorType::cauchy, 3, 5, 0, 10}},
                   {"chi_square", {PriorType::chi_square, 4, 0, 0.5, 10}},
                   {"exponential", {PriorType::exponential, 3, 0, 0, 10}},
                   {"gamma", {PriorType::gamma, 3, 5, 0, 10}},
                   {"narrow_gamma", {PriorType::gamma, 9, 0.2, 0.5, 10}},
                   {"rayleigh", {PriorType::rayleigh, 3, 0, 0.1, 10}}};

class TruncatedPrior : public testing::TestWithParam<Case> {};
INSTANTIATE_TEST_SUITE_P(, TruncatedPrior, testing::ValuesIn(cases),
                         [](const auto& info) { return std::string(info.param.name); });

/// Midpoint rule, which needs no value at the ends.
template <class Function>
double integral(Function&& f, double from, double to) {
  constexpr int n = 400000;
  double sum = 0;
  for (int i = 0; i < n; ++i) sum += f(from + (to - from) * (i + 0.5) / n);
  return sum * (to - from) / n;
}

}  // namespace

TEST_P(TruncatedPrior, integrates_to_one_between_its_bounds) {
  const Prior& prior = GetParam().prior;
  const auto density = [&](double x) { return std::exp(-prior_term(prior, Scale::linear, x).value); };
  EXPECT_NEAR(integral(density, prior.truncated_below, prior.truncated_above), 1.0, 2e-5);
  EXPECT_EQ(density(prior.truncated_below - 1e-9), 0.0);
  EXPECT_EQ(density(prior.truncated_above + 1e-9), 0.0);
}

TEST_P(TruncatedPrior, has_the_slope_of_its_value) {
  const Prior& prior = GetParam().prior;
  const double x = 4.0 - 0.03, h = 1e-5;
  const auto value = [&](double at) { return prior_term(prior, Scale::linear, at).value; };
  const PriorTerm term = prior_term(prior, Scale::linear, x);
  EXPECT_NEAR(term.slope, (value(x + h) - value(x - h)) / (2 * h), 1e-7);
  EXPECT_GE(term.curvature, 0.0);
}

TEST(PriorMass, is_one_where_nothing_is_cut_off) {
  EXPECT_EQ(prior_mass({PriorType::gamma, 3, 5}), 1.0);
  EXPECT_NEAR(prior_mass({PriorType::gamma, 3, 5, 0, infinity}), 1.0, 1e-15);
  EXPECT_NEAR(prior_mass({PriorType::log_normal, 3, 5, 0, infinity}), 1.0, 1e-15);
}
