#include <cmath>

#include <gtest/gtest.h>

#include "models.hpp"
#include "simulate/lane_integrator.hpp"
#include "simulate/rosenbrock.hpp"
#include "simulate/simulator.hpp"

using namespace kinetune;
using simulate::make_rosenbrock;
using simulate::Method;
using simulate::Mode;
using symbolic::Expr;
using test::Recorder;
using test::Simulation;
using test::SmallModel;

namespace {

// Parameters at which nothing moves: no influx, and no difference between production and decay.
constexpr double influx = 0.0, k = 1.0, d = 0.5, w = 3.0;
const std::vector<double> at_rest{influx, k, d, w};

/// A cascade a -> b and an undamped oscillator (q, r), all at 0 without influx; c rests at 1 as long as both
/// of its rates are k.
SmallModel resting() {
  SmallModel s;
  const Expr p = s.parameter("influx", influx), by_k = s.parameter("k", k), by_d = s.parameter("d", d),
             by_w = s.parameter("w", w);
  const Expr a = s.symbol("a"), b = s.symbol("b"), q = s.symbol("q"), r = s.symbol("r"), c = s.symbol("c");
  s.state("a", p - by_k * a, s.number(0));
  s.state("b", by_k * a - by_d * b, s.number(0));
  s.state("q", p + by_w * r, s.number(0));
  s.state("r", -by_w * q, s.number(0));
  s.state("c", s.number(k) - by_k * c, s.number(1));
  return s;
}

/// (states) derivatives by the influx.
std::vector<double> by_influx(double t) {
  return {(1 - std::exp(-k * t)) / k,
          (1 - std::exp(-d * t)) / d - (std::exp(-k * t) - std::exp(-d * t)) / (d - k), std::sin(w * t) / w,
          -(1 - std::cos(w * t)) / w, 0.0};
}
double c_by_k(double t) { return -(1 - std::exp(-k * t)) / k; }

const std::vector<double> times{0.5, 7.0, 20.0};

void expect_analytic_gradient(const std::vector<double>& gradient, const std::vector<double>& weights) {
  double by_p = 0, by_rate = 0;
  for (std::size_t i = 0; i < times.size(); ++i) {
    for (const double s : by_influx(times[i])) by_p += weights[i] * s;
    by_rate += weights[i] * c_by_k(times[i]);
  }
  EXPECT_NEAR(gradient[0], by_p, 1e-5);
  EXPECT_NEAR(gradient[1], by_rate, 1e-5);
}

class AtRest : public testing::TestWithParam<Method> {};
INSTANTIATE_TEST_SUITE_P(, AtRest, testing::Values(Method::rodas5p, Method::rodas4p2));

}  // namespace

TEST_P(AtRest, sensitivities_are_the_analytic_ones_at_every_time) {
  const auto model = resting().compile();
  const auto integrator = make_rosenbrock(model, {.method = GetParam()});
  Simulation run(model, at_rest, times.back());
  Recorder recorder;
  ASSERT_TRUE(integrator->forward(run.segment, Mode::forward, run.x, run.s, times, recorder));
  for (std::size_t i = 0; i < times.size(); ++i) {
    const auto& s = recorder.sensitivities[i];
    const auto expected = by_influx(times[i]);
    for (std::size_t state = 0; state < expected.size(); ++state)
      EXPECT_NEAR(s[state * at_rest.size()], expected[state], 1e-5) << state << " at " << times[i];
    EXPECT_NEAR(s[4 * at_rest.size() + 1], c_by_k(times[i]), 1e-5);
  }
}

TEST_P(AtRest, adjoints_give_the_analytic_gradient) {
  const auto model = resting().compile();
  const auto integrator = make_rosenbrock(model, {.method = GetParam()});
  Simulation run(model, at_rest, times.back());
  Recorder recorder;
  recorder.weights = {1.0, -2.0, 0.7};
  ASSERT_TRUE(integrator->forward(run.segment, Mode::adjoint, run.x, {}, times, recorder));
  std::vector<double> lambda(run.x.size()), gradient(at_rest.size());
  ASSERT_TRUE(integrator->backward(lambda, gradient));
  expect_analytic_gradient(gradient, recorder.weights);
}

TEST_P(AtRest, lanes_rest_or_move_each_by_itself) {
  if (jit::host_lanes() == 1) GTEST_SKIP() << "this processor has no registers for lanes";
  const auto model = resting().compile(jit::host_lanes());
  simulate::LaneIntegrator lanes(model, {.method = GetParam()});
  Simulation resting(model, at_rest, times.back()), moving(model, {0.3, k, d, w}, times.back());
  Recorder recorders[2];
  for (Recorder& recorder : recorders) recorder.weights = {1.0, -2.0, 0.7};
  std::vector<simulate::LaneTask> tasks{{resting.segment, resting.x, {}, times, &recorders[0]},
                                        {moving.segment, moving.x, {}, times, &recorders[1]}};
  lanes.forward(tasks, Mode::adjoint);
  std::vector<double> lambda[2], gradient[2];
  for (int i : {0, 1}) {
    lambda[i].resize(resting.x.size());
    gradient[i].resize(at_rest.size());
  }
  std::vector<simulate::LaneReturn> returns{{lambda[0], gradient[0]}, {lambda[1], gradient[1]}};
  lanes.backward(returns);
  for (int i : {0, 1}) {
    ASSERT_TRUE(tasks[i].done);
    ASSERT_TRUE(returns[i].done);
  }
  expect_analytic_gradient(gradient[0], recorders[0].weights);
  EXPECT_NEAR(gradient[1][0], gradient[0][0], 1e-5);  // the model is linear in the influx
}

TEST_P(AtRest, simulations_without_derivatives_take_one_step) {
  const auto model = resting().compile();
  const auto integrator = make_rosenbrock(model, {.method = GetParam()});
  Simulation run(model, at_rest, times.back());
  run.active.clear();
  run.segment.active = run.active;
  Recorder recorder;
  ASSERT_TRUE(integrator->forward(run.segment, Mode::states, run.x, {}, times, recorder));
  EXPECT_EQ(integrator->take_statistics().steps, 1);
}

TEST_P(AtRest, a_state_on_an_unstable_threshold_is_followed_for_as_long_as_its_displacement_is_a_number) {
  SmallModel s;
  const Expr growth = s.parameter("growth", 70), x = s.symbol("x");
  s.state("x", growth * x * (s.number(1) - x), s.number(0));
  const auto model = s.compile();
  const auto integrator = make_rosenbrock(model, {.method = GetParam()});
  Simulation run(model, {70}, 1000);
  Recorder recorder;
  ASSERT_TRUE(integrator->forward(run.segment, Mode::forward, run.x, run.s, {}, recorder));
  EXPECT_EQ(run.x[0], 0.0);
  EXPECT_EQ(run.s[0], 0.0);
  EXPECT_LT(integrator->take_statistics().steps, 5000);
}
