#include <stdexcept>

#include <gtest/gtest.h>

#include "lane_jobs.hpp"
#include "simulate/lane_group.hpp"

using namespace kinetune;
using namespace kinetune::test;
using simulate::IntegratorOptions;
using simulate::LaneGroup;
using simulate::Method;
using simulate::Mode;

namespace {

constexpr int n_members = 5;  // fewer than jobs, more than lanes of some widths

class Group : public testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    if (GetParam() > jit::host_lanes()) GTEST_SKIP() << "this processor has no registers of " << GetParam();
    model = std::make_unique<jit::CompiledModel>(driven().compile(GetParam()));
    group = std::make_unique<LaneGroup>(*model, options, n_members);
    for (int i = 0; i < n_members; ++i) integrators.push_back(group->integrator(i));
  }

  const IntegratorOptions options{.rtol = 1e-6, .atol = 1e-9, .method = Method::rodas5p};
  std::unique_ptr<jit::CompiledModel> model;
  std::unique_ptr<LaneGroup> group;
  std::vector<std::unique_ptr<simulate::Integrator>> integrators;
};
INSTANTIATE_TEST_SUITE_P(, Group, testing::Values(4, 8));

/// As many segments as the number says, some jobs first without a tape; then the way back.
void carry_out_in_pieces(simulate::Integrator& integrator, Job& job, int number) {
  integrator.clear_tape();
  const double end = job.run.segment.end;
  Recorder none;
  if (number % 3 == 0) {
    const auto x = job.run.x;
    ASSERT_TRUE(integrator.forward(job.run.segment, Mode::states, job.run.x, {}, {}, none));
    job.run.x = x;
  }
  const int n_segments = 1 + number % 4;
  simulate::Segment piece = job.run.segment;
  for (int i = 0; i < n_segments; ++i) {
    piece.end = end * (i + 1) / n_segments;
    ASSERT_TRUE(integrator.forward(piece, Mode::adjoint, job.run.x, {}, {}, none));
    piece.start = piece.end;
  }
  for (int i = 0; i < n_segments; ++i) ASSERT_TRUE(integrator.backward(job.lambda, job.gradient));
}

}  // namespace

TEST_P(Group, carries_out_jobs_as_if_each_were_alone) {
  for (const Mode mode : {Mode::states, Mode::forward, Mode::adjoint}) {
    Jobs together = make_jobs(*model, many), alone = make_jobs(*model, many);
    group->run(many.size(),
               [&](std::size_t i, int member) { carry_out_alone(*integrators[member], *together[i], mode); });
    const auto integrator = simulate::make_rosenbrock(*model, options);
    for (std::size_t i = 0; i < many.size(); ++i) {
      carry_out_alone(*integrator, *alone[i], mode);
      expect_near(*together[i], *alone[i], mode, 1e-9);
    }
  }
}

TEST_P(Group, lets_each_job_have_its_own_segments_and_way_back) {
  Jobs together = make_jobs(*model, many), alone = make_jobs(*model, many);
  group->run(many.size(), [&](std::size_t i, int member) {
    carry_out_in_pieces(*integrators[member], *together[i], static_cast<int>(i));
  });
  const auto integrator = simulate::make_rosenbrock(*model, options);
  for (std::size_t i = 0; i < many.size(); ++i) {
    carry_out_in_pieces(*integrator, *alone[i], static_cast<int>(i));
    expect_near(*together[i], *alone[i], Mode::adjoint, 1e-9);
  }
}

TEST_P(Group, gives_the_same_bits_with_other_jobs_beside) {
  Jobs together = make_jobs(*model, many);
  group->run(many.size(), [&](std::size_t i, int member) {
    carry_out_in_pieces(*integrators[member], *together[i], static_cast<int>(i));
  });
  for (std::size_t i = 0; i < many.size(); ++i) {
    Jobs one = make_jobs(*model, {many[i]});
    group->run(1, [&](std::size_t, int member) {
      carry_out_in_pieces(*integrators[member], *one.front(), static_cast<int>(i));
    });
    expect_same_bits(*together[i], *one.front());
  }
}

TEST_P(Group, goes_on_where_jobs_fail_do_not_go_back_or_throw) {
  Jobs together = make_jobs(*model, many), alone = make_jobs(*model, many);
  const auto leaves_early = [](std::size_t i) { return i % 3 == 1; };
  const auto all = [&] {
    group->run(many.size(), [&](std::size_t i, int member) {
      Job& job = *together[i];
      if (i % 5 == 2) job.run.x[0] = std::nan("");
      integrators[member]->clear_tape();
      const auto done = integrators[member]->forward(job.run.segment, Mode::adjoint, job.run.x, {}, job.times,
                                                     job.recorder);
      EXPECT_EQ(done.has_value(), i % 5 != 2);
      if (i == 7) throw std::runtime_error("the seventh");
      if (done && !leaves_early(i)) {
        EXPECT_TRUE(integrators[member]->backward(job.lambda, job.gradient));
      }
    });
  };
  EXPECT_THROW(all(), std::runtime_error);
  const auto integrator = simulate::make_rosenbrock(*model, options);
  for (std::size_t i = 0; i < many.size(); ++i) {
    if (leaves_early(i) || i % 5 == 2) continue;
    carry_out_alone(*integrator, *alone[i], Mode::adjoint);
    expect_near(*together[i], *alone[i], Mode::adjoint, 1e-9);
  }
}
