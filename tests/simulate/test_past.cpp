#include <cmath>

#include <gtest/gtest.h>

#include "event_model.hpp"
#include "simulate/past.hpp"

using namespace kinetune;
using simulate::make_integrator;
using simulate::Mode;
using simulate::Past;
using symbolic::binary;
using symbolic::Expr;
using symbolic::Op;
using test::EventModel;
using test::Recorder;
using test::Simulation;

namespace {

struct Outcome {
  std::vector<double> x, sensitivities;
  std::vector<double> gradient;  ///< of the sum of the states at the end
};

/// Integrates to an end in segments that follow each other.
class Cut : public test::WithMethod {
 protected:
  static Outcome run(const EventModel& m, const std::vector<double>& cuts, double end) {
    const auto compiled = m.compile();
    const auto integrator = make_integrator(compiled, options({.rtol = 1e-10, .atol = 1e-13}));
    Outcome outcome;
    for (const Mode mode : {Mode::forward, Mode::adjoint}) {
      Simulation run(compiled, m.parameter_values(), end);
      const auto at_start = run.s;
      Recorder recorder;
      std::vector<Past> pasts(cuts.size() + 1);
      integrator->clear_tape();
      for (std::size_t i = 0; i <= cuts.size(); ++i) {
        run.segment.start = i > 0 ? cuts[i - 1] : 0.0;
        run.segment.end = i < cuts.size() ? cuts[i] : end;
        run.segment.past = i > 0 ? &pasts[i - 1] : nullptr;
        const auto s = mode == Mode::forward ? std::span(run.s) : std::span<double>{};
        EXPECT_TRUE(integrator->forward(run.segment, mode, run.x, s, {}, recorder));
        pasts[i] = integrator->past();
      }
      if (mode == Mode::forward) {
        outcome = {run.x, run.s, {}};
        continue;
      }
      std::vector<double> adjoint(run.x.size(), 1.0);
      outcome.gradient.assign(run.active.size(), 0.0);
      for (std::size_t i = 0; i <= cuts.size(); ++i)
        EXPECT_TRUE(integrator->backward(adjoint, outcome.gradient));
      for (std::size_t i = 0; i < run.x.size(); ++i) {
        for (std::size_t k = 0; k < run.active.size(); ++k)
          outcome.gradient[k] += adjoint[i] * at_start[i * run.active.size() + k];
      }
    }
    return outcome;
  }
};

// Before anything happens, at the trigger, while an event is pending, when it happens, after it, several, at
// the start.
const std::vector<std::vector<double>> all_cuts{
    {}, {1.0}, {2.0}, {3.0}, {3.5}, {6.0}, {2.0, 3.5}, {2.5, 3.0}, {0.0, 2.5}, {1.0, 2.5, 3.25, 6.0}};

}  // namespace

INSTANTIATE_TEST_SUITE_P(, Cut, test::all_methods);

TEST_P(Cut, leaves_an_event_whose_time_a_parameter_moves_as_it_was) {
  // x' = a from 0; where x = th, at 2, an event is triggered that at 3.5 sets y' = -r y, y(0) = 1, to y + x.
  EventModel m;
  const Expr a = m.parameter("a", 0.5), th = m.parameter("th", 1.0), d = m.parameter("d", 1.5),
             r = m.parameter("r", 0.2);
  m.state("x", a, m.number(0));
  m.state("y", -r * m.symbol("y"), m.number(1));
  auto& event =
      m.event(binary(Op::less_equal, th, m.symbol("x")), {{m.symbol("y"), m.symbol("y") + m.symbol("x")}});
  event.delay = d;
  event.values_from_trigger_time = false;
  const double late = std::exp(-0.2 * 4.5), decayed = std::exp(-0.2 * 8), dose = 1.75;  // of the time 3.5
  // y(8) = exp(-8 r) + (th + a d) exp(-r (8 - th / a - d)), x(8) = 8 a
  const double by_time = 0.2 * dose * late;
  const std::vector<double> y_by{1.5 * late - 4 * by_time, late + 2 * by_time, 0.5 * late + by_time,
                                 -8 * decayed - 4.5 * dose * late};
  for (const auto& cuts : all_cuts) {
    SCOPED_TRACE(testing::PrintToString(cuts));
    const Outcome outcome = run(m, cuts, 8.0);
    EXPECT_NEAR(outcome.x[1], decayed + dose * late, 1e-8);
    for (std::size_t k = 0; k < y_by.size(); ++k) {
      EXPECT_NEAR(outcome.sensitivities[y_by.size() + k], y_by[k], 1e-7) << k;
      EXPECT_NEAR(outcome.gradient[k], y_by[k] + (k == 0 ? 8.0 : 0.0), 1e-7) << k;
    }
  }
}

TEST_P(Cut, leaves_values_of_the_trigger_time_as_they_were) {
  // As above, but y gets what x * x was at the trigger at the time t1 = 3, one time unit later.
  EventModel m;
  const Expr a = m.parameter("a", 0.5), t1 = m.parameter("t1", 3.0);
  m.state("x", a, m.number(0));
  m.state("y", m.number(0), m.number(0));
  m.event(binary(Op::less_equal, t1, m.time), {{m.symbol("y"), m.symbol("x") * m.symbol("x")}}).delay =
      m.number(1);
  for (const auto& cuts : all_cuts) {
    SCOPED_TRACE(testing::PrintToString(cuts));
    const Outcome outcome = run(m, cuts, 8.0);
    EXPECT_NEAR(outcome.x[1], 2.25, 1e-9);
    EXPECT_NEAR(outcome.sensitivities[2], 2 * 1.5 * 3, 1e-8);
    EXPECT_NEAR(outcome.sensitivities[3], 2 * 1.5 * 0.5, 1e-8);
    EXPECT_NEAR(outcome.gradient[0], 8 + 9, 1e-8);
    EXPECT_NEAR(outcome.gradient[1], 1.5, 1e-8);
  }
}

TEST(Past, is_what_delays_look_back_at) {
  EventModel m;  // x' = -x(t - 1), x = 1 before: 1 - t + (t - 1)^2 / 2 - (t - 2)^3 / 6 from 2 to 3
  m.state("x", -m.delayed(m.symbol("x"), m.number(1)), m.number(1));
  const auto compiled = m.compile();
  const auto integrator = make_integrator(compiled, {.rtol = 1e-10, .atol = 1e-12});
  Simulation run(compiled, {}, 0.0);
  Recorder none;
  Past past;
  for (const double end : {0.4, 1.0, 1.9, 2.5, 3.0}) {
    run.segment.end = end;
    ASSERT_TRUE(integrator->forward(run.segment, Mode::states, run.x, {}, {}, none));
    past = integrator->past();
    run.segment.past = &past;
    run.segment.start = end;
  }
  EXPECT_NEAR(run.x[0], 1 - 3 + 4.0 / 2 - 1.0 / 6, 1e-8);
}

TEST_P(Cut, lets_no_event_happen_twice) {
  // At the start, at 3, just after 3, and for as long as the clock is at most 3.
  EventModel m;
  const Expr n = m.kept("n", 0);
  for (const Expr trigger :
       {binary(Op::less_equal, m.number(0), m.time), binary(Op::less_equal, m.number(3), m.time),
        binary(Op::less, m.number(3), m.time), binary(Op::less_equal, m.time, m.number(3))}) {
    auto& event = m.event(trigger, {{n, n + m.number(1)}});
    event.initially_true = event.values_from_trigger_time = false;
  }
  for (const auto& cuts : all_cuts) {
    SCOPED_TRACE(testing::PrintToString(cuts));
    EXPECT_EQ(run(m, cuts, 8.0).x[0], 4);
  }
}
