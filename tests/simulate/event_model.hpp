#pragma once

#include <string>

#include <gtest/gtest.h>

#include "models.hpp"

namespace kinetune::test {

/// Models with events and delays, written down shortly.
struct EventModel : SmallModel {
  symbolic::Expr time = ode.time;

  /// Adds an event; what it returns may be changed.
  model::Event& event(symbolic::Expr trigger, std::vector<model::EventAssignment> assignments) {
    model::Event event;
    event.id = "e" + std::to_string(ode.events.size());
    event.trigger = trigger;
    event.assignments = std::move(assignments);
    ode.events.push_back(event);
    return ode.events.back();
  }
  /// A quantity that only events change.
  symbolic::Expr kept(const char* name, double value) {
    state(name, number(0), number(value));
    return symbol(name);
  }

  symbolic::Expr delayed(symbolic::Expr value, symbolic::Expr lag) {
    const std::string id = "delay#" + std::to_string(ode.delays.size() + 1);
    ode.delays.push_back({id, ode.graph->symbol(id), value, lag});
    return ode.delays.back().symbol;
  }

  /// States (n_states) at the times.
  std::vector<std::vector<double>> course(const std::vector<double>& times) {
    const auto compiled = compile();
    const auto integrator =
        simulate::make_integrator(compiled, WithMethod::options({.rtol = 1e-10, .atol = 1e-12}));
    Simulation run(compiled, parameter_values(), times.back());
    Recorder recorder;
    const auto result = integrator->forward(run.segment, simulate::Mode::states, run.x, {}, times, recorder);
    EXPECT_TRUE(result.has_value()) << to_string(result.error().error);
    return recorder.x;
  }
  double last(double time) { return course({time}).back()[0]; }

  simulate::IntegrationFailure failure(double end, simulate::Mode mode = simulate::Mode::states) {
    const auto compiled = compile();
    const auto integrator = simulate::make_integrator(compiled, WithMethod::options());
    Simulation run(compiled, parameter_values(), end);
    Recorder recorder;
    const auto result = integrator->forward(run.segment, mode, run.x, run.s, {}, recorder);
    EXPECT_FALSE(result.has_value());
    return result ? simulate::IntegrationFailure{} : result.error();
  }

  /// The sum of the states at a time, by the parameters: by forward sensitivities and by the adjoint, with
  /// every method.
  void expect_gradient(double time, const std::vector<double>& expected) {
    const auto compiled = compile();
    for (const auto method :
         {simulate::Method::cvodes, simulate::Method::rodas5p, simulate::Method::rodas4p2}) {
      SCOPED_TRACE(simulate::name(method));
      expect_gradient(compiled, method, time, expected);
    }
  }

  std::vector<double> parameter_values() const {
    std::vector<double> values;
    for (const auto& p : ode.parameters) values.push_back(p.value);
    return values;
  }

 private:
  void expect_gradient(const jit::CompiledModel& compiled, simulate::Method method, double time,
                       const std::vector<double>& expected) {
    const auto integrator = simulate::make_integrator(compiled, {.method = method});
    Simulation run(compiled, parameter_values(), time);
    Recorder recorder;
    recorder.weights = {1.0};
    const std::vector<double> times{time};
    ASSERT_TRUE(integrator->forward(run.segment, simulate::Mode::forward, run.x, run.s, times, recorder));
    const auto forward = recorder.sensitivities.back();
    run.restart();
    const auto at_start = run.s;
    integrator->clear_tape();
    ASSERT_TRUE(integrator->forward(run.segment, simulate::Mode::adjoint, run.x, {}, times, recorder));
    std::vector<double> adjoint(run.x.size()), gradient(expected.size());
    ASSERT_TRUE(integrator->backward(adjoint, gradient));
    for (std::size_t k = 0; k < expected.size(); ++k) {
      double sum = 0;
      for (std::size_t i = 0; i < run.x.size(); ++i) {
        sum += forward[i * expected.size() + k];
        gradient[k] += adjoint[i] * at_start[i * expected.size() + k];
      }
      EXPECT_NEAR(sum, expected[k], 1e-6) << "forward, parameter " << k;
      EXPECT_NEAR(gradient[k], expected[k], 1e-6) << "adjoint, parameter " << k;
    }
  }
};

}  // namespace kinetune::test
