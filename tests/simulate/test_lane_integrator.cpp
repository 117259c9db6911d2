#include <cmath>
#include <memory>

#include <gtest/gtest.h>

#include "lane_jobs.hpp"

using namespace kinetune;
using simulate::IntegrationError;
using simulate::IntegratorOptions;
using simulate::LaneIntegrator;
using simulate::LaneReturn;
using simulate::LaneTask;
using simulate::Method;
using simulate::Mode;
using namespace kinetune::test;

namespace {

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
                                          testing::Values(Mode::states, Mode::forward, Mode::adjoint)));

class AdjointLanes : public Lanes {};
INSTANTIATE_TEST_SUITE_P(, AdjointLanes,
                         testing::Combine(testing::Values(4, 8),
                                          testing::Values(Method::rodas5p, Method::rodas4p2),
                                          testing::Values(Mode::adjoint)));

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

TEST_P(AdjointLanes, go_back_over_several_segments) {
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
