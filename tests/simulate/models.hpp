#pragma once

#include <vector>

#include <gtest/gtest.h>

#include "jit/compiled_model.hpp"
#include "simulate/integrator.hpp"

namespace kinetune::test {

/// Symbols by name, in order, with values; rates and initial values written as expressions.
struct SmallModel {
  model::OdeModel ode;

  symbolic::Expr symbol(const char* name) { return ode.graph->symbol(name); }
  symbolic::Expr parameter(const char* name, double value) {
    ode.parameters.push_back({name, symbol(name), value});
    return symbol(name);
  }
  void state(const char* name, symbolic::Expr rate, symbolic::Expr initial) {
    ode.states.push_back({name, symbol(name), rate, initial});
  }
  symbolic::Expr number(double v) { return ode.graph->constant(v); }

  jit::CompiledModel compile(int lanes = 1) const {
    jit::ModelSource source{model::flatten(ode), {}, {}, {}};
    for (std::size_t i = 0; i < ode.parameters.size(); ++i)
      source.differentiated.push_back(static_cast<int>(i));
    return jit::CompiledModel(
        jit::compile(source, {.derivatives = jit::Derivatives::second, .lanes = lanes}));
  }
};

/// The base of tests that hold for every method of integration: INSTANTIATE_TEST_SUITE_P(, Suite,
/// all_methods).
struct WithMethod : testing::TestWithParam<simulate::Method> {
  WithMethod() { current() = GetParam(); }
  ~WithMethod() override { current() = simulate::Method::cvodes; }

  /// The options with the method under test.
  static simulate::IntegratorOptions options(simulate::IntegratorOptions options = {}) {
    options.method = current();
    return options;
  }

 private:
  static simulate::Method& current() {
    static simulate::Method method = simulate::Method::cvodes;
    return method;
  }
};
inline const auto all_methods =
    testing::Values(simulate::Method::cvodes, simulate::Method::rodas5p, simulate::Method::rodas4p2);

/// Keeps what it is given; as cotangent it returns weight[i] at every state.
struct Recorder final : simulate::Sink {
  std::vector<std::vector<double>> x, sensitivities;
  std::vector<double> weights;

  void at(std::size_t index, std::span<const double> state, std::span<const double> s,
          std::span<double> cotangent) override {
    x.emplace_back(state.begin(), state.end());
    sensitivities.emplace_back(s.begin(), s.end());
    for (double& c : cotangent) c = weights.at(index);
  }
};

/// One simulation from the model's initial values to the last time.
struct Simulation {
  const jit::CompiledModel& model;
  std::vector<double> parameters;
  std::vector<int> active;
  std::vector<double> prelude, x, s;
  simulate::Segment segment;

  Simulation(const jit::CompiledModel& m, std::vector<double> p, double end)
      : model(m), parameters(std::move(p)), prelude(m.code().n_prelude), x(m.n_states()) {
    model.prelude(parameters.data(), prelude.data());
    for (int k = 0; k < m.n_differentiated(); ++k) active.push_back(k);
    segment = {0.0, end, prelude, parameters, active};
    restart();
  }

  void restart() {
    model.initials(0.0, prelude.data(), x.data());
    const auto& pattern = model.code().initials_by_parameter;
    std::vector<double> values(pattern.n_nonzeros());
    model.initials_by_parameter(0.0, prelude.data(), values.data());
    s.assign(x.size() * active.size(), 0.0);
    for (int j = 0; j < pattern.n_cols; ++j) {
      for (int e = pattern.column_starts[j]; e < pattern.column_starts[j + 1]; ++e)
        s[pattern.rows[e] * active.size() + j] = values[e];
    }
  }
};

}  // namespace kinetune::test
