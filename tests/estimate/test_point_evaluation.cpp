#include <gtest/gtest.h>

#include "estimate/point_evaluation.hpp"

using namespace kinetune::estimate;

namespace {

LikelihoodSums sums(double nllh) {
  LikelihoodSums s;
  s.nllh = nllh;
  return s;
}

SimulationStatus failure(const char* condition) {
  return {condition, SimulationStatus::Outcome::not_integrated, "too many steps", 1.0, {}};
}

}  // namespace

TEST(PointEvaluation, adds_shares_up_in_their_order_whenever_they_are_done) {
  // 1 is lost beside 1e16 where it comes first: another order gives another sum.
  const double in_order = (1e16 + 1.0) - 1e16;
  ASSERT_NE(in_order, (1e16 - 1e16) + 1.0);
  PointEvaluation evaluation({}, {});
  evaluation.add(2, sums(-1e16));
  evaluation.add(0, sums(1e16));
  evaluation.add(1, sums(1.0));
  EXPECT_EQ(evaluation.take_sums()->nllh, in_order);
}

TEST(PointEvaluation, says_of_several_failures_that_of_the_first_share) {
  PointEvaluation evaluation({}, {});
  evaluation.fail(1, failure("second"));
  evaluation.fail(3, failure("fourth"));
  evaluation.add(2, sums(1.0));
  EXPECT_FALSE(evaluation.is_decided_before(0));
  EXPECT_TRUE(evaluation.is_decided_before(2));
  evaluation.fail(0, failure("first"));
  EXPECT_EQ(evaluation.first_failed(), 0u);
  const auto result = evaluation.take_sums();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().condition, "first");
}
