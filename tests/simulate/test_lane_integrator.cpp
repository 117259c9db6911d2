#include <cmath>
#include <memory>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "core/random.hpp"
#include "models.hpp"
#include "simulate/lane_integrator.hpp"

using namespace kinetune;
using simulate::IntegrationError;
using simulate::IntegratorOptions;
using simulate::LaneIntegrator;
using simulate::LaneReturn;
using simulate::LaneTask;
using simulate::Method;
using simulate::Mode;
using symbolic::Expr;
using test::Recorder;
using test::Simulation;
using test::SmallModel;

namespace {

/// Nonlinear, driven by time, parameters in rates and initial values; stiff where k is large. Beyond k > 1e6
/// the second state leaves all bounds in finite time.
SmallModel driven() {
  SmallModel s;
  const Expr k = s.parameter("k", 0), m = s.parameter("m", 0), a = s.parameter("a", 0),
             w = s.parameter("w", 0);
  const Expr x = s.symbol("x"), y = s.symbol("y");
  const Expr blows_up = binary(symbolic::Op::less, s.number(1e6), k);
  s.state("x", -k * (x - unary(symbolic::Op::cos, w * s.ode.time)), a);
  s.state("y", select(blows_up, y * y, k * x * y / (k + 1.0) - m * y / (y + 2.0)), a * a);
  return s;
}

/// A simulation of a random model, with its own end and times.
struct Job {
  Simulation run;
  std::vector<double> times;
  Recorder recorder;
  std::vector<double> lambda, gradient;

  Job(const jit::CompiledModel& model, std::uint64_t seed) : run(model, parameters(seed), end(seed)) {
    const int n_times = static_cast<int>(seed % 5);  // sometimes none
    for (int i = 0; i <= n_times; ++i) times.push_back(run.segment.end * i / (n_times + 1));
    recorder.weights.assign(times.size(), 0.7);
    lambda.assign(run.x.size(), 0.3);
    gradient.assign(run.active.size(), 0.1);
  }

  static std::vector<double> parameters(std::uint64_t seed) {
    core::RandomStream random(seed, 0);
    const double stiffness = std::pow(10.0, 4.0 * random.uniform() - 1.0);
    return {stiffness, 0.5 + random.uniform(), 0.5 + random.uniform(), 1.0 + random.uniform()};
  }
  static double end(std::uint64_t seed) {
    core::RandomStream random(seed, 1);
    return std::pow(10.0, 2.0 * random.uniform() - 1.0);
  }

  LaneTask task() { return {run.segment, run.x, run.s, times, &recorder}; }
  LaneReturn back() { return {lambda, gradient}; }
};

using Jobs = std::vector<std::unique_ptr<Job>>;

Jobs make_jobs(const jit::CompiledModel& model, const std::vector<int>& seeds) {
  Jobs jobs;
  for (const int seed : seeds) jobs.push_back(std::make_unique<Job>(model, seed));
  return jobs;
}

/// There, and with Mode::adjoint back.
std::vector<std::expected<void, simulate::IntegrationFailure>> carry_out(LaneIntegrator& integrator,
                                                                         Jobs& jobs, Mode mode) {
  std::vector<LaneTask> tasks;
  std::vector<LaneReturn> returns;
  for (auto& job : jobs) {
    tasks.push_back(job->task());
    returns.push_back(job->back());
  }
  integrator.forward(tasks, mode);
  if (mode == Mode::adjoint) integrator.backward(returns);
  std::vector<std::expected<void, simulate::IntegrationFailure>> done;
  for (std::size_t i = 0; i < tasks.size(); ++i)
    done.push_back(tasks[i].done ? returns[i].done : tasks[i].done);
  return done;
}

void carry_out_alone(simulate::Integrator& integrator, Job& job, Mode mode) {
  integrator.clear_tape();
  ASSERT_TRUE(integrator.forward(job.run.segment, mode, job.run.x,
                                 mode == Mode::forward ? std::span<double>(job.run.s) : std::span<double>(),
                                 job.times, job.recorder));
  if (mode == Mode::adjoint) {
    ASSERT_TRUE(integrator.backward(job.lambda, job.gradient));
  }
}

void expect_near(const std::vector<double>& a, const std::vector<double>& b, double tolerance) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], tolerance * (1.0 + std::fabs(b[i])));
}

void expect_near(const Job& a, const Job& b, Mode mode, double tolerance) {
  ASSERT_EQ(a.recorder.x.size(), b.recorder.x.size());
  for (std::size_t i = 0; i < a.recorder.x.size(); ++i)
    expect_near(a.recorder.x[i], b.recorder.x[i], tolerance);
  expect_near(a.run.x, b.run.x, tolerance);
  if (mode == Mode::adjoint) {
    expect_near(a.lambda, b.lambda, tolerance);
    expect_near(a.gradient, b.gradient, tolerance);
  }
}

void expect_same_bits(const Job& a, const Job& b) {
  EXPECT_EQ(a.recorder.x, b.recorder.x);
  EXPECT_EQ(a.recorder.sensitivities, b.recorder.sensitivities);
  EXPECT_EQ(a.run.x, b.run.x);
  EXPECT_EQ(a.run.s, b.run.s);
  EXPECT_EQ(a.lambda, b.lambda);
  EXPECT_EQ(a.gradient, b.gradient);
}

const std::vector<int> many{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20};

class Lanes : public testing::TestWithParam<std::tuple<int, Method, Mode>> {
 protected:
  void SetUp() override {
    if (width > jit::host_lanes()) GTEST_SKIP() << "this processor has no registers of " << width;
    model = std::make_unique<jit::CompiledModel>(driven().compile(width));
  }

  const int width = std::get<0>(GetParam());
  const IntegratorOptions options{.rtol = 1e-6, .atol = 1e-9, .method = std::get<1>(GetParam())};
  const Mode mode = std::get<2>(GetParam());
  std::unique_ptr<jit::CompiledModel> model;
};
INSTANTIATE_TEST_SUITE_P(, Lanes,
                         testing::Combine(testing::Values(4, 8),
                                          testing::Values(Method::rodas5p, Method::rodas4p2),
                                          testing::Values(Mode::states, Mode::adjoint)));

}  // namespace

TEST_P(Lanes, compute_what_one_integration_after_the_other_does) {
  LaneIntegrator lanes(*model, options);
  Jobs together = make_jobs(*model, many), alone = make_jobs(*model, many);

  const auto done = carry_out(lanes, together, mode);

  const auto integrator = simulate::make_rosenbrock(*model, options);
  for (std::size_t i = 0; i < many.size(); ++i) {
    ASSERT_TRUE(done[i]) << to_string(done[i].error().error);
    carry_out_alone(*integrator, *alone[i], mode);
    expect_near(*together[i], *alone[i], mode, 1e-9);
  }
}

TEST_P(Lanes, have_the_same_bits_whatever_the_place_and_the_neighbours) {
  LaneIntegrator lanes(*model, options);
  Jobs in_order = make_jobs(*model, many);
  carry_out(lanes, in_order, mode);
  Jobs reversed = make_jobs(*model, {many.rbegin(), many.rend()});
  carry_out(lanes, reversed, mode);

  for (std::size_t i = 0; i < many.size(); ++i) {
    expect_same_bits(*in_order[i], *reversed[many.size() - 1 - i]);
    Jobs one = make_jobs(*model, {many[i]});
    lanes.clear_tape();
    carry_out(lanes, one, mode);
    expect_same_bits(*in_order[i], *one.front());
  }
}

TEST_P(Lanes, that_fail_do_not_harm_their_neighbours) {
  LaneIntegrator lanes(*model, options);
  Jobs jobs = make_jobs(*model, many), healthy = make_jobs(*model, many);
  carry_out(lanes, healthy, mode);
  lanes.clear_tape();
  for (const int i : {0, 3, 4, 11, 20}) {  // y' = y^2, y(0) = a^2: no further than 1 / a^2
    jobs[i]->run.parameters[0] = 2e6;
    model->prelude(jobs[i]->run.parameters.data(), jobs[i]->run.prelude.data());
    jobs[i]->run.segment.end = 10.0;
  }
  jobs[7]->run.x[0] = std::nan("");

  const auto done = carry_out(lanes, jobs, mode);

  for (std::size_t i = 0; i < many.size(); ++i) {
    if (i == 7) {
      ASSERT_FALSE(done[i]);
      EXPECT_EQ(done[i].error().error, IntegrationError::not_finite);
    } else if (jobs[i]->run.parameters[0] > 1e6) {
      ASSERT_FALSE(done[i]);
      const double a = jobs[i]->run.parameters[2];
      EXPECT_NEAR(done[i].error().time, 1.0 / (a * a), 1e-3);
    } else {
      ASSERT_TRUE(done[i]);
      expect_same_bits(*jobs[i], *healthy[i]);
    }
  }
}

TEST_P(Lanes, that_take_too_many_steps_are_given_up_one_by_one) {
  IntegratorOptions few = options;
  few.max_steps = 40;
  LaneIntegrator lanes(*model, few);
  const auto integrator = simulate::make_rosenbrock(*model, few);
  Jobs together = make_jobs(*model, many), alone = make_jobs(*model, many);

  const auto done = carry_out(lanes, together, mode);

  int n_failed = 0;
  for (std::size_t i = 0; i < many.size(); ++i) {
    Job& job = *alone[i];
    const auto expected =
        integrator->forward(job.run.segment, Mode::states, job.run.x, {}, job.times, job.recorder);
    EXPECT_EQ(done[i].has_value(), expected.has_value());
    if (done[i]) continue;
    EXPECT_EQ(done[i].error().error, IntegrationError::too_many_steps);
    ++n_failed;
  }
  EXPECT_GT(n_failed, 0);
  EXPECT_LT(n_failed, static_cast<int>(many.size()));
}

TEST_P(Lanes, go_back_over_several_segments) {
  if (mode != Mode::adjoint) GTEST_SKIP() << "there is a way back for adjoints only";
  LaneIntegrator lanes(*model, options);
  Jobs first = make_jobs(*model, many), whole = make_jobs(*model, many);
  const auto integrator = simulate::make_rosenbrock(*model, options);
  std::vector<LaneTask> tasks, later;
  std::vector<Recorder> recorders(many.size());
  for (std::size_t i = 0; i < many.size(); ++i) {
    tasks.push_back(first[i]->task());
    later.push_back(first[i]->task());
    later.back().segment.start = tasks.back().segment.end;
    later.back().segment.end = 1.5 * tasks.back().segment.end;
    later.back().times = {};
  }

  lanes.forward(tasks, mode);
  lanes.forward(later, mode);
  for (int part = 0; part < 2; ++part) {
    std::vector<LaneReturn> returns;
    for (auto& job : first) returns.push_back(job->back());
    lanes.backward(returns);
    for (const auto& back : returns) ASSERT_TRUE(back.done);
  }

  for (std::size_t i = 0; i < many.size(); ++i) {
    Job& job = *whole[i];
    integrator->clear_tape();
    ASSERT_TRUE(integrator->forward(tasks[i].segment, mode, job.run.x, {}, job.times, job.recorder));
    ASSERT_TRUE(integrator->forward(later[i].segment, mode, job.run.x, {}, {}, job.recorder));
    ASSERT_TRUE(integrator->backward(job.lambda, job.gradient));
    ASSERT_TRUE(integrator->backward(job.lambda, job.gradient));
    expect_near(*first[i], job, mode, 1e-9);
  }
}
