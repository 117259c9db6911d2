#include <cmath>

#include <gtest/gtest.h>

#include "event_model.hpp"

using namespace kinetune;
using simulate::IntegrationError;
using symbolic::binary;
using symbolic::Expr;
using symbolic::Op;
using symbolic::unary;

namespace {

/// A model with one quantity that an equation determines, looked for from a guess.
struct RuleModel : test::EventModel {
  /// The unknown; call hold() when all states are there.
  Expr unknown(const char* name, double guess) {
    ode.algebraic_unknowns = {parameter(name, guess)};
    return symbol(name);
  }
  void hold(Expr residual) {
    ode.algebraic.push_back({residual, {"m.xml", 7}});
    solve_algebraic(ode);
  }
  /// What the unknown alone must be.
  static RuleModel of(const std::function<Expr(RuleModel&, Expr)>& residual, double guess) {
    RuleModel m;
    m.hold(residual(m, m.unknown("y", guess)));
    return m;
  }
};

}  // namespace

class ConstraintsTest : public test::WithMethod {};
INSTANTIATE_TEST_SUITE_P(, ConstraintsTest, test::all_methods);

TEST_P(ConstraintsTest, a_solution_far_from_the_guess_is_found) {
  const auto square = [](RuleModel& m, Expr y) { return y * y - m.number(1e6); };
  for (const double guess : {1.0, 1e-9, 1e12}) {
    const auto course = RuleModel::of(square, guess).course({0, 1});
    EXPECT_NEAR(course[0][0], 1000, 1e-10) << guess;
    EXPECT_NEAR(course[1][0], 1000, 1e-10) << guess;
  }
  EXPECT_NEAR(RuleModel::of(square, -2).last(1), -1000, 1e-10);
}

TEST_P(ConstraintsTest, a_solution_is_found_where_newtons_method_cycles) {
  const auto cubic = [](RuleModel& m, Expr y) { return y * y * y - 2.0 * y + m.number(2); };
  EXPECT_NEAR(RuleModel::of(cubic, 0).last(1), -1.7692923542386314, 1e-12);
}

TEST_P(ConstraintsTest, a_solution_is_found_where_newtons_method_diverges) {
  const auto arc = [](RuleModel&, Expr y) { return unary(Op::atan, y - 1.0); };
  EXPECT_NEAR(RuleModel::of(arc, 100).last(1), 1, 1e-12);
}

TEST_P(ConstraintsTest, a_solution_is_found_from_where_the_residual_has_no_value) {
  const auto log = [](RuleModel& m, Expr y) { return unary(Op::log, y) - m.number(2); };
  EXPECT_NEAR(RuleModel::of(log, -3).last(1), std::exp(2), 1e-12);
}

TEST_P(ConstraintsTest, an_equation_without_a_solution_is_a_failure_that_names_the_variable) {
  const auto square = [](RuleModel& m, Expr y) { return y * y + m.number(1); };
  const auto far = [](RuleModel&, Expr y) { return unary(Op::exp, y); };
  const auto pole = [](RuleModel& m, Expr y) { return m.number(1) / (y - 3.0); };
  const auto jump = [](RuleModel&, Expr y) { return (y - 3.0) / sqrt((y - 3.0) * (y - 3.0)); };
  const auto touching = [](RuleModel&, Expr y) { return y * y; };
  for (const std::function<Expr(RuleModel&, Expr)>& residual :
       {std::function<Expr(RuleModel&, Expr)>(square), {far}, {pole}, {jump}, {touching}}) {
    RuleModel m;
    m.state("x", m.number(1), m.number(0));
    m.hold(residual(m, m.unknown("y", 1)));
    const auto failure = m.failure(1);
    EXPECT_EQ(failure.error, IntegrationError::no_solution);
    EXPECT_EQ(failure.time, 0);
    EXPECT_EQ(failure.state, 1);
  }
}

TEST_P(ConstraintsTest, a_solution_that_ceases_to_exist_at_an_event_is_a_failure_at_its_time) {
  RuleModel m;
  const Expr x = m.kept("x", 1);
  m.event(binary(Op::less, m.number(2), m.time), {{x, m.number(-1)}});
  const Expr y = m.unknown("y", 1);
  m.hold(y * y - x);
  const auto failure = m.failure(3);
  EXPECT_EQ(failure.error, IntegrationError::no_solution);
  EXPECT_EQ(failure.time, 2);
  EXPECT_EQ(failure.state, 1);
}

TEST_P(ConstraintsTest, a_solution_that_ends_on_the_way_is_a_failure) {
  RuleModel m;  // y^2 = 1 - t
  const Expr y = m.unknown("y", 1);
  m.hold(y * y + m.time - 1.0);
  EXPECT_GT(m.failure(2).time, 0.99);
}

TEST_P(ConstraintsTest, an_event_moves_what_it_sets_and_what_follows_from_it) {
  RuleModel m;  // y^2 = x, n counts how often y exceeds 2.5
  const Expr x = m.kept("x", 4), n = m.kept("n", 0), y = m.unknown("y", 1);
  m.event(binary(Op::less, m.number(1), m.time), {{x, m.number(9)}});
  m.event(binary(Op::less, m.number(2.5), y), {{n, n + 1.0}});
  m.hold(y * y - x);
  const auto course = m.course({0, 1, 1.5});
  EXPECT_NEAR(course[0][2], 2, 1e-12);
  EXPECT_NEAR(course[1][2], 2, 1e-12);
  EXPECT_NEAR(course[2][2], 3, 1e-12);
  EXPECT_EQ(course[2][1], 1);
}

TEST_P(ConstraintsTest, an_equation_that_jumps_in_time_is_solved_again) {
  RuleModel m;
  const Expr y = m.unknown("y", 1);
  m.hold(y * y - select(binary(Op::less, m.time, m.number(1)), m.number(4), m.number(9)));
  const auto course = m.course({0.5, 1.5});
  EXPECT_NEAR(course[0][0], 2, 1e-12);
  EXPECT_NEAR(course[1][0], 3, 1e-12);
}

TEST(ConstraintDerivatives, are_those_of_the_solution) {
  RuleModel m;  // y^2 = p x, x = exp(-k t)
  const double p = 5, k = 0.3, t = 2;
  const Expr x = m.symbol("x"), a = m.parameter("p", p), b = m.parameter("k", k);
  m.state("x", -b * x, m.number(1));
  const Expr y = m.unknown("y", 1e4);
  m.hold(y * y - a * x);
  m.expect_gradient(t, {std::exp(-k * t / 2) / (2 * std::sqrt(p)),
                        -t * std::exp(-k * t) - t / 2 * std::sqrt(p) * std::exp(-k * t / 2)});
}

TEST(ConstraintDerivatives, of_a_parameter_that_acts_through_the_equation_alone_are_seen) {
  RuleModel m;  // y^3 + y = p = 10
  const Expr p = m.parameter("p", 10), y = m.unknown("y", -50);
  m.hold(y * y * y + y - p);
  m.expect_gradient(1, {1.0 / 13.0});
}

TEST(ConstraintDerivatives, go_on_over_an_event_whose_time_moves) {
  RuleModel m;  // y^2 = x, z' = y; x = 1 + t until s = 1, then 4 times that
  const Expr x = m.symbol("x"), s = m.parameter("s", 1), y = m.unknown("y", 1);
  m.state("x", m.number(1), m.number(1));
  m.state("z", y, m.number(0));
  m.event(binary(Op::less, s, m.time), {{x, 4.0 * x}});
  m.hold(y * y - x);
  const double by_y = 3 / (2 * std::sqrt(10)),
               by_z = std::sqrt(2) - std::sqrt(8) + 3 * (std::sqrt(10) - std::sqrt(8));
  m.expect_gradient(3, {3 + by_y + by_z});
}

TEST(ConstraintDerivatives, go_on_over_a_jump_of_the_equation_whose_time_moves) {
  RuleModel m;  // y = 2 until s, then 3; z' = y
  const Expr s = m.parameter("s", 1.2), y = m.unknown("y", 1);
  m.state("z", y, m.number(0));
  m.hold(y * y - select(binary(Op::less, m.time, s), m.number(4), m.number(9)));
  m.expect_gradient(2, {-1});
}

TEST(ConstraintDerivatives, go_on_over_a_threshold_that_a_state_crosses_in_the_equation) {
  RuleModel m;  // x = v t; y^2 = 4 until x = 1, then 9 x; z' = y
  const double v = 0.8, t = 2;
  const Expr x = m.symbol("x"), pace = m.parameter("v", v), y = m.unknown("y", 1);
  m.state("x", pace, m.number(0));
  m.state("z", y, m.number(0));
  m.hold(y * y - select(binary(Op::less, x, m.number(1)), m.number(4), 9.0 * x));
  // z = 2 / v + 2 / v ((v t)^1.5 - 1)
  const double by_y = 1.5 * std::sqrt(t / v), by_z = std::pow(t, 1.5) / std::sqrt(v);
  m.expect_gradient(t, {t + by_y + by_z});
}
