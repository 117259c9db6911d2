#pragma once

#include <cmath>
#include <memory>

#include "core/random.hpp"
#include "models.hpp"
#include "simulate/lane_integrator.hpp"

namespace kinetune::test {

/// Nonlinear, driven by time, parameters in rates and initial values; stiff where k is large. Beyond k > 1e6
/// the second state leaves all bounds in finite time.
inline SmallModel driven() {
  SmallModel s;
  const symbolic::Expr k = s.parameter("k", 0), m = s.parameter("m", 0), a = s.parameter("a", 0),
                       w = s.parameter("w", 0);
  const symbolic::Expr x = s.symbol("x"), y = s.symbol("y");
  const symbolic::Expr blows_up = binary(symbolic::Op::less, s.number(1e6), k);
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

  simulate::LaneTask task() { return {run.segment, run.x, run.s, times, &recorder}; }
  simulate::LaneReturn back() { return {lambda, gradient}; }
};

using Jobs = std::vector<std::unique_ptr<Job>>;

inline Jobs make_jobs(const jit::CompiledModel& model, const std::vector<int>& seeds) {
  Jobs jobs;
  for (const int seed : seeds) jobs.push_back(std::make_unique<Job>(model, seed));
  return jobs;
}

inline void carry_out_alone(simulate::Integrator& integrator, Job& job, simulate::Mode mode) {
  integrator.clear_tape();
  ASSERT_TRUE(
      integrator.forward(job.run.segment, mode, job.run.x,
                         mode == simulate::Mode::forward ? std::span<double>(job.run.s) : std::span<double>(),
                         job.times, job.recorder));
  if (mode == simulate::Mode::adjoint) {
    ASSERT_TRUE(integrator.backward(job.lambda, job.gradient));
  }
}

inline void expect_near(const std::vector<double>& a, const std::vector<double>& b, double tolerance) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], tolerance * (1.0 + std::fabs(b[i])));
}

inline void expect_near(const Job& a, const Job& b, simulate::Mode mode, double tolerance) {
  ASSERT_EQ(a.recorder.x.size(), b.recorder.x.size());
  for (std::size_t i = 0; i < a.recorder.x.size(); ++i)
    expect_near(a.recorder.x[i], b.recorder.x[i], tolerance);
  expect_near(a.run.x, b.run.x, tolerance);
  if (mode == simulate::Mode::forward) {
    expect_near(a.run.s, b.run.s, tolerance);
    ASSERT_EQ(a.recorder.sensitivities.size(), b.recorder.sensitivities.size());
    for (std::size_t i = 0; i < a.recorder.sensitivities.size(); ++i)
      expect_near(a.recorder.sensitivities[i], b.recorder.sensitivities[i], tolerance);
  }
  if (mode == simulate::Mode::adjoint) {
    expect_near(a.lambda, b.lambda, tolerance);
    expect_near(a.gradient, b.gradient, tolerance);
  }
}

inline void expect_same_bits(const Job& a, const Job& b) {
  EXPECT_EQ(a.recorder.x, b.recorder.x);
  EXPECT_EQ(a.recorder.sensitivities, b.recorder.sensitivities);
  EXPECT_EQ(a.run.x, b.run.x);
  EXPECT_EQ(a.run.s, b.run.s);
  EXPECT_EQ(a.lambda, b.lambda);
  EXPECT_EQ(a.gradient, b.gradient);
}

inline const std::vector<int> many{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20};

}  // namespace kinetune::test
