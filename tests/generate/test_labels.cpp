#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "generate/labels.hpp"

using namespace kinetune::generate;
using testing::DoubleNear;
using testing::ElementsAre;

TEST(Labels, by_rank_are_even_whatever_the_values_are) {
  const LabelMap map(LabelTransform::rank, std::vector{1e9, 3.0, -7.0, 1e300, 4.0});
  EXPECT_THAT(map(std::vector{1e9, 3.0, -7.0, 1e300, 4.0}), ElementsAre(0.75, 0.25, 0, 1, 0.5));
}

TEST(Labels, equal_values_have_the_label_of_the_best_of_them) {
  const LabelMap map(LabelTransform::rank, std::vector{2.0, 1.0, 2.0, 1.0, 5.0});
  EXPECT_THAT(map(std::vector{1.0, 2.0, 5.0}), ElementsAre(0, 0.5, 1));
}

TEST(Labels, by_min_max_are_log_distances_from_the_best) {
  const double e = std::exp(1.0);
  const LabelMap map(LabelTransform::min_max, std::vector{10.0, 10 + (e - 1), 10 + (e * e - 1)});
  EXPECT_THAT(map(std::vector{10.0, 10 + (e - 1), 10 + (e * e - 1)}),
              ElementsAre(0, DoubleNear(0.5, 1e-12), DoubleNear(1, 1e-12)));
}

TEST(Labels, of_new_values_lie_between_those_of_their_neighbours_and_never_outside_the_unit_interval) {
  for (const auto transform : {LabelTransform::rank, LabelTransform::min_max}) {
    const LabelMap map(transform, std::vector{0.0, 1.0, 2.0});
    EXPECT_EQ(map(-100), 0);
    EXPECT_EQ(map(100), 1);
    EXPECT_GT(map(0.5), map(0.0));
    EXPECT_LT(map(0.5), map(1.0));
  }
}

TEST(Labels, of_failures_are_the_worst_and_do_not_disturb_the_others) {
  const LabelMap map(LabelTransform::rank, std::vector<double>{NAN, 1.0, INFINITY, 2.0, 3.0});
  EXPECT_THAT(map(std::vector<double>{NAN, 1.0, INFINITY, 2.0, 3.0}), ElementsAre(1, 0, 1, 0.5, 1));
}

TEST(Labels, where_all_values_are_the_same_all_are_best) {
  for (const auto transform : {LabelTransform::rank, LabelTransform::min_max}) {
    const LabelMap map(transform, std::vector{4.0, 4.0, 4.0});
    EXPECT_EQ(map(4), 0);
    EXPECT_EQ(map(5), 1);
  }
}

TEST(Labels, survive_being_stored) {
  const LabelMap map(LabelTransform::rank, std::vector{1.0, 5.0, 9.0});
  const LabelMap copy = LabelMap::restored(LabelTransform::rank, map.reference());
  for (const double fval : {0.0, 1.0, 3.3, 8.0, 10.0}) EXPECT_EQ(copy(fval), map(fval));
}
