#include <cmath>

#include <gtest/gtest.h>

#include "event_model.hpp"
#include "simulate/steady_state.hpp"

using namespace kinetune;
using simulate::IntegrationError;
using simulate::SteadyPoint;
using simulate::SteadyStates;
using simulate::SteadyStateSearch;
using symbolic::Expr;
using symbolic::Op;
using test::EventModel;
using test::Simulation;
using test::SmallModel;

namespace {

/// x goes where it settles, with sensitivities and with the gradient of sum_i weight_i x_i.
struct Settled {
  std::expected<SteadyPoint, simulate::IntegrationFailure> point;
  std::vector<double> sensitivities;  ///< (n_states, n_parameters)
  std::vector<double> gradient;       ///< (n_parameters)
  long n_steps = 0;                   ///< of integration, until the point was found
};

Settled settle(const jit::CompiledModel& model, const std::vector<double>& parameters,
               const std::vector<double>& weights = {},
               SteadyStateSearch search = SteadyStateSearch::integrate) {
  const auto options = test::WithMethod::options({.rtol = 1e-9, .atol = 1e-13, .steady_state = search});
  const auto integrator = simulate::make_integrator(model, options);
  SteadyStates steady_states(model, options);
  Simulation run(model, parameters, 0.0);
  Settled result{steady_states.find(*integrator, run.segment, run.x), run.s, {}};
  result.n_steps = integrator->take_statistics().steps;
  if (!result.point || weights.empty()) return result;
  EXPECT_TRUE(steady_states.forward(*integrator, run.segment, *result.point, result.sensitivities));
  std::vector<double> adjoint = weights;
  result.gradient.assign(run.active.size(), 0.0);
  integrator->clear_tape();
  EXPECT_TRUE(steady_states.backward(*integrator, run.segment, *result.point, adjoint, result.gradient));
  const auto& pattern = model.code().initials_by_parameter;
  std::vector<double> initials(pattern.n_nonzeros());
  model.initials_by_parameter(0.0, run.prelude.data(), initials.data());
  for (int j = 0; j < pattern.n_cols; ++j) {
    for (int e = pattern.column_starts[j]; e < pattern.column_starts[j + 1]; ++e)
      result.gradient[j] += adjoint[pattern.rows[e]] * initials[e];
  }
  return result;
}

/// a <-> b with rates k1 and k2: a + b is conserved, and a settles at k2 (a0 + b0) / (k1 + k2).
SmallModel reversible() {
  SmallModel s;
  const Expr k1 = s.parameter("k1", 0), k2 = s.parameter("k2", 0), a0 = s.parameter("a0", 0),
             b0 = s.parameter("b0", 0);
  const Expr flow = k1 * s.symbol("a") - k2 * s.symbol("b");
  s.state("a", -flow, a0);
  s.state("b", flow, b0);
  return s;
}

/// x' = x - x^3 + push: settles at -1 or 1, and 0 is a solution of f = 0 that nothing comes to.
SmallModel two_valleys() {
  SmallModel s;
  const Expr x0 = s.parameter("x0", 0), x = s.symbol("x");
  s.state("x", x - x * x * x, x0);
  return s;
}

IntegrationError failure(const SmallModel& model, const std::vector<double>& parameters,
                         SteadyStateSearch search = SteadyStateSearch::integrate) {
  const auto compiled = model.compile();
  const auto settled = settle(compiled, parameters, {}, search);
  return settled.point ? IntegrationError::internal : settled.point.error().error;
}

}  // namespace

class SteadyState : public test::WithMethod {};
INSTANTIATE_TEST_SUITE_P(, SteadyState, test::all_methods);

class RosenbrockSteadyState : public test::WithMethod {};
INSTANTIATE_TEST_SUITE_P(, RosenbrockSteadyState,
                         testing::Values(simulate::Method::rodas5p, simulate::Method::rodas4p2));

TEST_P(RosenbrockSteadyState, is_found_where_a_state_vanishes_as_a_difference_of_large_ones) {
  SmallModel s;  // a and b settle at l / (k + l) and k / (k + l) of 4e9, whatever x does
  const Expr k = s.parameter("k", 0), l = s.parameter("l", 0);
  const Expr net = k * s.symbol("a") - l * s.symbol("b");
  s.state("a", -net, s.number(3e9));
  s.state("b", net, s.number(1e9));
  s.state("x", net - s.symbol("x"), s.number(5e8));
  const auto model = s.compile();

  const auto settled = settle(model, {0.7, 0.3}, {1.0, 0.0, 1.0});

  ASSERT_TRUE(settled.point) << to_string(settled.point.error().error);
  EXPECT_NEAR(settled.point->x[0], 1.2e9, 1e-3);
  EXPECT_NEAR(settled.point->x[2], 0.0, 1e-3);
  EXPECT_NEAR(settled.gradient[0], -1.2e9, 1.0);      // -l 4e9 / (k + l)^2
  EXPECT_NEAR(settled.sensitivities[1], 2.8e9, 1.0);  // k 4e9 / (k + l)^2
}

TEST_P(SteadyState, is_found_where_an_equation_determines_a_state) {
  SmallModel s;  // x settles at production, y at its root
  const Expr production = s.parameter("production", 0), x = s.symbol("x"), y = s.parameter("y", 1);
  s.state("x", production - x, s.number(1));
  s.ode.algebraic_unknowns = {y};
  s.ode.algebraic.push_back({y * y - x, {}});
  solve_algebraic(s.ode);
  const auto model = s.compile();

  for (const auto search : {SteadyStateSearch::integrate, SteadyStateSearch::newton}) {
    const auto settled = settle(model, {9}, {0.0, 1.0}, search);

    ASSERT_TRUE(settled.point) << to_string(settled.point.error().error);
    EXPECT_NEAR(settled.point->x[0], 9, 1e-7);
    EXPECT_NEAR(settled.point->x[1], 3, 1e-7);
    EXPECT_NEAR(settled.sensitivities[1], 1.0 / 6.0, 1e-6);
    EXPECT_NEAR(settled.gradient[0], 1.0 / 6.0, 1e-6);
  }
}

TEST_P(SteadyState, production_and_decay_balance) {
  SmallModel s;
  const Expr production = s.parameter("production", 0), decay = s.parameter("decay", 0);
  s.state("x", production - decay * s.symbol("x"), s.number(0.0));
  const auto model = s.compile();

  const auto settled = settle(model, {3.0, 0.5}, {1.0});

  ASSERT_TRUE(settled.point);
  EXPECT_NEAR(settled.point->x[0], 6.0, 1e-12);
  EXPECT_NEAR(settled.sensitivities[0], 2.0, 1e-12);
  EXPECT_NEAR(settled.sensitivities[1], -12.0, 1e-11);
  EXPECT_NEAR(settled.gradient[0], 2.0, 1e-12);
  EXPECT_NEAR(settled.gradient[1], -12.0, 1e-11);
}

TEST_P(SteadyState, a_conserved_quantity_keeps_its_value_and_has_derivatives_by_initial_values) {
  const auto model = reversible().compile();
  const double k1 = 0.7, k2 = 0.2, total = 3.0, k = k1 + k2;

  const auto settled = settle(model, {k1, k2, 2.5, 0.5}, {1.0, 3.0});

  ASSERT_TRUE(settled.point);
  EXPECT_NEAR(settled.point->x[0], k2 * total / k, 1e-11);
  EXPECT_NEAR(settled.point->x[1], k1 * total / k, 1e-11);
  const std::vector<double> of_a{-k2 * total / (k * k), k1 * total / (k * k), k2 / k, k2 / k};
  for (int j = 0; j < 4; ++j) {
    const double of_b = (j < 2 ? 0.0 : 1.0) - of_a[j];
    EXPECT_NEAR(settled.sensitivities[j], of_a[j], 1e-10);
    EXPECT_NEAR(settled.sensitivities[4 + j], of_b, 1e-10);
    EXPECT_NEAR(settled.gradient[j], of_a[j] + 3.0 * of_b, 1e-10);
  }
}

TEST_P(SteadyState, a_conserved_quantity_that_depends_on_a_parameter_has_derivatives_too) {
  // Two compartments of sizes v and 1 exchange: v c + d is conserved, and both settle at (v c0 + d0) / (v +
  // 1).
  SmallModel s;
  const Expr v = s.parameter("v", 0), k = s.parameter("k", 0);
  const Expr flow = k * (s.symbol("c") - s.symbol("d"));
  s.state("c", -flow / v, s.number(4.0));
  s.state("d", flow, s.number(1.0));
  const auto model = s.compile();
  const double size = 2.0, end = (size * 4.0 + 1.0) / (size + 1.0), by_v = (4.0 - end) / (size + 1.0);

  const auto settled = settle(model, {size, 0.3}, {1.0, 2.0});

  ASSERT_TRUE(settled.point);
  EXPECT_NEAR(settled.point->x[0], end, 1e-9);
  EXPECT_NEAR(settled.point->x[1], end, 1e-9);
  EXPECT_NEAR(settled.sensitivities[0], by_v, 1e-5);
  EXPECT_NEAR(settled.sensitivities[1], 0.0, 1e-5);
  EXPECT_NEAR(settled.gradient[0], 3.0 * by_v, 1e-5);
  EXPECT_NEAR(settled.gradient[1], 0.0, 1e-5);
}

TEST_P(SteadyState, is_the_one_that_the_trajectory_comes_to) {
  const auto model = two_valleys().compile();
  // Newton's method from these starts would go to 0, to -1 or far away.
  for (const double start : {0.01, 0.4, 0.58, 3.0})
    EXPECT_NEAR(settle(model, {start}).point->x[0], 1.0, 1e-10);
  EXPECT_NEAR(settle(model, {-0.01}).point->x[0], -1.0, 1e-10);
}

TEST_P(SteadyState, a_start_that_is_steady_but_unstable_is_where_integration_stays) {
  const auto model = two_valleys().compile();
  const auto settled = settle(model, {0.0});
  ASSERT_TRUE(settled.point);
  EXPECT_EQ(settled.point->x[0], 0.0);
}

TEST_P(SteadyState, rates_that_change_at_some_time_are_waited_for) {
  // Settled at 1 from the start, until production doubles at time 1000.
  SmallModel s;
  const Expr when = s.parameter("when", 0);
  const Expr late = binary(Op::less, when, s.ode.time);
  s.state("x", select(late, s.number(2.0), s.number(1.0)) - s.symbol("x"), s.number(1.0));
  const auto model = s.compile();
  const auto settled = settle(model, {1000.0});
  ASSERT_TRUE(settled.point);
  EXPECT_NEAR(settled.point->x[0], 2.0, 1e-10);
}

TEST_P(SteadyState, what_comes_and_goes_on_the_way_is_waited_for) {
  for (const auto search : {SteadyStateSearch::integrate, SteadyStateSearch::newton}) {
    SmallModel pulse;  // between two times there is production, and nothing decays
    const Expr from = pulse.parameter("from", 0), on = binary(Op::less, from, pulse.ode.time);
    const Expr off = binary(Op::less, from + 1.0, pulse.ode.time), zero = pulse.number(0.0);
    pulse.state("x", select(on, select(off, zero, pulse.number(3.0)), zero), pulse.number(1.0));
    const auto pulse_model = pulse.compile();
    EXPECT_NEAR(settle(pulse_model, {500.0}, {}, search).point->x[0], 4.0, 1e-10);

    SmallModel fading;  // production fades away
    fading.state("x", fading.parameter("k", 0) * unary(Op::exp, -fading.ode.time), fading.number(1.0));
    const auto fading_model = fading.compile();
    EXPECT_NEAR(settle(fading_model, {3.0}, {}, search).point->x[0], 4.0, 1e-7);
  }
}

TEST_P(SteadyState, what_the_slowest_reactions_leave_behind_is_waited_for) {
  // z counts what becomes of x, of which y takes away more at first: c (1 - 1 / e) in the end. Beside a
  // reaction 10^13 times faster, and nothing that the rates conserve.
  SmallModel s;
  const Expr c = s.parameter("c", 0), x = s.symbol("x"), y = s.symbol("y"), slow = s.number(1e-9);
  s.state("fast", -1e4 * s.symbol("fast"), s.number(1.0));
  s.state("x", -slow * x * (s.number(1.0) + y), s.number(1.0));
  s.state("y", -slow * y, s.number(1.0));
  s.state("z", c * slow * x, s.number(0.0));
  const auto model = s.compile();
  const auto settled = settle(model, {3.0}, {0.0, 0.0, 0.0, 1.0});
  ASSERT_TRUE(settled.point);
  const double share = 1 - std::exp(-1.0);
  EXPECT_NEAR(settled.point->x[3], 3 * share, 1e-6);
  EXPECT_NEAR(settled.sensitivities[3], share, 1e-6);
  EXPECT_NEAR(settled.gradient[0], share, 1e-6);
}

TEST_P(SteadyState, widely_different_time_scales_are_no_conserved_quantities) {
  // A fast and a slow reaction, 10^9 apart, each with its own balance.
  SmallModel s;
  const Expr slow = s.parameter("slow", 0);
  s.state("x", s.number(2e3) - 1e3 * s.symbol("x"), s.number(0.0));
  s.state("y", slow * (s.symbol("x") - s.symbol("y")), s.number(0.5));
  const auto model = s.compile();
  const auto settled = settle(model, {1e-6}, {0.0, 1.0});
  ASSERT_TRUE(settled.point);
  EXPECT_EQ(settled.point->system->n_conserved(), 0);
  EXPECT_NEAR(settled.point->x[1], 2.0, 1e-9);
}

TEST_P(SteadyState, a_model_that_does_not_settle_is_a_failure_that_says_so) {
  SmallModel growing;
  growing.state("x", growing.parameter("k", 0), growing.number(0.0));
  EXPECT_EQ(failure(growing, {1.0}), IntegrationError::no_steady_state);

  SmallModel exploding;
  exploding.state("x", exploding.parameter("k", 0) * exploding.symbol("x"), exploding.number(1.0));
  EXPECT_EQ(failure(exploding, {1.0}), IntegrationError::no_steady_state);

  SmallModel swinging;
  const Expr w = swinging.parameter("w", 0);
  swinging.state("x", w * swinging.symbol("y"), swinging.number(1.0));
  swinging.state("y", -w * swinging.symbol("x"), swinging.number(0.0));
  EXPECT_EQ(failure(swinging, {1.0}), IntegrationError::no_steady_state);

  SmallModel driven;  // its rates have no value at infinity
  driven.state("x", unary(Op::sin, driven.ode.time) - driven.parameter("d", 0) * driven.symbol("x"),
               driven.number(0.0));
  EXPECT_EQ(failure(driven, {1.0}), IntegrationError::no_steady_state);
}

TEST_P(SteadyState, rates_that_lose_their_value_on_the_way_are_the_reason) {
  SmallModel s;  // at time 2
  s.state("x", -s.parameter("k", 0), s.number(1.0));
  s.state("y", unary(Op::log, s.symbol("x")) - s.symbol("y"), s.number(0.0));
  const auto settled = settle(s.compile(), {0.5});
  ASSERT_FALSE(settled.point);
  EXPECT_EQ(to_string(settled.point.error().error), to_string(IntegrationError::not_finite));
  EXPECT_NEAR(settled.point.error().time, 2.0, 1e-6);
  EXPECT_EQ(settled.point.error().state, 1);
}

TEST_P(SteadyState, an_event_is_waited_for_however_late_it_comes) {
  // x follows s by k, so that it rests after 0.02; then s becomes 2 u s, by the clock or after a delay.
  enum class By { clock, delay, clock_and_state };
  for (const By by : {By::clock, By::delay, By::clock_and_state}) {
    EventModel m;
    const Expr k = m.parameter("k", 0), u = m.parameter("u", 0), s = m.kept("s", 1), x = m.symbol("x");
    m.state("x", k * (s - x), m.number(0));
    const Expr seen = by == By::clock   ? binary(Op::less, m.number(5000), m.time)
                      : by == By::delay ? binary(Op::less, m.number(0.5), x)
                                        : binary(Op::less, m.number(5000), m.time * x);
    auto& event = m.event(seen, {{s, m.number(2) * u * s}});
    if (by == By::delay) event.delay = m.number(5000) * u;
    const auto model = m.compile();

    // The factor may be 1, so that the event changes nothing but derivatives.
    for (const double u0 : {1.3, 0.5}) {
      SCOPED_TRACE(testing::Message() << "by " << static_cast<int>(by) << ", u " << u0);
      const auto settled = settle(model, {1000.0, u0}, {0.0, 1.0});

      ASSERT_TRUE(settled.point) << to_string(settled.point.error().error);
      EXPECT_NEAR(settled.point->x[1], 2 * u0, 1e-8);
      EXPECT_NEAR(settled.sensitivities[3], 2.0, 1e-6);
      EXPECT_NEAR(settled.gradient[1], 2.0, 1e-6);
    }
  }
}

TEST_P(SteadyState, events_that_recur_and_change_nothing_are_not_waited_for) {
  EventModel m;  // what is added every hundred time units is nothing
  const Expr k = m.parameter("k", 0), x = m.symbol("x"), n = m.kept("n", 0);
  m.state("x", k - x, m.number(0));
  m.event(binary(Op::less, m.number(50), binary(Op::remainder, m.time, m.number(100))), {{x, x}});
  m.event(binary(Op::less, m.number(1e30), m.time), {{n, m.number(1)}});  // nor is what never comes
  const auto settled = settle(m.compile(), {3.0}, {0.0, 1.0});
  ASSERT_TRUE(settled.point) << to_string(settled.point.error().error);
  EXPECT_NEAR(settled.point->x[1], 3.0, 1e-8);
  EXPECT_NEAR(settled.gradient[0], 1.0, 1e-6);
}

TEST_P(SteadyState, events_and_discontinuities_that_never_end_are_none_and_cost_no_more_than_steps) {
  const long most = 2 * simulate::IntegratorOptions{}.max_steps;
  const auto expect_none = [&](const SmallModel& m) {
    const auto model = m.compile();
    const auto settled = settle(model, {1.0});
    ASSERT_FALSE(settled.point);
    EXPECT_EQ(settled.point.error().error, IntegrationError::no_steady_state);
    EXPECT_LE(settled.n_steps, most);
  };
  EventModel saw;
  saw.state("x", saw.parameter("k", 0), saw.number(0));
  saw.event(binary(Op::less_equal, saw.number(1), saw.symbol("x")), {{saw.symbol("x"), saw.number(0)}});
  expect_none(saw);

  EventModel fed;
  fed.state("x", fed.parameter("k", 0) - fed.number(0.1) * fed.symbol("x"), fed.number(0));
  fed.state("y", fed.symbol("x") - fed.symbol("y"), fed.number(1));
  fed.event(binary(Op::less_equal, fed.number(1), fed.symbol("x")), {{fed.symbol("x"), fed.number(0)}});
  expect_none(fed);

  EventModel lit;  // by day
  const Expr day = binary(Op::less, lit.number(0), unary(Op::sin, lit.parameter("w", 0) * lit.time));
  lit.state("x", select(day, lit.number(1), lit.number(0)) - lit.symbol("x"), lit.number(1));
  expect_none(lit);
}

TEST_P(SteadyState, a_state_that_rests_at_single_parameters_alone_has_derivatives_by_neither_method) {
  // x' = p - q rests where p = q, and its sensitivities grow with time.
  SmallModel s;
  s.state("x", s.parameter("p", 0) - s.parameter("q", 0), s.number(1.0));
  const auto model = s.compile();
  const auto options = test::WithMethod::options();
  const auto integrator = simulate::make_integrator(model, options);
  SteadyStates steady_states(model, options);
  Simulation run(model, {2.0, 2.0}, 0.0);
  const auto point = steady_states.find(*integrator, run.segment, run.x);
  ASSERT_TRUE(point);
  std::vector<double> sensitivities = run.s, adjoint{1.0}, gradient(2, 0.0);

  const auto forward = steady_states.forward(*integrator, run.segment, *point, sensitivities);
  integrator->clear_tape();
  const auto backward = steady_states.backward(*integrator, run.segment, *point, adjoint, gradient);

  ASSERT_FALSE(forward);
  ASSERT_FALSE(backward);
  EXPECT_EQ(forward.error().error, IntegrationError::no_steady_state);
  EXPECT_EQ(backward.error().error, IntegrationError::no_steady_state);
}

TEST_P(SteadyState, derivatives_are_of_the_state_that_was_found) {
  // y' = y (c - y) rests at 0, but for so small a start that it is noticed only long afterwards: at 0, dy/dc
  // is 0, at c it is 1. The event never happens.
  EventModel m;
  const Expr c = m.parameter("c", 0), y = m.symbol("y"), n = m.kept("n", 2);
  m.state("y", y * (c - y), m.number(1e-45));
  m.state("x", c - n * m.symbol("x"), m.number(0));
  m.event(binary(Op::less, y, m.number(-1)), {{n, n + c}});
  const auto settled = settle(m.compile(), {0.5}, {1.0, 1.0, 1.0});
  ASSERT_TRUE(settled.point);
  EXPECT_NEAR(settled.point->x[1], 0.0, 1e-9);
  EXPECT_NEAR(settled.sensitivities[1], 0.0, 1e-9);
  EXPECT_NEAR(settled.sensitivities[2], 0.5, 1e-9);
  EXPECT_NEAR(settled.gradient[0], 0.5, 1e-9);
}

TEST_P(SteadyState, derivatives_do_not_mind_that_the_trajectory_is_not_there_yet) {
  // Of a linear model Newton's method finds the state at time 11/3, while x is 0.15 % away from it: close, as
  // the mean over the states goes.
  EventModel m;
  const Expr T = m.parameter("T", 0), a = m.parameter("a", 0), x = m.symbol("x"), q = m.kept("q", 0.3);
  for (const char* other : {"u", "v"}) m.kept(other, 1);
  m.state("x", m.number(3) * (q - x), m.number(0));
  m.event(binary(Op::less, T, m.time), {{q, q + a}});
  const auto settled = settle(m.compile(), {2.25, 0.0352}, {1.0, 0.0, 0.0, 1.0});
  ASSERT_TRUE(settled.point);
  EXPECT_LT(settled.point->time, 4.0);
  EXPECT_NEAR(settled.point->x[3], 0.3352, 1e-9);
  EXPECT_NEAR(settled.sensitivities[6], 0.0, 1e-9);
  EXPECT_NEAR(settled.sensitivities[7], 1.0, 1e-9);
  EXPECT_NEAR(settled.gradient[0], 0.0, 1e-9);
  EXPECT_NEAR(settled.gradient[1], 2.0, 1e-9);
}

TEST_P(RosenbrockSteadyState, has_no_derivatives_where_they_have_to_be_integrated_and_the_trajectory_leaves) {
  // y as above, and p a + b is conserved, so that the implicit function theorem does not apply.
  SmallModel s;
  const Expr c = s.parameter("c", 0), p = s.parameter("p", 0), y = s.symbol("y");
  const Expr flow = s.symbol("a") - s.symbol("b");
  s.state("a", -flow, s.number(1));
  s.state("b", p * flow, s.number(2));
  s.state("y", y * (c - y), s.number(1e-45));
  const auto model = s.compile();
  const auto options = test::WithMethod::options({.rtol = 1e-9, .atol = 1e-13});
  const auto integrator = simulate::make_integrator(model, options);
  SteadyStates steady_states(model, options);
  Simulation run(model, {0.5, 0.5}, 0.0);
  const auto point = steady_states.find(*integrator, run.segment, run.x);
  ASSERT_TRUE(point);
  EXPECT_NEAR(point->x[2], 0.0, 1e-9);
  std::vector<double> sensitivities = run.s, adjoint{0.0, 0.0, 1.0}, gradient(2, 0.0);

  const auto forward = steady_states.forward(*integrator, run.segment, *point, sensitivities);
  integrator->clear_tape();
  const auto backward = steady_states.backward(*integrator, run.segment, *point, adjoint, gradient);

  ASSERT_FALSE(forward);
  ASSERT_FALSE(backward);
  EXPECT_EQ(forward.error().error, IntegrationError::no_steady_state);
  EXPECT_EQ(forward.error().state, 2);
  EXPECT_EQ(backward.error().error, IntegrationError::no_steady_state);
}

TEST_P(SteadyState, derivatives_do_not_mind_that_all_but_rests_before_an_event_or_without_one) {
  // Only x moves, by little, and q becomes b / 2 at the time a + b.
  for (const bool has_event : {true, false}) {
    EventModel m;
    const Expr k = m.parameter("k", 0), a = m.parameter("a", 0), b = m.parameter("b", 0), y = m.symbol("y"),
               x = m.symbol("x"), q = m.kept("q", 0.3);
    m.state("x", m.number(2) * (b - m.number(2) * y - x) - m.number(3) * x, m.number(0.2656 + 1e-9));
    m.state("y", m.number(0.3) * k - m.number(3) * y, m.number(0.1) * k);
    m.event(binary(Op::less, has_event ? a + b : m.number(1), has_event ? m.time : -y),
            {{q, b * m.number(0.5)}});
    const auto settled = settle(m.compile(), {1.02, 0.926, 0.868}, {1.0, 0.0, 1.0});
    ASSERT_TRUE(settled.point);
    const std::vector<double> expected{0.1, 0.0, has_event ? 0.5 : 0.0};
    for (std::size_t j = 0; j < expected.size(); ++j) {
      EXPECT_NEAR(settled.sensitivities[6 + j] + settled.sensitivities[j], expected[j], 1e-9) << j;
      EXPECT_NEAR(settled.gradient[j], expected[j], 1e-9) << j;
    }
  }
}

TEST_P(SteadyState, what_was_found_before_does_not_matter) {
  const auto model = reversible().compile();
  const auto options = test::WithMethod::options();
  const auto integrator = simulate::make_integrator(model, options);
  SteadyStates steady_states(model, options);
  const auto find = [&](const std::vector<double>& parameters) {
    Simulation run(model, parameters, 0.0);
    return steady_states.find(*integrator, run.segment, run.x)->x;
  };
  const auto first = find({0.7, 0.2, 2.5, 0.5});
  find({1e4, 1e-3, 1.0, 0.0});
  EXPECT_EQ(find({0.7, 0.2, 2.5, 0.5}), first);
}

TEST_P(SteadyState, a_model_without_states_is_steady) {
  SmallModel s;
  s.parameter("k", 0);
  const auto model = s.compile();
  EXPECT_TRUE(settle(model, {1.0}).point);
}

TEST_P(SteadyState, an_event_adds_to_what_is_conserved) {
  // A and B exchange by k and l; at time 2, d is added to A: A settles at (a + d) l / (k + l).
  EventModel m;
  const Expr k = m.parameter("k", 0), l = m.parameter("l", 0), a = m.parameter("a", 0),
             d = m.parameter("d", 0);
  const Expr flow = k * m.symbol("A") - l * m.symbol("B");
  m.state("A", -flow, a);
  m.state("B", flow, m.number(0));
  m.event(binary(Op::less_equal, m.number(2), m.time), {{m.symbol("A"), m.symbol("A") + d}});
  const auto model = m.compile();
  const double k0 = 0.5, l0 = 1.5, all = 3.0 + 2.0, share = l0 / (k0 + l0);

  const auto settled = settle(model, {k0, l0, 3.0, 2.0}, {1.0, 0.0});

  ASSERT_TRUE(settled.point);
  EXPECT_NEAR(settled.point->x[0], all * share, 1e-8);
  EXPECT_NEAR(settled.point->x[1], all * (1 - share), 1e-8);
  const std::vector<double> expected{-all * l0 / 4.0, all * k0 / 4.0, share, share};
  for (std::size_t j = 0; j < expected.size(); ++j) {
    EXPECT_NEAR(settled.sensitivities[j], expected[j], 1e-5) << j;
    EXPECT_NEAR(settled.gradient[j], expected[j], 1e-5) << j;
  }
}

TEST_P(SteadyState, an_event_long_after_the_model_seems_to_rest_is_waited_for) {
  EventModel m;  // production doubles at time 1000
  const Expr k = m.parameter("k", 0), factor = m.kept("factor", 1.0);
  m.state("x", k * factor - m.symbol("x"), k);
  m.event(binary(Op::less_equal, m.number(1000), m.time), {{factor, m.number(2)}});
  const auto model = m.compile();
  const auto settled = settle(model, {3.0}, {0.0, 1.0});
  ASSERT_TRUE(settled.point);
  EXPECT_NEAR(settled.point->x[1], 6.0, 1e-8);
  EXPECT_NEAR(settled.sensitivities[1], 2.0, 1e-6);
  EXPECT_NEAR(settled.gradient[0], 2.0, 1e-6);
}

TEST_P(SteadyState, newton_first_needs_no_integration_where_it_finds_one) {
  const auto model = reversible().compile();
  const double k1 = 0.7, k2 = 0.2, total = 3.0, k = k1 + k2;

  const auto settled = settle(model, {k1, k2, 2.5, 0.5}, {1.0, 0.0}, SteadyStateSearch::newton);

  ASSERT_TRUE(settled.point);
  EXPECT_EQ(settled.n_steps, 0);
  EXPECT_NEAR(settled.point->x[0], k2 * total / k, 1e-11);
  EXPECT_NEAR(settled.point->x[1], k1 * total / k, 1e-11);
  const std::vector<double> expected{-k2 * total / (k * k), k1 * total / (k * k), k2 / k, k2 / k};
  for (int j = 0; j < 4; ++j) {
    EXPECT_NEAR(settled.sensitivities[j], expected[j], 1e-10) << j;
    EXPECT_NEAR(settled.gradient[j], expected[j], 1e-10) << j;
  }
}

TEST_P(SteadyState, newton_first_gets_over_bends_with_shorter_steps) {
  SmallModel s;  // production falls with the fourth power of x, from a start far above
  const Expr v = s.parameter("v", 0), x = s.symbol("x"), k = s.parameter("k", 0);
  s.state("x", v / (s.number(1.0) + pow(x, s.number(4.0))) - k * x, s.number(30.0));
  const auto model = s.compile();
  const auto settled = settle(model, {34.0, 1.0}, {1.0}, SteadyStateSearch::newton);
  ASSERT_TRUE(settled.point);
  EXPECT_EQ(settled.n_steps, 0);
  EXPECT_NEAR(settled.point->x[0], 2.0, 1e-11);  // 34 / 17 = 2
  // f = v / (1 + x^4) - k x: f_x = -v 4 x^3 / 289 - 1, f_v = 1 / 17, f_k = -2
  const double slope = -34.0 * 32 / 289 - 1;
  EXPECT_NEAR(settled.gradient[0], -(1.0 / 17) / slope, 1e-10);
  EXPECT_NEAR(settled.gradient[1], 2 / slope, 1e-10);
}

TEST_P(SteadyState, newton_first_does_not_mind_a_clock_that_changes_no_rates) {
  SmallModel s;
  const Expr dose = s.parameter("dose", 0), late = binary(Op::less, s.number(5.0), s.ode.time);
  s.state("x", s.number(2.0) + select(late, dose, s.number(0.0)) - s.symbol("x"), s.number(0.0));
  const auto model = s.compile();
  const auto without = settle(model, {0.0}, {}, SteadyStateSearch::newton);
  const auto with = settle(model, {1.0}, {}, SteadyStateSearch::newton);
  EXPECT_EQ(without.n_steps, 0);
  EXPECT_NEAR(without.point->x[0], 2.0, 1e-12);
  EXPECT_GT(with.n_steps, 0);
  EXPECT_NEAR(with.point->x[0], 3.0, 1e-8);
}

TEST_P(SteadyState, newton_first_may_find_another_one_than_the_trajectory) {
  const auto model = two_valleys().compile();
  EXPECT_NEAR(settle(model, {-0.5}).point->x[0], -1.0, 1e-10);
  EXPECT_NEAR(settle(model, {-0.5}, {}, SteadyStateSearch::newton).point->x[0], 1.0, 1e-10);
}

TEST_P(SteadyState, newton_first_finds_none_with_negative_states_where_it_starts_without) {
  const auto model = two_valleys().compile();  // Newton's method goes from 0.5 to -1
  EXPECT_NEAR(settle(model, {0.5}, {}, SteadyStateSearch::newton).point->x[0], 1.0, 1e-10);
}

TEST_P(SteadyState, newton_first_leaves_to_integration_what_is_unstable_or_depends_on_time) {
  const auto valleys = two_valleys().compile();
  EXPECT_NEAR(settle(valleys, {0.01}, {}, SteadyStateSearch::newton).point->x[0], 1.0, 1e-10);

  SmallModel late;  // settled at 1 from the start, until production doubles at time 1000
  const Expr is_late = binary(Op::less, late.parameter("when", 0), late.ode.time);
  late.state("x", select(is_late, late.number(2.0), late.number(1.0)) - late.symbol("x"), late.number(1.0));
  const auto late_model = late.compile();
  EXPECT_NEAR(settle(late_model, {1000.0}, {}, SteadyStateSearch::newton).point->x[0], 2.0, 1e-10);

  SmallModel swinging;
  const Expr w = swinging.parameter("w", 0);
  swinging.state("x", w * swinging.symbol("y"), swinging.number(1.0));
  swinging.state("y", -w * swinging.symbol("x"), swinging.number(0.0));
  EXPECT_EQ(failure(swinging, {1.0}, SteadyStateSearch::newton), IntegrationError::no_steady_state);
}

TEST_P(SteadyState, newton_first_leaves_to_integration_conserved_quantities_that_move_with_parameters) {
  SmallModel s;  // as above: v c + d is conserved
  const Expr v = s.parameter("v", 0), k = s.parameter("k", 0);
  const Expr flow = k * (s.symbol("c") - s.symbol("d"));
  s.state("c", -flow / v, s.number(4.0));
  s.state("d", flow, s.number(1.0));
  const auto model = s.compile();
  const double end = 3.0, by_v = (4.0 - end) / 3.0;
  const auto settled = settle(model, {2.0, 0.3}, {1.0, 2.0}, SteadyStateSearch::newton);
  ASSERT_TRUE(settled.point);
  EXPECT_GT(settled.n_steps, 0);
  EXPECT_NEAR(settled.point->x[0], end, 1e-9);
  EXPECT_NEAR(settled.gradient[0], 3.0 * by_v, 1e-5);
}
