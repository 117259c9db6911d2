#include <cmath>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "models.hpp"
#include "simulate/rosenbrock.hpp"
#include "simulate/simulator.hpp"

using namespace kinetune;
using simulate::IntegrationError;
using simulate::IntegratorOptions;
using simulate::LinearSolver;
using simulate::make_rosenbrock;
using simulate::Method;
using simulate::Mode;
using symbolic::Expr;
using test::Recorder;
using test::Simulation;
using test::SmallModel;

namespace {

/// x' = -k x + b cos(w t), y' = k x y - m y: nonlinear, driven by time, parameters in rates and initial
/// values.
SmallModel driven() {
  SmallModel s;
  const Expr k = s.parameter("k", 0), m = s.parameter("m", 0), a = s.parameter("a", 0),
             w = s.parameter("w", 0);
  const Expr x = s.symbol("x"), y = s.symbol("y");
  s.state("x", -k * x + 0.5 * unary(symbolic::Op::cos, w * s.ode.time), a);
  s.state("y", k * x * y - m * y / (y + 2.0), a * a);
  return s;
}
const std::vector<double> driven_parameters{0.8, 1.3, 0.7, 2.0};

/// x(t) of the above.
double driven_x(double k, double a, double w, double t) {
  const double c = 0.5 / (k * k + w * w);
  return (a - c * k) * std::exp(-k * t) + c * (k * std::cos(w * t) + w * std::sin(w * t));
}

SmallModel robertson() {
  SmallModel s;
  const Expr k1 = s.parameter("k1", 0), k2 = s.parameter("k2", 0), k3 = s.parameter("k3", 0);
  const Expr a = s.symbol("a"), b = s.symbol("b"), c = s.symbol("c");
  s.state("a", -k1 * a + k3 * b * c, s.number(1.0));
  s.state("b", k1 * a - k3 * b * c - k2 * b * b, s.number(0.0));
  s.state("c", k2 * b * b, s.number(0.0));
  return s;
}
const std::vector<double> robertson_parameters{0.04, 3e7, 1e4};

/// Weighted sum of all states over the recorded times, and its gradient through rates and initial values.
struct Gradient {
  double value = 0;
  std::vector<double> by_parameter;
};

double sum(const std::vector<double>& v) {
  double total = 0;
  for (const double e : v) total += e;
  return total;
}

Gradient by_forward(simulate::Integrator& integrator, Simulation run, const std::vector<double>& times,
                    const std::vector<double>& weights) {
  Recorder recorder;
  EXPECT_TRUE(integrator.forward(run.segment, Mode::forward, run.x, run.s, times, recorder));
  const std::size_t m = run.active.size();
  Gradient result{0, std::vector<double>(m)};
  for (std::size_t i = 0; i < times.size(); ++i) {
    result.value += weights[i] * sum(recorder.x[i]);
    for (std::size_t e = 0; e < recorder.sensitivities[i].size(); ++e)
      result.by_parameter[e % m] += weights[i] * recorder.sensitivities[i][e];
  }
  return result;
}

Gradient by_adjoint(simulate::Integrator& integrator, Simulation run, const std::vector<double>& times,
                    const std::vector<double>& weights) {
  Recorder recorder;
  recorder.weights = weights;
  integrator.clear_tape();
  const std::vector<double> at_start = run.s;
  EXPECT_TRUE(integrator.forward(run.segment, Mode::adjoint, run.x, {}, times, recorder));
  const std::size_t m = run.active.size();
  std::vector<double> lambda(run.x.size());
  Gradient result{0, std::vector<double>(m)};
  EXPECT_TRUE(integrator.backward(lambda, result.by_parameter));
  for (std::size_t i = 0; i < times.size(); ++i) result.value += weights[i] * sum(recorder.x[i]);
  for (std::size_t e = 0; e < at_start.size(); ++e) {
    if (at_start[e] != 0.0) result.by_parameter[e % m] += lambda[e / m] * at_start[e];
  }
  return result;
}

}  // namespace

class Rosenbrock : public testing::TestWithParam<std::tuple<Method, LinearSolver>> {
 protected:
  IntegratorOptions options{.linear_solver = std::get<1>(GetParam()), .method = std::get<0>(GetParam())};
};
INSTANTIATE_TEST_SUITE_P(, Rosenbrock,
                         testing::Combine(testing::Values(Method::rodas5p, Method::rodas4p2),
                                          testing::Values(LinearSolver::automatic, LinearSolver::dense,
                                                          LinearSolver::klu)));

TEST(RosenbrockOrder, is_lower_at_loose_tolerances_and_what_was_asked_for_otherwise) {
  const auto model = driven().compile();
  EXPECT_EQ(simulate::settled({.rtol = 1e-2}, model.code()), Method::rodas4p2);
  EXPECT_EQ(simulate::settled({.rtol = 1e-5}, model.code()), Method::rodas5p);
  EXPECT_EQ(simulate::settled({.rtol = 1e-2, .method = Method::rodas5p}, model.code()), Method::rodas5p);
}

TEST_P(Rosenbrock, states_and_sensitivities_are_the_analytic_ones) {
  const auto model = driven().compile();
  const auto integrator = make_rosenbrock(model, options);
  Simulation run(model, driven_parameters, 5.0);
  Recorder recorder;
  const std::vector<double> times{0.0, 1.0, 2.5, 5.0};

  ASSERT_TRUE(integrator->forward(run.segment, Mode::forward, run.x, run.s, times, recorder));

  ASSERT_EQ(recorder.x.size(), 4u);
  const auto [k, a, w] = std::tuple(0.8, 0.7, 2.0);
  const double h = 1e-6;
  for (std::size_t i = 0; i < times.size(); ++i) {
    const double t = times[i];
    EXPECT_NEAR(recorder.x[i][0], driven_x(k, a, w, t), 1e-7);
    const auto& s = recorder.sensitivities[i];
    EXPECT_NEAR(s[0], (driven_x(k + h, a, w, t) - driven_x(k - h, a, w, t)) / (2 * h), 1e-6);
    EXPECT_EQ(s[1], 0.0);
    EXPECT_NEAR(s[2], std::exp(-k * t), 1e-7);
    EXPECT_NEAR(s[3], (driven_x(k, a, w + h, t) - driven_x(k, a, w - h, t)) / (2 * h), 1e-6);
  }
  EXPECT_EQ(run.x, recorder.x.back());
  EXPECT_EQ(run.s, recorder.sensitivities.back());
}

TEST_P(Rosenbrock, sensitivities_whose_errors_are_controlled_are_closer_to_the_true_ones) {
  const auto model = driven().compile();
  options.rtol = 1e-4;
  options.atol = 1e-8;
  const auto error_and_steps = [&](simulate::SensitivityErrors errors) {
    options.sensitivity_errors = errors;
    const auto integrator = make_rosenbrock(model, options);
    Simulation run(model, driven_parameters, 5.0);
    Recorder recorder;
    EXPECT_TRUE(integrator->forward(run.segment, Mode::forward, run.x, run.s, {}, recorder));
    const double h = 1e-6, by_w = (driven_x(0.8, 0.7, 2 + h, 5) - driven_x(0.8, 0.7, 2 - h, 5)) / (2 * h);
    return std::pair(std::fabs(run.s[3] - by_w), integrator->take_statistics().steps);
  };
  const auto [error, steps] = error_and_steps(simulate::SensitivityErrors::ignored);
  const auto [controlled, more_steps] = error_and_steps(simulate::SensitivityErrors::controlled);
  EXPECT_GT(more_steps, steps);
  EXPECT_LT(controlled, error);
  EXPECT_LT(controlled, 1e-3);
}

TEST_P(Rosenbrock, forward_and_adjoint_gradients_are_the_same_but_for_rounding) {
  const std::vector<double> weights{1.0, -2.0, 0.5, 3.0, 1.0};
  const std::vector<double> times{0.0, 0.3, 1.0, 3.7, 5.0};
  const auto model = driven().compile();
  const auto integrator = make_rosenbrock(model, options);
  for (const double rtol : {1e-2, 1e-4, 1e-8}) {  // also where steps are rough
    options.rtol = rtol;
    const auto rough = make_rosenbrock(model, options);
    const Simulation run(model, driven_parameters, 5.0);
    const Gradient forward = by_forward(*rough, run, times, weights);
    const Gradient adjoint = by_adjoint(*rough, run, times, weights);
    EXPECT_NEAR(forward.value, adjoint.value, 1e-13);
    for (int k = 0; k < 4; ++k)
      EXPECT_NEAR(forward.by_parameter[k], adjoint.by_parameter[k],
                  1e-12 * (1 + std::fabs(forward.by_parameter[k])));
  }
}

TEST_P(Rosenbrock, a_power_of_a_state_that_starts_at_zero_has_gradients_by_its_exponent) {
  // x' = v, y' = x^n, x(0) = y(0) = 0: y = v^n t^(n + 1) / (n + 1).
  SmallModel s;
  const Expr v = s.parameter("v", 0), n = s.parameter("n", 0);
  s.state("x", v, s.number(0.0));
  s.state("y", pow(s.symbol("x"), n), s.number(0.0));
  const auto model = s.compile();
  const auto integrator = make_rosenbrock(model, options);
  const double t = 1.7, speed = 0.6;
  for (const double exponent : {2.3, 2.5, 4.0}) {
    const double m = exponent + 1, y = std::pow(speed, exponent) * std::pow(t, m) / m;
    const double by_speed = t + exponent * y / speed, by_exponent = y * (std::log(speed * t) - 1 / m);
    const Simulation run(model, {speed, exponent}, t);
    for (const auto& gradient :
         {by_forward(*integrator, run, {t}, {1.0}), by_adjoint(*integrator, run, {t}, {1.0})}) {
      EXPECT_NEAR(gradient.by_parameter[0], by_speed, 1e-6);
      EXPECT_NEAR(gradient.by_parameter[1], by_exponent, 1e-6);
    }
  }
}

TEST_P(Rosenbrock, gradients_pass_a_start_at_which_second_derivatives_are_infinite) {
  // As above, with n (n - 1) x^(n - 2) at x = 0; and a state that stays there.
  const double t = 1.7, speed = 0.6, exponent = 1.5, m = exponent + 1;
  SmallModel s;
  const Expr v = s.parameter("v", 0), n = s.parameter("n", 0);
  s.state("x", v, s.number(0.0));
  s.state("y", pow(s.symbol("x"), n), s.number(0.0));
  s.state("rest", s.number(0.0) * v, s.number(0.0));
  s.state("follower", pow(s.symbol("rest"), n) - n * s.symbol("follower"), s.number(0.0));
  const auto model = s.compile();
  const auto integrator = make_rosenbrock(model, options);
  const Simulation run(model, {speed, exponent}, t);
  const double y = std::pow(speed, exponent) * std::pow(t, m) / m;
  for (const auto& gradient :
       {by_forward(*integrator, run, {t}, {1.0}), by_adjoint(*integrator, run, {t}, {1.0})}) {
    EXPECT_NEAR(gradient.by_parameter[0], t + exponent * y / speed, 1e-6);
    EXPECT_NEAR(gradient.by_parameter[1], y * (std::log(speed * t) - 1 / m), 1e-6);
  }
}

TEST_P(Rosenbrock, steps_whose_stages_do_not_fit_on_the_tape_give_the_same_gradient) {
  const auto model = driven().compile();
  const Simulation run(model, driven_parameters, 5.0);
  const std::vector<double> times{0.3, 5.0}, weights{1.0, 2.0};
  const auto expected = by_adjoint(*make_rosenbrock(model, options), run, times, weights);
  for (const std::size_t kept : {0, 1000}) {  // none, and those of some steps
    const auto integrator = make_simulator(model, make_rosenbrock_pieces(model, options, kept), options.rtol);
    for (int repeat = 0; repeat < 2; ++repeat) {
      const auto found = by_adjoint(*integrator, run, times, weights);
      for (int k = 0; k < 4; ++k) EXPECT_NEAR(found.by_parameter[k], expected.by_parameter[k], 1e-12);
    }
  }
}

TEST_P(Rosenbrock, forward_and_adjoint_agree_on_stiff_kinetics) {
  const auto model = robertson().compile();
  const auto integrator = make_rosenbrock(model, options);
  const Simulation run(model, robertson_parameters, 400.0);
  const std::vector<double> times{0.0, 0.4, 4.0, 40.0, 400.0};
  // The sum of the states is conserved: let errors of one not hide behind another's.
  Simulation forward = run, adjoint = run;
  Recorder recorder;
  ASSERT_TRUE(integrator->forward(forward.segment, Mode::forward, forward.x, forward.s, times, recorder));
  Recorder none;
  none.weights.assign(times.size(), 0.0);
  ASSERT_TRUE(integrator->forward(adjoint.segment, Mode::adjoint, adjoint.x, {}, times, none));
  std::vector<double> lambda{1.0, 0.0, 0.0}, gradient(3);
  ASSERT_TRUE(integrator->backward(lambda, gradient));
  for (int k = 0; k < 3; ++k) EXPECT_NEAR(gradient[k] / forward.s[k], 1.0, 1e-10);
}

TEST_P(Rosenbrock, stiff_kinetics_reach_the_published_solution) {
  const auto model = robertson().compile();
  const auto integrator = make_rosenbrock(model, options);
  Simulation run(model, robertson_parameters, 40.0);
  Recorder recorder;

  ASSERT_TRUE(integrator->forward(run.segment, Mode::states, run.x, {}, std::vector{40.0}, recorder));

  EXPECT_NEAR(run.x[0], 0.7158270687194, 1e-8);  // IVP test set / Hairer & Wanner, t = 40
  EXPECT_NEAR(run.x[1], 9.185534764558e-6, 1e-12);
  EXPECT_NEAR(run.x[2], 0.2841637457458, 1e-8);
}

TEST_P(Rosenbrock, steps_shrink_with_the_tolerance_as_the_order_says) {
  const auto model = driven().compile();
  const auto n_steps = [&](double rtol) {
    options.rtol = rtol;
    options.atol = 1e-3 * rtol;
    const auto integrator = make_rosenbrock(model, options);
    Simulation run(model, driven_parameters, 5.0);
    Recorder recorder;
    EXPECT_TRUE(integrator->forward(run.segment, Mode::states, run.x, {}, {}, recorder));
    return static_cast<double>(integrator->take_statistics().steps);
  };
  // The error estimate's order is one below the method's: the error of a step goes with h^order.
  const double order = options.method == Method::rodas5p ? 5.0 : 4.0;
  EXPECT_NEAR(std::log(1e4) / std::log(n_steps(1e-11) / n_steps(1e-7)), order, 0.8);
}

TEST_P(Rosenbrock, the_same_call_gives_the_same_numbers_whatever_came_before) {
  const auto model = driven().compile();
  const auto integrator = make_rosenbrock(model, options);
  const Simulation run(model, driven_parameters, 5.0), other(model, {100.0, 7.0, 3.0, 1.0}, 0.1);
  const auto first = by_forward(*integrator, run, {5.0}, {1.0});
  by_adjoint(*integrator, other, {0.05}, {1.0});
  const auto second = by_forward(*integrator, run, {5.0}, {1.0});
  EXPECT_EQ(first.by_parameter, second.by_parameter);
}

TEST_P(Rosenbrock, columns_without_a_parameter_carry_on_what_came_before) {
  const auto model = driven().compile();
  const auto integrator = make_rosenbrock(model, options);
  Simulation run(model, driven_parameters, 1.0);
  run.active = {0, -1, 2};
  run.segment.active = run.active;
  run.s = {0.0, 1.0, 1.0, 0.0, 0.0, 1.4};
  Simulation all(model, driven_parameters, 1.0);
  Recorder recorder;
  ASSERT_TRUE(integrator->forward(run.segment, Mode::forward, run.x, run.s, {}, recorder));
  ASSERT_TRUE(integrator->forward(all.segment, Mode::forward, all.x, all.s, {}, recorder));
  EXPECT_NEAR(run.s[1], std::exp(-0.8), 1e-8);  // x' = -k x: d x(t) / d x(0)
  EXPECT_EQ(run.s[0], all.s[0]);
  EXPECT_EQ(run.s[5], all.s[4 + 2]);
}

TEST_P(Rosenbrock, finite_time_blow_up_is_a_value_that_names_the_time) {
  SmallModel s;
  s.state("x", s.symbol("x") * s.symbol("x"), s.number(1.0));
  const auto model = s.compile();
  const auto integrator = make_rosenbrock(model, options);
  Simulation run(model, {}, 2.0);
  Recorder recorder;

  const auto result = integrator->forward(run.segment, Mode::states, run.x, {}, std::vector{2.0}, recorder);

  ASSERT_FALSE(result.has_value());
  EXPECT_NEAR(result.error().time, 1.0, 1e-2);
}

TEST_P(Rosenbrock, a_limit_of_steps_holds_over_the_whole_segment) {
  const auto model = robertson().compile();
  options.max_steps = 20;
  const auto integrator = make_rosenbrock(model, options);
  Simulation run(model, robertson_parameters, 40.0);
  Recorder recorder;

  const auto result = integrator->forward(run.segment, Mode::states, run.x, {}, std::vector{40.0}, recorder);

  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().error, IntegrationError::too_many_steps);
  EXPECT_LE(integrator->take_statistics().steps, 20);
}

TEST_P(Rosenbrock, rates_that_are_no_numbers_are_told) {
  SmallModel s;
  s.state("x", unary(symbolic::Op::log, s.symbol("x") - 2.0), s.number(1.0));
  const auto model = s.compile();
  const auto integrator = make_rosenbrock(model, options);
  Simulation run(model, {}, 1.0);
  Recorder recorder;

  const auto result = integrator->forward(run.segment, Mode::states, run.x, {}, std::vector{1.0}, recorder);

  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().error, IntegrationError::not_finite);
}

TEST_P(Rosenbrock, many_columns_are_carried_in_blocks_of_any_number) {
  SmallModel s;
  Expr rate = s.number(0.0);
  std::vector<double> values;
  for (int k = 0; k < 27; ++k) {  // one block of 16 and one that is not full
    const std::string name = "p" + std::to_string(k);
    s.ode.parameters.push_back({name, s.symbol(name.c_str()), 0.0});
    rate = rate + s.symbol(name.c_str()) * pow(s.ode.time, static_cast<double>(k % 5));
    values.push_back(0.1 * k);
  }
  s.state("x", rate - s.symbol("x"), s.number(0.0));
  s.state("integral", s.symbol("x"), s.number(0.0));
  const auto model = s.compile();
  const auto integrator = make_rosenbrock(model, options);
  const Simulation run(model, values, 2.0);
  const auto forward = by_forward(*integrator, run, {0.7, 2.0}, {1.0, 2.0});
  const auto adjoint = by_adjoint(*integrator, run, {0.7, 2.0}, {1.0, 2.0});
  // x + integral grows with the sum of the drives: d/dp_k of it is t^(n+1) / (n+1).
  for (int k = 0; k < 27; ++k) {
    const int n = k % 5 + 1;
    EXPECT_NEAR(forward.by_parameter[k], (std::pow(0.7, n) + 2.0 * std::pow(2.0, n)) / n, 1e-6);
    EXPECT_NEAR(forward.by_parameter[k], adjoint.by_parameter[k], 1e-12);
  }
}

TEST(RosenbrockWithoutStates, every_time_is_visited) {
  SmallModel s;
  s.parameter("k", 1.0);
  const auto model = s.compile();
  const auto integrator = make_rosenbrock(model, {.method = Method::rodas5p});
  Simulation run(model, {1.0}, 2.0);
  Recorder recorder;
  ASSERT_TRUE(
      integrator->forward(run.segment, Mode::states, run.x, run.s, std::vector{0.0, 1.0, 2.0}, recorder));
  EXPECT_EQ(recorder.x.size(), 3u);
}

TEST(RosenbrockWithoutSecondDerivatives, is_refused) {
  const jit::CompiledModel model(jit::compile({model::flatten(driven().ode), {}, {}, {}}));
  EXPECT_THROW(make_rosenbrock(model, {.method = Method::rodas5p}), core::Error);
}
