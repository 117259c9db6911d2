#include <cmath>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "event_model.hpp"

using namespace kinetune;
using symbolic::binary;
using symbolic::Expr;
using symbolic::Op;
using test::EventModel;

TEST(Delays, linear_feedback_follows_the_method_of_steps) {
  EventModel m;  // x' = -x(t - 1), x = 1 before: 1 - t up to 1, then 1 - t + (t - 1)^2 / 2 up to 2, and so on
  const Expr x = m.symbol("x");
  m.state("x", -m.delayed(x, m.number(1)), m.number(1));
  const auto course = m.course({0.5, 1, 1.5, 2, 3});
  EXPECT_NEAR(course[0][0], 0.5, 1e-8);
  EXPECT_NEAR(course[1][0], 0, 1e-8);
  EXPECT_NEAR(course[2][0], 1 - 1.5 + 0.125, 1e-8);
  EXPECT_NEAR(course[3][0], -0.5, 1e-8);
  EXPECT_NEAR(course[4][0], 1 - 3 + 4.0 / 2 - 1.0 / 6, 1e-8);
}

TEST(Delays, look_at_initial_values_as_functions_of_time_before_the_start) {
  EventModel m;  // x = 2 + t before the start, and 2 - t from then on
  m.state("x", m.number(-1), m.time + 2.0);
  const Expr past = m.delayed(m.symbol("x"), m.number(3));
  m.state("y", past, m.number(0));
  const auto course = m.course({1, 4});
  EXPECT_NEAR(course[0][1], -1 + 0.5, 1e-8);                    // integral of t - 1
  EXPECT_NEAR(course[1][1], (-3 + 4.5) + (2 * 1 - 0.5), 1e-8);  // up to 3, and of 2 - (t - 3)
}

TEST(Delays, may_vary_and_be_nested) {
  EventModel m;  // x = t^2
  m.state("x", 2.0 * m.time, m.number(0));
  const Expr half = m.delayed(m.symbol("x"), 0.5 * m.time);
  const Expr earlier = m.delayed(half, m.number(1));
  m.state("y", 0.0 * half + earlier, m.number(0));
  const auto course = m.course({3});
  // ((t - 1) / 2)^2 from 1 on; before, x(t) is its initial value
  EXPECT_NEAR(course[0][1], 8.0 / 12, 1e-7);
}

TEST(Delays, look_back_at_jumps_and_trigger_events_of_their_own) {
  EventModel m;
  const Expr a = m.kept("a", 0), b = m.kept("b", 0);
  m.event(binary(Op::less_equal, m.number(1), m.time), {{a, m.number(5)}});
  const Expr past = m.delayed(a, m.number(2));
  m.event(binary(Op::less, m.number(4), past), {{b, past}});
  m.state("integral", past, m.number(0));
  const auto course = m.course({2.9, 3, 4});
  EXPECT_EQ(course[0][1], 0);
  EXPECT_EQ(course[1][1], 5);
  EXPECT_NEAR(course[2][2], 5, 1e-8);
}

TEST(Delays, have_no_sensitivities_yet) {
  EventModel m;
  const Expr k = m.parameter("k", 1);
  m.state("x", -k * m.delayed(m.symbol("x"), m.number(1)), m.number(1));
  EXPECT_EQ(m.failure(2, simulate::Mode::forward).error, simulate::IntegrationError::not_differentiable);
}

TEST(Delays, of_quantities_that_are_nothing_but_their_own_past_are_refused) {
  EventModel m;
  const Expr y = m.symbol("y");
  m.ode.derived.push_back({"y", y, 0.5 * m.delayed(y, m.number(1)) + 1.0});
  m.state("x", y, m.number(0));
  EXPECT_THROW(m.compile(), core::Error);
}
