#include <gtest/gtest.h>

#include "estimate/problem_files.hpp"
#include "study/start_worker.hpp"

using namespace kinetune;
using namespace kinetune::study;

namespace {

/// A problem with two conditions.
struct Divided : testing::Test {
  estimate::test::ProblemFiles files;
  estimate::Joined joined = estimate::test::read_joined(files.yaml());
  FitSession session;
  FitOptions options;

  Division division(std::uint64_t n_starts, int n_ranks, int lanes = 1) const {
    const jit::ModelCode code =
        jit::compile(joined.sources.front(), {.derivatives = jit::Derivatives::second, .lanes = lanes});
    const estimate::Posterior posterior(
        joined.problem, {code}, {.integrator = {.method = simulate::Method::rodas5p, .lanes = lanes}});
    EXPECT_EQ(posterior.n_shares(), 2u);
    return divide(session, options, n_starts, n_ranks, posterior);
  }
};

}  // namespace

TEST_F(Divided, without_lanes_a_rank_takes_one_start_at_a_time) {
  const Division d = division(100, 4);
  EXPECT_EQ(d.teams.size(), 4);
  EXPECT_EQ(d.n_slots, 1);
}

TEST_F(Divided, where_there_are_more_ranks_than_starts_teams_take_one_each) {
  const Division d = division(3, 4);
  EXPECT_EQ(d.teams.size(), 3);
  EXPECT_EQ(d.n_slots, 1);
}

TEST_F(Divided, with_lanes_a_rank_takes_as_many_starts_as_fill_them_but_not_more_than_its_part) {
  const int lanes = jit::host_lanes();
  if (lanes == 1) GTEST_SKIP() << "this processor has no registers for several numbers";
  EXPECT_EQ(division(100, 2, lanes).n_slots, lanes);  // two jobs a lane, two conditions a start
  EXPECT_EQ(division(6, 2, lanes).n_slots, 3);
  EXPECT_EQ(division(1, 1, lanes).n_slots, 1);
  session.starts_per_rank = 5;
  EXPECT_EQ(division(100, 2, lanes).n_slots, 5);
  session.starts_per_rank.reset();
  session.ranks_per_start = 2;
  EXPECT_EQ(division(100, 2, lanes).n_slots, 1);
}

TEST_F(Divided, a_limit_of_time_is_not_used_up_by_other_starts) {
  EXPECT_EQ(starts_at_once(session, options, 100, 2), 50);
  options.local.max_seconds = 60;
  EXPECT_EQ(starts_at_once(session, options, 100, 2), 1);
  options.local.max_seconds = std::numeric_limits<double>::infinity();
  options.posterior.max_seconds = 1;
  EXPECT_EQ(starts_at_once(session, options, 100, 2), 1);
}
