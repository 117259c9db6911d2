#include <cmath>

#include <gtest/gtest.h>

#include "jit/compiled_model.hpp"

using namespace kinetune;
using symbolic::Expr;
using symbolic::Op;
using symbolic::pow;
using symbolic::unary;

namespace {

/// Hill kinetics with an exponent to be differentiated, mass action, a drive by time, a branch.
struct SecondDerivatives : testing::Test {
  model::OdeModel ode;
  Expr x = ode.graph->symbol("x"), y = ode.graph->symbol("y"), k = ode.graph->symbol("k"),
       n = ode.graph->symbol("n");
  std::vector<double> parameters{0.7, 2.5}, state{0.3, 0.8};
  double t = 0.4;

  SecondDerivatives() {
    const Expr hill = pow(x, n) / (pow(k, n) + pow(x, n));
    const Expr drive = unary(Op::sin, k * ode.time) * y;
    ode.parameters = {{"k", k, 0.7}, {"n", n, 2.5}};
    ode.states = {{"x", x, drive - k * x * y * y, k},
                  {"y", y, hill + select(binary(Op::less, x, y), x * x * n, x), ode.graph->constant(1)}};
  }

  jit::ModelSource source() { return {model::flatten(ode), {}, {}, {0, 1}}; }

  std::vector<double> prelude(const jit::CompiledModel& m) {
    std::vector<double> c(m.code().n_prelude);
    m.prelude(parameters.data(), c.data());
    m.set_switches(t, state.data(), c.data());
    return c;
  }
};

/// A contraction as a full matrix.
std::vector<double> full(const jit::Contraction& c, const std::vector<double>& values,
                         const std::vector<double>& direction) {
  std::vector<double> matrix(c.pattern.n_rows * c.pattern.n_cols);
  for (int j = 0; j < c.pattern.n_cols; ++j) {
    for (int e = c.pattern.column_starts[j]; e < c.pattern.column_starts[j + 1]; ++e) {
      for (int term = c.term_starts[e]; term < c.term_starts[e + 1]; ++term)
        matrix[c.pattern.rows[e] * c.pattern.n_cols + j] +=
            values[c.values[term]] * direction[c.directions[term]];
    }
  }
  return matrix;
}

std::vector<double> full(const jit::Pattern& pattern, const double* values) {
  std::vector<double> matrix(pattern.n_rows * pattern.n_cols);
  for (int j = 0; j < pattern.n_cols; ++j) {
    for (int e = pattern.column_starts[j]; e < pattern.column_starts[j + 1]; ++e)
      matrix[pattern.rows[e] * pattern.n_cols + j] = values[e];
  }
  return matrix;
}

}  // namespace

TEST_F(SecondDerivatives, contractions_are_what_first_derivatives_change_by_along_a_direction) {
  const jit::CompiledModel m(jit::compile(source(), {.derivatives = jit::Derivatives::second}));
  const auto& code = m.code();
  ASSERT_TRUE(code.curvature.is_present);
  const auto c = prelude(m);
  const std::vector<double> direction{0.6, -1.1, 0.35};  // x, y, time
  std::vector<double> second(code.curvature.n_values);
  m.second_derivatives(t, state.data(), c.data(), second.data());

  const double h = 1e-5;
  const auto moved = [&](double step, bool by_state) {
    const std::vector<double> x{state[0] + step * direction[0], state[1] + step * direction[1]};
    const auto& pattern = by_state ? code.jacobian : code.rates_by_parameter;
    std::vector<double> values(pattern.n_nonzeros());
    if (by_state)
      m.jacobian(t + step * direction[2], x.data(), c.data(), values.data());
    else
      m.rates_by_parameter(t + step * direction[2], x.data(), c.data(), values.data());
    return full(pattern, values.data());
  };
  for (const bool by_state : {true, false}) {
    const auto exact =
        full(by_state ? code.curvature.by_state : code.curvature.by_parameter, second, direction);
    const auto ahead = moved(h, by_state), behind = moved(-h, by_state);
    double largest = 0;
    for (std::size_t e = 0; e < exact.size(); ++e) {
      EXPECT_NEAR(exact[e], (ahead[e] - behind[e]) / (2 * h), 1e-8);
      largest = std::max(largest, std::fabs(exact[e]));
    }
    EXPECT_GT(largest, 0.1);
  }
}

TEST_F(SecondDerivatives, slopes_by_time_stand_for_the_rates_that_time_drives) {
  const jit::CompiledModel m(jit::compile(source(), {.derivatives = jit::Derivatives::second}));
  const auto c = prelude(m);
  ASSERT_EQ(m.code().curvature.rates_by_time, std::vector{0});
  double slope = 0;
  m.rates_by_time(t, state.data(), c.data(), &slope);
  EXPECT_NEAR(slope, 0.7 * std::cos(0.7 * 0.4) * 0.8, 1e-14);
}

TEST_F(SecondDerivatives, are_left_out_where_nobody_asks_for_them_or_there_are_too_many) {
  EXPECT_FALSE(jit::compile(source()).curvature.is_present);
  EXPECT_FALSE(jit::compile(source(), {.derivatives = jit::Derivatives::second, .max_second_derivatives = 3})
                   .curvature.is_present);
}

TEST_F(SecondDerivatives, survive_the_way_through_bytes) {
  const auto code = jit::compile(source(), {.derivatives = jit::Derivatives::second});
  const auto copy = jit::ModelCode::from_bytes(code.to_bytes());
  EXPECT_EQ(copy.curvature.by_state.directions, code.curvature.by_state.directions);
  EXPECT_EQ(copy.curvature.by_parameter.values, code.curvature.by_parameter.values);
  const jit::CompiledModel m(copy);
  const auto c = prelude(m);
  std::vector<double> second(copy.curvature.n_values);
  m.second_derivatives(t, state.data(), c.data(), second.data());
}

TEST_F(SecondDerivatives, of_a_saturated_rate_vanish_although_powers_of_its_denominator_overflow) {
  const jit::CompiledModel m(jit::compile(source(), {.derivatives = jit::Derivatives::second}));
  parameters = {0.03, 20.1};
  state[0] = 1e6;  // x^n = 1e120, whose cube is no number
  const auto c = prelude(m);
  const auto& code = m.code();
  std::vector<double> first(code.jacobian.n_nonzeros()), second(code.curvature.n_values);
  m.jacobian(t, state.data(), c.data(), first.data());
  m.second_derivatives(t, state.data(), c.data(), second.data());
  for (const double value : second) EXPECT_TRUE(std::isfinite(value));
  const std::vector<double> jacobian = full(code.jacobian, first.data());
  EXPECT_NEAR(jacobian[1 * 2 + 0], 1.0, 1e-12);  // of the branch beside it
}

TEST_F(SecondDerivatives, of_a_rate_with_an_exponent_that_is_differentiated_have_a_value_at_a_base_of_zero) {
  const jit::CompiledModel m(jit::compile(source(), {.derivatives = jit::Derivatives::second}));
  const auto& code = m.code();
  const auto at = [&](double value) {
    state[0] = value;
    const auto c = prelude(m);
    std::vector<double> second(code.curvature.n_values);
    m.second_derivatives(t, state.data(), c.data(), second.data());
    return second;
  };
  const std::vector<double> beside = at(1e-16), there = at(0.0);  // x^(n - 2) is 1e-8
  ASSERT_FALSE(there.empty());
  for (std::size_t i = 0; i < there.size(); ++i) EXPECT_NEAR(there[i], beside[i], 1e-6);
}

TEST(SecondDerivativesOfHillTerms, do_not_depend_on_units_in_which_products_of_the_powers_overflow) {
  model::OdeModel ode;
  const Expr x = ode.graph->symbol("x"), k = ode.graph->symbol("k"), n = ode.graph->symbol("n"),
             a = ode.graph->symbol("a");
  ode.parameters = {{"k", k, 1}, {"n", n, 60}, {"a", a, 3}};
  ode.states = {{"x", x, a * pow(k, n) / (pow(k, n) + pow(x, n)), k}};
  const jit::ModelSource source{model::flatten(ode), {}, {}, {0, 1, 2}};
  const jit::CompiledModel m(jit::compile(source, {.derivatives = jit::Derivatives::second}));
  const auto& code = m.code();
  // By x, and by (k, n, a), changing with x.
  const auto derivatives = [&](double unit) {
    const std::vector<double> parameters{unit, 60, 3}, state{0.98 * unit};
    std::vector<double> c(code.n_prelude), values(code.curvature.n_values);
    m.prelude(parameters.data(), c.data());
    m.second_derivatives(0, state.data(), c.data(), values.data());
    std::vector<double> all = full(code.curvature.by_state, values, {unit, 0});
    for (const double value : full(code.curvature.by_parameter, values, {unit, 0})) all.push_back(value);
    for (const int by_length : {0, 1}) all[by_length] *= unit;
    return all;
  };
  const auto expected = derivatives(1);
  ASSERT_EQ(expected.size(), 4u);
  for (const double unit : {1e-5, 3e-5, 1e3, 1e5}) {
    const auto found = derivatives(unit);  // k^n from 1e-300 to 1e300
    for (std::size_t i = 0; i < expected.size(); ++i)
      EXPECT_NEAR(found[i], expected[i], 1e-10 * std::fabs(expected[i])) << unit << ' ' << i;
  }
}
