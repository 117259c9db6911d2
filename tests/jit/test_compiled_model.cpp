#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/random.hpp"
#include "jit/compiled_model.hpp"

using namespace kinetune;
using symbolic::binary;
using symbolic::Expr;
using symbolic::Op;
using symbolic::pow;
using symbolic::unary;

namespace {

/// Every operation stands in a rate; Hill kinetics with an exponent to be differentiated; initial values of
/// parameters.
struct CompiledModelTest : testing::Test {
  model::OdeModel ode;
  Expr x = ode.graph->symbol("x"), y = ode.graph->symbol("y"), k = ode.graph->symbol("k"),
       n = ode.graph->symbol("n"), unused = ode.graph->symbol("unused"), scale = ode.graph->symbol("scale");
  std::vector<double> parameters{0.7, 2.5, 9.0, 3.0};
  double t = 0.4;
  std::vector<double> state{0.3, 0.8};

  CompiledModelTest() {
    const Expr hill = pow(x, n) / (pow(k, n) + pow(x, n));
    Expr zoo = hill;
    for (const Op op : {Op::exp, Op::log, Op::sin, Op::cos, Op::tan, Op::asin, Op::acos, Op::atan, Op::sinh,
                        Op::cosh, Op::tanh, Op::asinh, Op::atanh, Op::abs, Op::floor, Op::ceil, Op::sign}) {
      zoo = zoo + unary(op, k * x * y);
    }
    zoo = zoo + unary(Op::acosh, x + 1.5) + binary(Op::min, x, y * k) + binary(Op::max, x, y) +
          binary(Op::remainder, 3.0 * x, k) +
          select(binary(Op::logical_and, binary(Op::less, x, y),
                        unary(Op::logical_not, binary(Op::equal, x, k))),
                 x * x, pow(y, -3.0)) +
          binary(Op::xlogy, x, y) + pow(y, 2.5) + pow(x * y, -0.5) +
          binary(Op::logical_or, binary(Op::less_equal, y, x), x);
    ode.parameters = {{"k", k, 0.7}, {"n", n, 2.5}, {"unused", unused, 9.0}, {"scale", scale, 3.0}};
    ode.states = {{"x", x, zoo * ode.time - k * n * x, k * n + unary(Op::exp, k)},
                  {"y", y, hill - x / (k + y) / n, scale}};
  }

  jit::ModelSource source() {
    const auto flat = model::flatten(ode);
    const Expr placeholder = ode.graph->symbol("observableParameter1_o");
    return {flat,
            {{scale * x * placeholder + y, placeholder + 0.1 * x, {placeholder}}},
            {x + y, k * n},
            {0, 1, 3}};
  }

  double reference(Expr e, const std::vector<double>& p, const std::vector<double>& s,
                   double placeholder = 0.0) {
    return evaluate(e, [&](Expr symbol) {
      if (symbol == ode.time) return t;
      for (std::size_t i = 0; i < p.size(); ++i)
        if (symbol == ode.parameters[i].symbol) return p[i];
      for (std::size_t i = 0; i < s.size(); ++i)
        if (symbol == ode.states[i].symbol) return s[i];
      return placeholder;
    });
  }

  std::vector<double> prelude(const jit::CompiledModel& m) {
    std::vector<double> c(m.code().n_prelude);
    m.prelude(parameters.data(), c.data());
    m.set_switches(t, state.data(), c.data());
    return c;
  }
};

void expect_near(double a, double b) { EXPECT_NEAR(a, b, 1e-13 * (1 + std::abs(b))); }

}  // namespace

TEST_F(CompiledModelTest, native_code_computes_what_the_graph_says) {
  for (const int piece : {600, 3}) {  // whole, and cut into many functions
    const jit::CompiledModel m(jit::compile(source(), {.max_operations_per_function = piece}));
    const auto c = prelude(m);
    std::vector<double> dx(2), x0(2), out(2);

    m.rates(t, state.data(), c.data(), dx.data());
    m.initials(t, c.data(), x0.data());
    m.outputs(t, state.data(), c.data(), out.data());

    for (int i = 0; i < 2; ++i) {
      expect_near(dx[i], reference(ode.states[i].rate, parameters, state));
      expect_near(x0[i], reference(ode.states[i].initial, parameters, state));
    }
    expect_near(out[0], state[0] + state[1]);
    expect_near(out[1], 0.7 * 2.5);
  }
}

TEST_F(CompiledModelTest, derivatives_stand_where_the_patterns_say) {
  const jit::CompiledModel m(jit::compile(source()));
  const auto c = prelude(m);
  const auto& code = m.code();
  symbolic::Differentiator d(*ode.graph);
  std::vector<double> all(2 + code.jacobian.n_nonzeros() + code.rates_by_parameter.n_nonzeros());
  std::vector<double> jacobian(code.jacobian.n_nonzeros()),
      by_parameter(code.rates_by_parameter.n_nonzeros()), initials(code.initials_by_parameter.n_nonzeros());

  m.jacobian(t, state.data(), c.data(), jacobian.data());
  m.rates_by_parameter(t, state.data(), c.data(), by_parameter.data());
  m.initials_by_parameter(t, c.data(), initials.data());
  m.rates_and_derivatives(t, state.data(), c.data(), all.data());

  const auto check = [&](const jit::Pattern& pattern, const std::vector<double>& values, bool of_initial,
                         bool by_state) {
    for (int j = 0; j < pattern.n_cols; ++j) {
      const Expr symbol = by_state ? ode.states[j].symbol : ode.parameters[code.differentiated[j]].symbol;
      std::vector<double> column(2);
      for (int e = pattern.column_starts[j]; e < pattern.column_starts[j + 1]; ++e)
        column[pattern.rows[e]] = values[e];
      for (int i = 0; i < 2; ++i) {
        const Expr f = of_initial ? ode.states[i].initial : ode.states[i].rate;
        expect_near(column[i], reference(d(f, symbol), parameters, state));
      }
    }
  };
  check(code.jacobian, jacobian, false, true);
  check(code.rates_by_parameter, by_parameter, false, false);
  check(code.initials_by_parameter, initials, true, false);
  for (std::size_t i = 0; i < jacobian.size(); ++i) expect_near(all[2 + i], jacobian[i]);
  for (std::size_t i = 0; i < by_parameter.size(); ++i)
    expect_near(all[2 + jacobian.size() + i], by_parameter[i]);
}

TEST_F(CompiledModelTest, an_observable_and_its_gradient_use_the_measurements_placeholders) {
  const jit::CompiledModel m(jit::compile(source()));
  const auto c = prelude(m);
  const double placeholder = 1.7;
  const auto& layout = m.code().observables[0];
  std::vector<double> all(2 + layout.value.size() + layout.noise.size());

  m.observable_derivatives(0, t, state.data(), c.data(), &placeholder, all.data());

  expect_near(all[0], 3.0 * 0.3 * 1.7 + 0.8);
  expect_near(all[1], 1.7 + 0.03);
  EXPECT_EQ(layout.value.by_state, (std::vector{0, 1}));
  EXPECT_EQ(layout.value.by_parameter, (std::vector{2}));  // scale, third of the differentiated
  EXPECT_EQ(layout.value.by_placeholder, (std::vector{0}));
  expect_near(all[2], 3.0 * 1.7);
  expect_near(all[3], 1.0);
  expect_near(all[4], 0.3 * 1.7);
  expect_near(all[5], 0.9);
  EXPECT_EQ(layout.noise.by_state, (std::vector{0}));
  expect_near(all[6], 0.1);
  expect_near(all[7], 1.0);
}

TEST_F(CompiledModelTest, what_depends_on_parameters_alone_is_computed_once) {
  const jit::CompiledModel m(jit::compile(source()));
  EXPECT_GT(m.code().n_prelude, 4);  // k * n, k ^ n among others, beside the four parameters
}

TEST_F(CompiledModelTest, code_that_went_through_bytes_computes_the_same) {
  const jit::ModelCode code = jit::compile(source());
  const jit::CompiledModel here(code), there(jit::ModelCode::from_bytes(code.to_bytes()));
  std::vector<double> a(2), b(2);
  const auto c = prelude(here);
  here.rates(t, state.data(), c.data(), a.data());
  there.rates(t, state.data(), c.data(), b.data());
  EXPECT_EQ(a, b);
}

TEST_F(CompiledModelTest, code_for_another_processor_is_refused) {
  jit::ModelCode code = jit::compile(source());
  code.cpu = "another";
  EXPECT_THROW(jit::CompiledModel{code}, core::Error);
}
