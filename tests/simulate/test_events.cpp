#include <array>
#include <cmath>
#include <numbers>

#include <gtest/gtest.h>

#include "event_model.hpp"

using namespace kinetune;
using simulate::IntegrationError;
using simulate::make_integrator;
using simulate::Mode;
using symbolic::binary;
using symbolic::Expr;
using symbolic::Op;
using test::EventModel;
using test::Recorder;
using test::Simulation;

namespace {

Expr less(Expr a, Expr b) { return binary(Op::less, a, b); }
Expr at_most(Expr a, Expr b) { return binary(Op::less_equal, a, b); }
Expr both(Expr a, Expr b) { return binary(Op::logical_and, a, b); }

}  // namespace

class Discontinuities : public test::WithMethod {};
class Events : public test::WithMethod {};
INSTANTIATE_TEST_SUITE_P(, Discontinuities, test::all_methods);
INSTANTIATE_TEST_SUITE_P(, Events, test::all_methods);

TEST_P(Discontinuities, a_bouncing_ball_is_where_mechanics_puts_it) {
  EventModel m;
  const double g = 9.81, e = 0.8, height = 10;
  const Expr v = m.symbol("v");
  m.state("y", v, m.number(height));
  m.state("v", m.number(-g), m.number(0));
  m.event(both(at_most(m.symbol("y"), m.number(0)), less(v, m.number(0))),
          {{m.symbol("y"), m.number(0)}, {v, -e * v}});
  std::vector<double> times;
  for (int i = 0; i <= 80; ++i) times.push_back(0.1 * i);

  const auto course = m.course(times);

  for (std::size_t i = 0; i < times.size(); ++i) {
    double fall = std::sqrt(2 * height / g), start = 0, speed = 0, from = height;
    for (double next = fall; next < times[i]; next += 2 * speed / g) {
      speed = from > 0 ? e * g * fall : e * speed;
      from = 0;
      start = next;
    }
    const double t = times[i] - start;
    EXPECT_NEAR(course[i][0], from + speed * t - g * t * t / 2, 1e-7) << times[i];
  }
}

TEST_P(Discontinuities, a_rate_that_jumps_where_its_state_crosses_a_threshold_is_followed_exactly) {
  EventModel m;
  const Expr x = m.symbol("x");
  m.state("x", select(less(x, m.number(1)), m.number(2), m.number(0.5)), m.number(0));
  EXPECT_NEAR(m.last(3), 1 + 0.5 * 2.5, 1e-12);
}

TEST_P(Discontinuities, a_pulse_shorter_than_any_step_is_not_missed) {
  EventModel m;
  const Expr on = both(at_most(m.number(500), m.time), less(m.time, m.number(500.001)));
  m.state("x", select(on, m.number(1000), m.number(0)), m.number(0));
  EXPECT_NEAR(m.last(1000), 1, 1e-9);
}

TEST_P(Discontinuities, steps_of_the_clock_add_up) {
  EventModel m;
  m.state("x", unary(Op::floor, m.time), m.number(0));
  m.state("y", binary(Op::remainder, m.time, m.number(2)), m.number(0));
  m.state("z", unary(Op::ceil, -m.time), m.number(0));
  const auto x = m.course({5}).back();
  EXPECT_NEAR(x[0], 0 + 1 + 2 + 3 + 4, 1e-8);
  EXPECT_NEAR(x[1], 2 + 2 + 0.5, 1e-8);
  EXPECT_NEAR(x[2], -(0 + 1 + 2 + 3 + 4), 1e-8);
}

TEST_P(Discontinuities, a_wave_of_time_switches_although_the_states_are_smooth) {
  EventModel m;
  m.state("x", select(less(m.number(0), unary(Op::sin, m.time)), m.number(1), m.number(0)), m.number(0));
  EXPECT_NEAR(m.last(20 * std::numbers::pi), 10 * std::numbers::pi, 1e-9);
}

TEST_P(Discontinuities, a_wave_of_states_switches_although_the_states_are_smooth) {
  EventModel m;  // sin(3 x) becomes positive at 0 and then each 2 pi / 3
  const Expr n = m.kept("n", 0), x = m.symbol("x");
  m.state("x", m.number(1), m.number(0));
  m.event(less(m.number(0), unary(Op::sin, 3.0 * x)), {{n, n + 1.0}});
  EXPECT_EQ(m.last(10), 5);
}

TEST_P(Discontinuities, every_period_of_a_wave_of_time_counts) {
  EventModel m;
  const Expr n = m.kept("n", 0);
  m.event(less(m.number(0), unary(Op::sin, m.time)), {{n, n + 1.0}});
  EXPECT_NEAR(m.last(10'000 * 2 * std::numbers::pi - 1), 10'000, 1e-6);
}

TEST_P(Discontinuities, every_period_of_a_wave_that_speeds_up_counts) {
  EventModel m;  // peaks at sqrt(2 pi (k + 1/4))
  const Expr n = m.kept("n", 0);
  m.event(less(m.number(0.99), unary(Op::sin, m.time * m.time)), {{n, n + 1.0}});
  EXPECT_NEAR(m.last(std::sqrt(3000 * 2 * std::numbers::pi)), 3000, 1e-6);
}

TEST_P(Discontinuities, every_period_of_a_state_that_is_a_phase_counts) {
  EventModel m;  // the phase 1000 (1 - exp(-t / 10)) settles
  const Expr n = m.kept("n", 0), phase = m.symbol("phase");
  m.state("phase", m.number(100) - 0.1 * phase, m.number(0));
  m.event(less(unary(Op::cos, phase), m.number(0)), {{n, n + 1.0}});
  EXPECT_NEAR(m.last(200), 159, 1e-6);  // 1000 = 159 times 2 pi + 0.97
}

TEST_P(Discontinuities, every_period_counts_in_a_condition_of_a_rate) {
  EventModel m;  // half of the time
  m.state("x", select(less(m.number(0), unary(Op::sin, 40.0 * m.time)), m.number(1), m.number(0)),
          m.number(0));
  const double period = 2 * std::numbers::pi / 40;
  EXPECT_NEAR(m.last(2000 * period), 1000 * period, 1e-8);
}

TEST_P(Discontinuities, every_peak_of_a_wave_above_a_threshold_counts) {
  EventModel m;
  const Expr n = m.kept("n", 0);
  m.event(less(m.number(0.999), unary(Op::sin, 7.0 * m.time)), {{n, n + 1.0}});
  EXPECT_NEAR(m.last(2 * std::numbers::pi / 7 * 500), 500, 1e-6);
}

TEST_P(Discontinuities, a_wave_too_fast_to_be_followed_is_a_failure_and_no_hang) {
  EventModel m;
  const Expr n = m.kept("n", 0);
  m.event(less(m.number(2), unary(Op::sin, 1e12 * m.time)), {{n, n + 1.0}});
  EXPECT_EQ(m.failure(1000).error, IntegrationError::too_many_steps);
}

TEST_P(Discontinuities, an_excursion_within_a_step_is_noticed) {
  EventModel m;  // y = 1e-4 - (t - 5)^2 is positive from 4.99 to 5.01
  const Expr n = m.kept("n", 0), y = m.symbol("y");
  m.state("y", -2.0 * m.symbol("w"), m.number(1e-4 - 25));
  m.state("w", m.number(1), m.number(-5));
  m.event(less(m.number(0), y), {{n, n + 1.0}});
  EXPECT_EQ(m.last(10), 1);
}

TEST_P(Discontinuities, a_condition_that_holds_at_the_start_alone_does_not_go_on_holding) {
  EventModel m;
  const Expr x = m.symbol("x");
  m.state("y", select(at_most(x, m.number(0)), m.number(5), m.number(1)), m.number(0));
  m.state("x", m.number(1), m.number(0));
  m.state("z", select(at_most(m.time, m.number(0)), m.number(5), m.number(1)), m.number(0));
  const auto end = m.course({1}).back();
  EXPECT_NEAR(end[0], 1, 1e-9);
  EXPECT_NEAR(end[2], 1, 1e-9);
}

TEST_P(Discontinuities, a_state_that_rests_on_its_threshold_does_not_stop_time) {
  EventModel m;
  const Expr x = m.symbol("x");
  m.state("y", select(at_most(x, m.number(0)), m.number(5), m.number(1)), m.number(0));
  m.state("x", m.number(0) * x, m.number(0));
  m.state("decay", -m.symbol("decay"), m.number(1));
  EXPECT_NEAR(m.last(1), 5, 1e-9);
}

TEST_P(Discontinuities, a_state_that_creeps_over_its_threshold_does_not_stop_time) {
  for (const double level : {200.1, 713.7, 3.3, 0.7}) {
    EventModel m;  // x falls to its level within 10, so slowly that rounding errors move it back and forth
    const double pace = 1e-5;
    const Expr x = m.symbol("x"), bound = m.number(level);
    m.state("y", select(less(bound, x), m.number(1), m.number(0)), m.number(0));
    m.state("x", -pace * x, m.number(level * std::exp(10 * pace)));
    EXPECT_NEAR(m.last(20), 10, 1e-10 / pace) << level;  // the time that a relative error of 1e-10 takes
  }
}

TEST_P(Discontinuities, a_branch_without_values_beyond_its_bound_does_not_hinder_the_crossing) {
  EventModel m;  // x = (1 - t / 2)^2 until it is 0
  const Expr x = m.symbol("x"), zero = m.number(0);
  m.state("x", select(less(zero, x), -sqrt(x), zero), m.number(1));
  EXPECT_NEAR(m.course({1, 3})[0][0], 0.25, 1e-8);
  EXPECT_NEAR(m.course({1, 3})[1][0], 0, 1e-8);
}

TEST_P(Discontinuities, sliding_along_a_threshold_is_a_failure_and_no_hang) {
  EventModel m;
  const Expr x = m.symbol("x");
  m.state("x", select(less(m.number(0), x), m.number(-1), m.number(1)), m.number(1));
  const auto failure = m.failure(5);
  EXPECT_EQ(failure.error, IntegrationError::endless_events);
  EXPECT_NEAR(failure.time, 1, 1e-6);
}

TEST_P(Events, at_a_requested_time_the_states_after_them_are_given) {
  EventModel m;
  const Expr x = m.kept("x", 1);
  m.event(at_most(m.number(2), m.time), {{x, m.number(7)}});
  EXPECT_EQ(m.course({1.9, 2, 2.1}), (std::vector<std::vector<double>>{{1}, {7}, {7}}));
}

TEST_P(Events, after_a_time_come_after_the_states_at_that_time) {
  EventModel m;
  const Expr x = m.kept("x", 1);
  m.event(less(m.number(2), m.time), {{x, m.number(7)}});
  EXPECT_EQ(m.course({2, 2.1}), (std::vector<std::vector<double>>{{1}, {7}}));
}

TEST_P(Events, at_the_start_happen_if_the_trigger_was_not_true_before) {
  for (const bool before : {true, false}) {
    EventModel m;
    const Expr x = m.kept("x", 1);
    m.event(at_most(m.number(0), m.time), {{x, m.number(7)}}).initially_true = before;
    EXPECT_EQ(m.course({0, 1}), (std::vector<std::vector<double>>(2, {before ? 1.0 : 7.0})));
  }
}

TEST_P(Events, at_once_happen_in_the_order_of_their_priorities) {
  EventModel m;
  const Expr x = m.kept("x", 5), at_one = at_most(m.number(1), m.time);
  m.event(at_one, {{x, x + 1.0}}).priority = m.number(1);
  m.event(at_one, {{x, 2.0 * x}}).priority = m.number(2);
  m.event(at_one, {{x, x - 3.0}});  // without a priority: last
  for (auto& event : m.ode.events) event.values_from_trigger_time = false;
  EXPECT_EQ(m.last(2), 2 * 5 + 1 - 3);
}

TEST_P(Events, of_equal_priority_share_the_turns_about_equally_and_always_in_the_same_way) {
  EventModel m;
  const Expr a = m.kept("a", 0), b = m.kept("b", 0), last = m.kept("last", 0);
  const Expr due = at_most(m.number(1), m.time - last);
  m.event(due, {{a, a + 1.0}, {last, m.time}}).priority = m.number(1);
  m.event(due, {{b, b + 1.0}, {last, m.time}}).priority = m.number(1);
  for (auto& event : m.ode.events) event.persistent = false;
  const auto once = m.course({1000}).back();
  EXPECT_EQ(once[0] + once[1], 1000);
  EXPECT_NEAR(once[0], 500, 100);  // six standard deviations of a fair coin
  EXPECT_EQ(m.course({1000}).back(), once);
}

TEST_P(Events, delayed_ones_take_their_values_from_trigger_or_execution) {
  for (const bool from_trigger : {true, false}) {
    EventModel m;
    const Expr y = m.kept("y", 0);
    m.state("x", m.number(1), m.number(0));
    auto& event = m.event(less(m.number(2), m.symbol("x")), {{y, m.symbol("x")}});
    event.delay = m.number(1.5);
    event.values_from_trigger_time = from_trigger;
    const auto course = m.course({3.49, 3.51});
    EXPECT_EQ(course[0][0], 0);
    EXPECT_NEAR(course[1][0], from_trigger ? 2 : 3.5, 1e-8);
  }
}

TEST_P(Events, that_do_not_persist_are_taken_back_when_their_trigger_ceases) {
  for (const bool persistent : {true, false}) {
    EventModel m;
    const Expr y = m.kept("y", 0);
    auto& event = m.event(both(at_most(m.number(1), m.time), less(m.time, m.number(2))), {{y, m.number(7)}});
    event.delay = m.number(1.5);
    event.persistent = persistent;
    EXPECT_EQ(m.last(4), persistent ? 7 : 0);
  }
}

TEST_P(Events, trigger_each_other_at_the_same_time) {
  EventModel m;
  const Expr x = m.kept("x", 0), y = m.kept("y", 0);
  m.event(less(m.number(0), y), {{x, 10.0 * y}});
  m.event(at_most(m.number(1), m.time), {{y, m.number(3)}});
  EXPECT_EQ(m.course({1}).back(), (std::vector<double>{30, 3}));
}

TEST_P(Events, at_the_only_instant_at_which_their_triggers_hold_happen_beside_others) {
  EventModel m;
  const Expr a = m.kept("a", 0), b = m.kept("b", 0), c = m.kept("c", 0), x = m.symbol("x");
  m.state("x", m.number(1), m.number(0));
  const Expr at_two = both(at_most(m.number(2), x), at_most(x, m.number(2)));
  m.event(at_most(m.number(2), x), {{a, a + 1.0}}).priority = m.number(2);
  auto& event = m.event(at_two, {{b, b + 1.0}});
  event.priority = m.number(1);
  event.persistent = false;  // what the first does not touch goes on holding
  m.event(both(at_two, at_most(m.number(1), a)), {{c, c + 1.0}});
  const auto end = m.course({5}).back();
  EXPECT_EQ((std::vector{end[0], end[1], end[2]}), (std::vector<double>{1, 1, 1}));
}

TEST_P(Events, that_others_move_away_from_their_only_instant_are_taken_back) {
  EventModel m;
  const Expr b = m.kept("b", 0), x = m.symbol("x");
  m.state("x", m.number(1), m.number(0));
  m.event(at_most(m.number(2), x), {{x, m.number(-100)}}).priority = m.number(2);
  auto& event = m.event(both(at_most(m.number(2), x), at_most(x, m.number(2))), {{b, b + 1.0}});
  event.priority = m.number(1);
  event.persistent = false;
  EXPECT_EQ(m.last(5), 0);
}

TEST_P(Events, that_trigger_each_other_without_end_are_a_failure_that_names_the_time) {
  EventModel m;
  const Expr x = m.kept("x", 0);
  m.event(both(at_most(m.number(1), m.time), at_most(x, m.number(0))), {{x, m.number(1)}});
  m.event(less(m.number(0), x), {{x, m.number(0)}});
  const auto failure = m.failure(5);
  EXPECT_EQ(failure.error, IntegrationError::endless_events);
  EXPECT_EQ(failure.time, 1);
}

TEST_P(Events, at_equality_happen_when_it_is_passed) {
  EventModel m;
  const Expr n = m.kept("n", 0), x = m.symbol("x");
  m.state("x", m.number(1), m.number(0));
  m.event(binary(Op::equal, x, m.number(1)), {{n, n + 1.0}});
  m.event(binary(Op::equal, m.time, m.number(2)), {{n, n + 10.0}});
  EXPECT_EQ(m.last(3), 11);
}

TEST_P(Events, happen_as_often_as_an_assigned_clock_says) {
  EventModel m;
  const Expr n = m.kept("n", 0), next = m.kept("next", 0.1);
  m.event(at_most(next, m.time), {{n, n + 1.0}, {next, next + 0.1}});
  const auto course = m.course({9.95, 50});
  EXPECT_EQ(course[0][0], 99);
}

TEST_P(Events, factors_are_those_before_the_assignments) {
  EventModel m;
  const Expr amount = m.kept("amount", 1), size = m.kept("size", 0.5);
  m.event(at_most(m.number(1), m.time), {{size, m.number(0.2)}, {amount, m.number(0.2), size}});
  EXPECT_EQ(m.last(2), 0.1);
}

TEST(Jumps, sensitivities_go_on_over_times_that_are_fixed) {
  EventModel m;  // x = exp(-k t) until 2, constant then
  const Expr k = m.parameter("k", 0.7), x = m.symbol("x");
  m.state("x", select(less(m.time, m.number(2)), -k * x, m.number(0)), m.number(1));
  const auto model = m.compile();
  const auto integrator = make_integrator(model, test::WithMethod::options());
  Simulation run(model, {0.7}, 5);
  Recorder recorder;
  recorder.weights = {1, 2, 3};
  const std::vector<double> times{1, 2, 4};

  ASSERT_TRUE(integrator->forward(run.segment, Mode::forward, run.x, run.s, times, recorder));

  double expected = 0;
  for (std::size_t i = 0; i < times.size(); ++i) {
    const double t = std::min(times[i], 2.0), slope = -t * std::exp(-0.7 * t);
    EXPECT_NEAR(recorder.sensitivities[i][0], slope, 1e-7);
    expected += recorder.weights[i] * slope;
  }
  run.restart();
  integrator->clear_tape();
  ASSERT_TRUE(integrator->forward(run.segment, Mode::adjoint, run.x, {}, times, recorder));
  std::vector<double> lambda(1), gradient(1);
  ASSERT_TRUE(integrator->backward(lambda, gradient));
  EXPECT_NEAR(gradient[0], expected, 1e-6);
}

TEST(Jumps, sensitivities_go_on_where_rates_only_bend) {
  EventModel m;  // x' = |y|, y = a - t: x(2) = (a^2 + (2 - a)^2) / 2
  const Expr a = m.parameter("a", 0.8), y = m.symbol("y");
  m.state("x", unary(Op::abs, y), m.number(0));
  m.state("y", m.number(-1), a);
  const auto model = m.compile();
  const auto integrator = make_integrator(model, test::WithMethod::options());
  Simulation run(model, {0.8}, 2);
  Recorder recorder;
  ASSERT_TRUE(integrator->forward(run.segment, Mode::forward, run.x, run.s, {}, recorder));
  EXPECT_NEAR(run.x[0], (0.64 + 1.44) / 2, 1e-8);
  EXPECT_NEAR(run.s[0], 0.8 - 1.2, 1e-7);
  run.restart();
  integrator->clear_tape();
  recorder.weights = {1};
  ASSERT_TRUE(integrator->forward(run.segment, Mode::adjoint, run.x, {}, std::vector{2.0}, recorder));
  std::vector<double> lambda(2), gradient(1);
  ASSERT_TRUE(integrator->backward(lambda, gradient));
  EXPECT_NEAR(lambda[1] + gradient[0], (0.8 - 1.2) + 1, 1e-6);  // of x + y
}

TEST(Jumps, sensitivities_follow_times_that_parameters_move) {
  EventModel m;  // x' = a before s, b after: x(2) = a s + b (2 - s)
  const Expr a = m.parameter("a", 3), b = m.parameter("b", 1), s = m.parameter("s", 0.8);
  m.state("x", select(less(m.time, s), a, b), m.number(0));
  m.expect_gradient(2, {0.8, 1.2, 3 - 1});
}

TEST(Jumps, sensitivities_follow_thresholds_that_states_cross) {
  EventModel m;  // x' = a up to the threshold c, b after: x(2) = c + b (2 - c / a)
  const Expr a = m.parameter("a", 3), b = m.parameter("b", 0.5), c = m.parameter("c", 1.5), x = m.symbol("x");
  m.state("x", select(less(x, c), a, b), m.number(0));
  m.expect_gradient(2, {0.5 * 1.5 / 9, 1.5, 1 - 0.5 / 3});
}

TEST(Jumps, sensitivities_follow_several_thresholds_and_initial_values) {
  // y falls as p exp(-k t) through 2 and 1; x counts the time between
  EventModel m;
  const Expr p = m.parameter("p", 5), k = m.parameter("k", 0.7), y = m.symbol("y");
  m.state("x", select(both(less(y, m.number(2)), less(m.number(1), y)), m.number(1), m.number(0)),
          m.number(0));
  m.state("y", -k * y, p);
  const double end = 4, last = 5 * std::exp(-0.7 * end);
  m.expect_gradient(end, {0 + last / 5, -std::log(2) / 0.49 - end * last});  // of x + y, x = log(2) / k
}

TEST(Jumps, an_event_at_a_time_that_a_parameter_moves_carries_its_dose_along) {
  EventModel m;  // x decays by k and receives d at s
  const Expr k = m.parameter("k", 0.7), d = m.parameter("d", 2), s = m.parameter("s", 0.8), x = m.symbol("x");
  m.state("x", -k * x, m.number(1));
  m.event(at_most(s, m.time), {{x, x + d}});
  const double rest = std::exp(-0.7 * 1.2), all = std::exp(-0.7 * 2);
  m.expect_gradient(2, {-2 * all - 2 * 1.2 * rest, rest, 2 * 0.7 * rest});
}

TEST(Jumps, a_bounce_reflects_sensitivities) {
  // One bounce with restitution e of a ball from height h under gravity g.
  EventModel m;
  const double g0 = 9.81, e0 = 0.8, h0 = 10, end = 2;
  const Expr g = m.parameter("g", g0), e = m.parameter("e", e0), h = m.parameter("h", h0);
  const Expr y = m.symbol("y"), v = m.symbol("v");
  m.state("y", v, h);
  m.state("v", -g, m.number(0));
  m.event(both(at_most(y, m.number(0)), less(v, m.number(0))), {{y, m.number(0)}, {v, -e * v}});
  // After t = sqrt(2 h / g): v = e g t - g (T - t), y = e g t (T - t) - g (T - t)^2 / 2
  const auto sum = [&](double g, double e, double h) {
    const double t = std::sqrt(2 * h / g), rest = end - t;
    return e * g * t * rest - g * rest * rest / 2 + e * g * t - g * rest;
  };
  const double step = 1e-5;
  const auto slope = [&](double dg, double de, double dh) {
    return (sum(g0 + dg, e0 + de, h0 + dh) - sum(g0 - dg, e0 - de, h0 - dh)) / (2 * step);
  };
  m.expect_gradient(end, {slope(step, 0, 0), slope(0, step, 0), slope(0, 0, step)});
}

TEST(Jumps, two_events_at_once_act_one_after_the_other) {
  // At s: first x := 2 x + a, then x := b x^2; x' = 1 from 0.
  EventModel m;
  const Expr a = m.parameter("a", 0.3), b = m.parameter("b", 0.5), s = m.parameter("s", 0.8),
             x = m.symbol("x");
  m.state("x", m.number(1), m.number(0));
  m.event(at_most(s, m.time), {{x, 2.0 * x + a}}).priority = m.number(2);
  m.event(at_most(s, m.time), {{x, b * x * x}}).priority = m.number(1);
  for (auto& event : m.ode.events) event.values_from_trigger_time = false;
  const double inner = 2 * 0.8 + 0.3;
  m.expect_gradient(2, {2 * 0.5 * inner, inner * inner, 2 * 0.5 * inner * 2 - 1});
}

TEST(Jumps, an_event_that_triggers_another_passes_on_how_its_time_moves) {
  EventModel m;  // at s, x jumps to a, which makes y jump to b t
  const Expr a = m.parameter("a", 3), b = m.parameter("b", 0.5), s = m.parameter("s", 0.8);
  const Expr x = m.kept("x", 0), y = m.kept("y", 0);
  m.event(at_most(s, m.time), {{x, a}});
  m.event(less(m.number(1), x), {{y, b * m.time}});
  m.expect_gradient(2, {1, 0.8, 0.5});
}

TEST(Jumps, an_event_at_a_single_instant_beside_another_carries_how_its_time_moves) {
  EventModel m;  // x reaches s at s / v, where first a and then y jump
  const Expr s = m.parameter("s", 1.2), v = m.parameter("v", 0.6);
  const Expr a = m.kept("a", 0), y = m.kept("y", 0), x = m.symbol("x");
  m.state("x", v, m.number(0));
  m.event(at_most(s, x), {{a, m.number(1)}});
  m.event(both(both(at_most(s, x), at_most(x, s)), at_most(m.number(1), a)), {{y, m.time}});
  m.expect_gradient(5, {1 / 0.6, 5 - 1.2 / (0.6 * 0.6)});
}

TEST(Jumps, delays_that_parameters_set_move_the_execution) {
  for (const bool from_trigger : {true, false}) {
    // x' = r from 0 reaches c at c / r; after l more, y' = -y starts from x there or then
    EventModel m;
    const Expr r = m.parameter("r", 2), c = m.parameter("c", 1), l = m.parameter("l", 0.6);
    const Expr x = m.symbol("x"), y = m.symbol("y");
    m.state("y", -y, m.number(0));
    m.state("x", r, m.number(0));
    auto& event = m.event(less(c, x), {{y, x}});
    event.delay = l;
    event.values_from_trigger_time = from_trigger;
    const double left = std::exp(-(2 - 0.5 - 0.6));  // of y, since c / r + l
    const double value = from_trigger ? 1 : 1 + 2 * 0.6;
    const std::vector<double> of_value =
        from_trigger ? std::vector<double>{0, 1, 0} : std::vector<double>{0.6, 1, 2};
    m.expect_gradient(2, {left * (of_value[0] - value * 1 / 4.0) + 2, left * (of_value[1] + value / 2),
                          left * (of_value[2] + value)});
  }
}

TEST(Jumps, an_event_that_is_taken_back_leaves_no_trace) {
  EventModel m;
  const Expr s = m.parameter("s", 0.8), d = m.parameter("d", 0.5), y = m.kept("y", 0);
  auto& event = m.event(both(at_most(s, m.time), less(m.time, s + d)), {{y, s + d}});
  event.delay = 2.0 * d;
  event.persistent = false;
  m.event(at_most(2.0 * s, m.time), {{y, y + s * s}});
  m.expect_gradient(3, {1.6, 0});
}

TEST(Jumps, an_event_again_and_again_adds_up) {
  EventModel m;  // every p: x := q x
  const Expr p = m.parameter("p", 0.3), q = m.parameter("q", 0.9), k = m.parameter("k", 0.2);
  const Expr x = m.symbol("x"), next = m.symbol("next");
  m.state("x", -k * x, m.number(1));
  m.state("next", m.number(0), p);
  m.event(at_most(next, m.time), {{x, q * x}, {next, next + p}});
  const double rest = std::pow(0.9, 3) * std::exp(-0.2);  // and next = 4 p
  m.expect_gradient(1, {4, 3 * std::pow(0.9, 2) * std::exp(-0.2), -rest});
}

TEST(Jumps, a_dose_in_a_compartment_that_changes_counts_with_its_factor) {
  EventModel m;  // at s, x := d * size, size = 1 + v t
  const Expr d = m.parameter("d", 2), v = m.parameter("v", 0.5), s = m.parameter("s", 0.8);
  const Expr x = m.symbol("x"), size = m.symbol("size");
  m.state("x", m.number(0) * x, m.number(0));
  m.state("size", v, m.number(1));
  m.event(at_most(s, m.time), {{x, d, size}});
  m.expect_gradient(2, {1 + 0.4, 2 * 0.8 + 2, 2 * 0.5});
}
