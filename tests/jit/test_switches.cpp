#include <gtest/gtest.h>

#include "jit/compiled_model.hpp"

using namespace kinetune;
using jit::Switch;
using symbolic::binary;
using symbolic::Expr;
using symbolic::Op;
using symbolic::unary;

namespace {

/// A state x with the rate that a test gives, and parameters k = 2 (differentiated) and c = 5 (not).
struct SwitchesTest : testing::Test {
  model::OdeModel ode;
  Expr x = ode.graph->symbol("x"), k = ode.graph->symbol("k"), c = ode.graph->symbol("c"), t = ode.time;
  Expr one = ode.graph->constant(1), zero = ode.graph->constant(0);

  jit::ModelCode code_of(Expr rate) {
    ode.parameters = {{"k", k, 2}, {"c", c, 5}};
    ode.states = {{"x", x, rate, one}};
    return jit::compile({model::flatten(ode), {}, {}, {0}});
  }

  /// The rate with all switches as they are.
  double rate(const jit::CompiledModel& model, double time, double state) {
    std::vector<double> prelude(model.code().n_prelude), parameters{2, 5};
    model.prelude(parameters.data(), prelude.data());
    model.set_switches(time, &state, prelude.data());
    double dx;
    model.rates(time, &state, prelude.data(), &dx);
    return dx;
  }
};

}  // namespace

TEST_F(SwitchesTest, conditions_of_parameters_alone_need_none) {
  EXPECT_TRUE(code_of(select(binary(Op::less, k, c), x, one)).switches.empty());
}

TEST_F(SwitchesTest, a_comparison_and_its_opposite_share_one) {
  const Expr below = select(binary(Op::less, x, c), one, zero);
  const Expr above = select(binary(Op::less_equal, c, x), x, zero);
  EXPECT_EQ(code_of(below + above).switches.size(), 1u);
}

TEST_F(SwitchesTest, are_told_apart_by_what_drives_them) {
  const auto driver = [&](Expr argument) {
    const auto code = code_of(x * select(binary(Op::less, argument, one), one, zero));
    return code.switches.back().driver;
  };
  EXPECT_EQ(driver(c * t - k), Switch::Driver::clock);
  EXPECT_EQ(driver(unary(Op::sin, t)), Switch::Driver::wave);
  EXPECT_EQ(driver(c + unary(Op::cos, 2.0 * x)), Switch::Driver::wave);
  EXPECT_EQ(driver(x + t), Switch::Driver::course);
  EXPECT_EQ(driver(t - 24.0 * unary(Op::floor, (1.0 / 24) * t)), Switch::Driver::clock);
}

TEST_F(SwitchesTest, know_whether_rates_jump_and_whether_their_time_depends_on_what_is_differentiated) {
  const auto kind_of = [&](Expr rate) { return code_of(rate).switches.at(0); };
  EXPECT_FALSE(kind_of(unary(Op::abs, t - c)).jumps);
  EXPECT_FALSE(kind_of(binary(Op::max, t, c)).jumps);
  EXPECT_TRUE(kind_of(select(binary(Op::less, t, c), one, zero)).jumps);
  EXPECT_TRUE(kind_of(unary(Op::abs, t - c) + select(binary(Op::less, t, c), one, zero)).jumps);
  EXPECT_FALSE(kind_of(select(binary(Op::less, t, c), one, zero)).by_parameter);
  EXPECT_TRUE(kind_of(select(binary(Op::less, t, k), one, zero)).by_parameter);
  EXPECT_TRUE(kind_of(select(binary(Op::less, x, c), one, zero)).by_parameter);
}

TEST_F(SwitchesTest, hold_their_branch_beyond_its_bound) {
  const jit::CompiledModel model(code_of(select(binary(Op::less, x, c), x, -x)));
  std::vector<double> prelude(model.code().n_prelude), parameters{2, 5};
  model.prelude(parameters.data(), prelude.data());
  double below = 4, above = 6, dx;
  model.set_switches(0, &below, prelude.data());
  model.rates(0, &above, prelude.data(), &dx);
  EXPECT_EQ(dx, 6);
  model.set_switches(0, &above, prelude.data());
  model.rates(0, &above, prelude.data(), &dx);
  EXPECT_EQ(dx, -6);
}

TEST_F(SwitchesTest, may_look_at_each_other) {
  const Expr step = select(binary(Op::less, t, one), x, 10.0 * x);
  const jit::CompiledModel model(code_of(unary(Op::floor, step) + select(step - c, one, zero)));
  EXPECT_EQ(rate(model, 0, 5.5), 5 + 1);
  EXPECT_EQ(rate(model, 0, 5), 5 + 0);  // a number as a condition: false where it is 0
  EXPECT_EQ(rate(model, 2, 5.5), 55 + 1);
}

TEST_F(SwitchesTest, go_through_bytes) {
  const auto code = code_of(unary(Op::ceil, x));
  const auto there = jit::ModelCode::from_bytes(code.to_bytes());
  ASSERT_EQ(there.switches.size(), 1u);
  EXPECT_EQ(there.switches[0].kind, Switch::Kind::ceil);
}
