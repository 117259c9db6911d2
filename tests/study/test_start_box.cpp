#include <cmath>
#include <limits>
#include <numbers>

#include <gmock/gmock.h>

#include "core/error.hpp"
#include "study/start_box.hpp"

using namespace kinetune;
using namespace kinetune::study;
using petab::PriorType;
using petab::Scale;
using testing::HasSubstr;

namespace {

constexpr double u_975 = 1.959963984540054;  // the normal distribution's quantile of 0.975

/// One estimated parameter. Bounds are linear here, as in the table.
LoadedProblem problem(Scale scale, double lower, double upper, std::optional<petab::Prior> prior,
                      double nominal = 1) {
  LoadedProblem loaded;
  loaded.petab.parameters.push_back(
      {"p", "", scale, lower, upper, nominal, petab::Estimate::yes, prior, {}, {"parameters.tsv", 2}});
  loaded.problem.parameters.push_back({"p", "", scale, estimate::scaled(scale, lower),
                                       estimate::scaled(scale, upper), estimate::scaled(scale, nominal),
                                       std::nullopt});
  return loaded;
}

double at(const LoadedProblem& loaded, double u, StartRange range = StartRange::priors, double factor = 10) {
  return start_box(loaded, range, factor).at(std::vector{u}).front();
}

std::string refusal(const LoadedProblem& loaded, StartRange range) {
  try {
    start_box(loaded, range, 10);
  } catch (const core::Error& error) {
    return error.what();
  }
  return "accepted";
}

}  // namespace

TEST(StartBox, without_a_prior_is_uniform_between_the_bounds_on_the_parameters_scale) {
  for (const auto range : {StartRange::priors, StartRange::bounds}) {
    const auto loaded = problem(Scale::log10, 1e-3, 1e1, {});
    EXPECT_DOUBLE_EQ(at(loaded, 0, range), -3);
    EXPECT_DOUBLE_EQ(at(loaded, 0.25, range), -2);
  }
}

TEST(StartBox, follows_a_normal_prior_on_the_parameters_scale) {
  for (const double deviation : {0.5, 1e-3, 1e-9}) {  // however narrow beside the bounds
    const auto loaded =
        problem(Scale::log10, 1e-30, 1e30, petab::Prior{PriorType::parameter_scale_normal, 2, deviation});
    EXPECT_NEAR(at(loaded, 0.5), 2, 0.01 * deviation);
    EXPECT_NEAR(at(loaded, 0.975), 2 + u_975 * deviation, 0.02 * deviation);
    EXPECT_EQ(at(loaded, 0.975, StartRange::bounds), std::lerp(-30.0, 30.0, 0.975));
  }
}

TEST(StartBox, takes_a_prior_of_the_linear_value_to_the_parameters_scale) {
  const auto uniform = problem(Scale::log10, 1e-3, 1e3, petab::Prior{PriorType::uniform, 2, 6});
  EXPECT_NEAR(at(uniform, 0.25), std::log10(3.0), 1e-4);
  EXPECT_GE(at(uniform, 0.0), std::log10(2.0) - 1e-9);
  EXPECT_LE(at(uniform, 1 - 1e-12), std::log10(6.0) + 1e-9);
  const auto log_normal = problem(Scale::log10, 1e-6, 1e6, petab::Prior{PriorType::log_normal, 1.5, 0.4});
  EXPECT_NEAR(at(log_normal, 0.975), (1.5 + u_975 * 0.4) / std::numbers::ln10, 1e-3);
  const auto laplace = problem(Scale::linear, -1e3, 1e3, petab::Prior{PriorType::laplace, 5, 2});
  EXPECT_NEAR(at(laplace, 0.75), 5 + 2 * std::numbers::ln2, 0.01);
}

TEST(StartBox, spreads_over_the_bounds_what_they_leave_of_a_prior) {
  // The upper half of a normal distribution: its median is the whole one's quantile of 0.75.
  const auto loaded = problem(Scale::linear, 2, 100, petab::Prior{PriorType::normal, 2, 3});
  EXPECT_NEAR(at(loaded, 0.5), 2 + 3 * 0.6744897501960817, 0.01);
  EXPECT_GE(at(loaded, 0.0), 2);
}

TEST(StartBox, around_nominal_values_ends_at_the_factor_and_at_the_bounds) {
  const auto wide = problem(Scale::log10, 1e-3, 1e3, {}, 0.5);
  EXPECT_NEAR(at(wide, 0, StartRange::nominal), std::log10(0.05), 1e-12);
  EXPECT_NEAR(at(wide, 1 - 1e-16, StartRange::nominal), std::log10(5.0), 1e-12);
  const auto tight = problem(Scale::linear, 0.4, 0.8, {}, 0.5);
  EXPECT_DOUBLE_EQ(at(tight, 0, StartRange::nominal, 2), 0.4);
  EXPECT_DOUBLE_EQ(at(tight, 0.5, StartRange::nominal, 2), 0.6);
  const auto negative = problem(Scale::linear, -100, 100, {}, -3);
  EXPECT_DOUBLE_EQ(at(negative, 0, StartRange::nominal, 2), -6);
}

TEST(StartBox, refuses_what_nothing_can_be_drawn_from) {
  const double nan = std::nan("");
  EXPECT_THAT(
      refusal(problem(Scale::linear, 0, 1, petab::Prior{PriorType::uniform, 5, 6}), StartRange::priors),
      AllOf(HasSubstr("parameters.tsv:2: "), HasSubstr("'p' has nothing within the bounds")));
  EXPECT_THAT(refusal(problem(Scale::linear, -1, 1, {}, 0), StartRange::nominal), HasSubstr("'p'"));
  EXPECT_THAT(refusal(problem(Scale::linear, -1, 1, {}, nan), StartRange::nominal), HasSubstr("'p'"));
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_THAT(refusal(problem(Scale::linear, 0, infinity, {}), StartRange::priors), HasSubstr("finite"));
}

TEST(StartBox, comes_back_from_bytes_as_it_was) {
  const sample::Box box =
      start_box(problem(Scale::log10, 1e-3, 1e1, petab::Prior{PriorType::parameter_scale_normal, 0, 1}),
                StartRange::priors, 10);
  const sample::Box copy = box_from_bytes(to_bytes(box));
  for (const double u : {0.0, 0.1, 0.7}) EXPECT_EQ(copy.at(std::vector{u}), box.at(std::vector{u}));
}
