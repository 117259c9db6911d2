#include <gtest/gtest.h>

#include "simulate/state_path.hpp"

using kinetune::simulate::StatePath;

namespace {

double cubic(double t) { return 1.0 - 2.0 * t + 0.5 * t * t * t; }
double slope(double t) { return -2.0 + 1.5 * t * t; }

}  // namespace

TEST(StatePathTest, is_a_cubic_where_the_states_are_one_whichever_way_it_is_gone) {
  StatePath path(2);
  for (const double t : {0.0, 0.5, 2.0, 2.25, 5.0})
    path.add(t, std::vector{cubic(t), -3.0 * t}, std::vector{slope(t), -3.0});
  for (const double t : {5.0, 4.9, 2.25, 2.2, 1.0, 0.5, 0.1, 0.0, 3.3, 0.2, 5.0}) {
    EXPECT_NEAR(path.at(t)[0], cubic(t), 1e-13 * (1.0 + cubic(5.0))) << t;
    EXPECT_NEAR(path.at(t)[1], -3.0 * t, 1e-14) << t;
  }
}

TEST(StatePathTest, of_a_start_alone_is_that) {
  StatePath path(1);
  path.add(1.0, std::vector{7.0}, std::vector{1.0});
  EXPECT_EQ(path.at(1.0)[0], 7.0);
}

TEST(StatePathTest, forgets_what_it_was) {
  StatePath path(1);
  for (const double t : {0.0, 1.0, 2.0}) path.add(t, std::vector{t}, std::vector{1.0});
  path.clear();
  for (const double t : {0.0, 4.0}) path.add(t, std::vector{-t}, std::vector{-1.0});
  EXPECT_DOUBLE_EQ(path.at(3.0)[0], -3.0);
}
