#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "estimate/problem_files.hpp"
#include "study/choose_method.hpp"

using namespace kinetune;
using estimate::Sensitivities;
using optimize::Order;
using simulate::Method;

namespace {

struct ChooseMethod : testing::Test {
  estimate::test::ProblemFiles files;
  estimate::Joined joined = estimate::test::read_joined(files.yaml());
  std::vector<std::vector<double>> points{{-0.1, 4.0}, {0.4, 2.0}};

  jit::ModelCode code(jit::Derivatives derivatives = jit::Derivatives::second) const {
    return jit::compile(joined.sources.front(), {.derivatives = derivatives});
  }

  std::vector<study::MethodTime> choose(const jit::ModelCode& c, estimate::PosteriorOptions& options,
                                        Order order = Order::gradient, int n_at_once = 1) const {
    return study::choose_method(
        joined.problem, {c}, order, points, n_at_once, [] { return false; }, options);
  }
};

}  // namespace

TEST_F(ChooseMethod, takes_the_fastest_of_all_ways_that_are_open) {
  estimate::PosteriorOptions options{.integrator = {.method = Method::automatic}};
  const auto times = choose(code(), options);
  EXPECT_EQ(times.size(), 6u);  // three integrators, two kinds of sensitivities
  EXPECT_EQ(options.integrator.method, times.front().method);
  EXPECT_EQ(options.sensitivities, times.front().sensitivities);
  EXPECT_TRUE(std::ranges::is_sorted(times, {}, &study::MethodTime::seconds));
  for (const auto& t : times) EXPECT_TRUE(t.seconds > 0.0 && std::isfinite(t.seconds));
}

TEST_F(ChooseMethod, leaves_alone_what_is_forced) {
  estimate::PosteriorOptions both{.integrator = {.method = Method::rodas5p},
                                  .sensitivities = Sensitivities::adjoint};
  EXPECT_TRUE(choose(code(), both).empty());
  EXPECT_EQ(both.integrator.method, Method::rodas5p);
  EXPECT_EQ(both.sensitivities, Sensitivities::adjoint);

  estimate::PosteriorOptions method{.integrator = {.method = Method::rodas4p2}};
  EXPECT_EQ(choose(code(), method).size(), 2u);
  EXPECT_EQ(method.integrator.method, Method::rodas4p2);
  EXPECT_NE(method.sensitivities, Sensitivities::automatic);

  estimate::PosteriorOptions mode{.integrator = {.method = Method::automatic},
                                  .sensitivities = Sensitivities::adjoint};
  EXPECT_EQ(choose(code(), mode).size(), 3u);
  EXPECT_EQ(mode.sensitivities, Sensitivities::adjoint);
}

TEST_F(ChooseMethod, tries_simulations_side_by_side_where_there_are_kernels_for_it) {
  const int lanes = jit::host_lanes();
  if (lanes == 1) GTEST_SKIP() << "this processor has no registers for several numbers";
  const auto in_lanes =
      jit::compile(joined.sources.front(), {.derivatives = jit::Derivatives::second, .lanes = lanes});

  estimate::PosteriorOptions open{.integrator = {.method = Method::automatic}};
  const auto times = choose(in_lanes, open);
  EXPECT_EQ(times.size(), 10u);  // the Rosenbrock methods each way twice
  EXPECT_EQ(open.integrator.lanes, times.front().lanes);
  EXPECT_EQ(std::ranges::count(times, lanes, &study::MethodTime::lanes), 4);

  estimate::PosteriorOptions with_starts{.integrator = {.method = Method::automatic}};
  for (const auto& t : choose(in_lanes, with_starts, Order::gradient, 100))
    EXPECT_TRUE(t.seconds > 0.0 && std::isfinite(t.seconds));

  estimate::PosteriorOptions forced{.integrator = {.method = Method::automatic, .lanes = lanes}};
  EXPECT_EQ(choose(in_lanes, forced).size(), 6u);
  EXPECT_EQ(forced.integrator.lanes, lanes);
}

TEST_F(ChooseMethod, leaves_models_without_second_derivatives_to_cvodes) {
  estimate::PosteriorOptions options{.integrator = {.method = Method::automatic}};
  EXPECT_EQ(choose(code(jit::Derivatives::first), options).size(), 2u);
  EXPECT_EQ(options.integrator.method, Method::cvodes);
}

TEST_F(ChooseMethod, knows_that_gauss_newton_matrices_need_forward_sensitivities) {
  estimate::PosteriorOptions options{.integrator = {.method = Method::automatic}};
  EXPECT_EQ(choose(code(), options, Order::gauss_newton).size(), 3u);
  EXPECT_EQ(options.sensitivities, Sensitivities::forward);
}

TEST_F(ChooseMethod, passes_over_a_way_that_fails_where_others_do_not) {
  // At tight tolerances a method of order 4 needs many more steps than CVODES: let it have only as many.
  estimate::PosteriorOptions options{
      .integrator = {.rtol = 1e-12, .atol = 1e-16, .max_steps = 100000, .method = Method::cvodes},
      .sensitivities = Sensitivities::forward};
  estimate::Details details;
  long most = 0;
  for (const auto& x : points) {
    ASSERT_TRUE(estimate::Posterior(joined.problem, {code()}, options).assess(x, Order::gradient, &details));
    for (const auto& s : details.simulations) most = std::max(most, s.statistics.steps);
  }
  options.integrator.max_steps = static_cast<int>(most) + 10;
  options.integrator.method = Method::automatic;

  const auto times = choose(code(), options);

  EXPECT_NE(options.integrator.method, Method::rodas4p2);
  for (const auto& t : times) {
    const bool must_have_failed = t.method == Method::rodas4p2, must_have_done = t.method == Method::cvodes;
    EXPECT_TRUE(!must_have_done || std::isfinite(t.seconds));
    EXPECT_TRUE(!must_have_failed || std::isinf(t.seconds));
  }
}

TEST_F(ChooseMethod, ends_with_what_it_knows_when_it_is_asked_to_stop) {
  estimate::PosteriorOptions options{.integrator = {.method = Method::automatic}};
  int n_asked = 0;
  const auto times = study::choose_method(
      joined.problem, {code()}, Order::gradient, points, 1, [&] { return ++n_asked > 0; }, options);
  EXPECT_GT(n_asked, 0);
  EXPECT_EQ(options.integrator.method, Method::rodas5p);
  EXPECT_EQ(options.sensitivities, Sensitivities::adjoint);
  for (const auto& t : times) EXPECT_TRUE(std::isinf(t.seconds));
}
