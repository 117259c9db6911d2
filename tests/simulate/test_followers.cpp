#include "event_model.hpp"

// Discontinuities that another discontinuity drives: a condition in a condition's argument. Gradients are
// those of the sum of the states, against integrals in closed form.

using namespace kinetune;
using symbolic::binary;
using symbolic::Expr;
using symbolic::Op;
using symbolic::select;
using symbolic::unary;
using test::EventModel;

namespace {

/// u: a before T, then 0.
Expr step(EventModel& m, Expr T, Expr a) {
  const Expr u = m.symbol("u");
  m.ode.derived.push_back({"u", u, select(binary(Op::less, m.time, T), a, m.number(0))});
  return u;
}

}  // namespace

TEST(Followers, a_dose_again_and_again_moves_with_its_period_and_its_duration) {
  EventModel m;  // x' = t from n P to n P + d
  const Expr P = m.parameter("P", 2), d = m.parameter("d", 0.5);
  const Expr is_on = binary(Op::less, binary(Op::remainder, m.time, P), d);
  m.state("x", select(is_on, m.time, m.number(0)), m.number(0));
  m.expect_gradient(5, {3 * 0.5, 3 * 2 + 3 * 0.5});  // 3 P d + 3 d^2 / 2
}

TEST(Followers, a_condition_on_a_step_changes_when_the_step_does) {
  EventModel m;
  const Expr T = m.parameter("T", 0.7), a = m.parameter("a", 2);
  const Expr is_on = binary(Op::less, m.number(0.5), step(m, T, a));
  m.state("x", select(is_on, m.number(3), m.number(0)), m.number(0));
  m.expect_gradient(2, {3, 0});
}

TEST(Followers, an_event_on_a_step_happens_when_the_step_does) {
  EventModel m;
  const Expr T = m.parameter("T", 0.7), x = m.symbol("x");
  m.state("x", m.number(1), m.number(0));
  m.event(binary(Op::less, step(m, T, m.number(1)), m.number(0.5)), {{x, 3.0 * x}});
  m.expect_gradient(2, {2});  // 3 T + 2 - T
}

TEST(Followers, two_conditions_that_differ_change_with_either) {
  EventModel m;  // x = t
  const Expr T = m.parameter("T", 0.7), c = m.parameter("c", 1.5);
  const Expr by_time = binary(Op::less, m.time, T), by_state = binary(Op::less, m.symbol("x"), c);
  m.state("x", m.number(1), m.number(0));
  const Expr differ = unary(Op::logical_not, binary(Op::equal, by_time, by_state));
  m.state("y", select(differ, m.number(1), m.number(0)), m.number(0));
  m.expect_gradient(2, {-1, 1});  // c - T
}

TEST(Followers, the_greater_of_a_step_and_a_number_moves_with_the_step) {
  EventModel m;
  const Expr T = m.parameter("T", 0.7), a = m.parameter("a", 0.6);
  m.state("x", binary(Op::max, step(m, T, a), m.number(0.1)), m.number(0));
  m.expect_gradient(2, {0.6 - 0.1, 0.7});  // a T + (2 - T) / 10
}

TEST(Followers, a_bound_on_a_number_of_periods_acts_when_the_number_changes) {
  EventModel m;
  const Expr P = m.parameter("P", 0.5), b = m.parameter("b", 2.5);
  const Expr n = unary(Op::floor, m.time / P);
  m.state("x", select(binary(Op::less, n, b), m.number(1), m.number(0)), m.number(0));
  m.expect_gradient(2, {3, 0});  // 3 P
}

TEST(Followers, a_threshold_of_a_state_that_a_step_ends_moves_with_the_step) {
  EventModel m;  // x = t; the product crosses c by itself and falls below it with the step
  const Expr T = m.parameter("T", 0.7), c = m.parameter("c", 0.2), x = m.symbol("x");
  const Expr product = x * step(m, T, m.number(1));
  m.state("x", m.number(1), m.number(0));
  m.state("y", select(binary(Op::less, c, product), m.number(1), m.number(0)), m.number(0));
  m.expect_gradient(2, {1, -1});  // T - c
}

TEST(Followers, of_a_follower_move_with_the_first) {
  EventModel m;
  const Expr T = m.parameter("T", 0.7);
  const Expr u = step(m, T, m.number(1)), v = m.symbol("v");
  m.ode.derived.push_back({"v", v, select(binary(Op::less, m.number(0.5), u), m.number(4), m.number(1))});
  m.state("x", select(binary(Op::less, m.number(2), v), m.number(1), m.number(0)), m.number(0));
  m.expect_gradient(2, {1});
}
