#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "generate/vicinity.hpp"

using namespace kinetune;
using namespace kinetune::generate;

namespace {

GeneratorOptions with(Vicinity kind, VicinityRule rule = VicinityRule::largest_gap,
                      LabelAxis axis = LabelAxis::interval) {
  GeneratorOptions options;
  options.vicinity = kind;
  options.vicinity_rule = rule;
  options.label_axis = axis;
  return options;
}

std::vector<Outcome> evaluated(std::size_t n) { return std::vector<Outcome>(n, Outcome::evaluated); }

/// The labels of the circle in Ding et al.: 120 even angles, 10 points each.
std::vector<double> circle_labels() {
  std::vector<double> labels;
  for (int i = 0; i < 120; ++i) labels.insert(labels.end(), 10, i / 120.0);
  return labels;
}

}  // namespace

TEST(Vicinities, have_the_sigma_and_kappa_that_the_paper_gives_for_its_circle) {
  const auto labels = circle_labels();
  const Vicinities near(labels, evaluated(labels.size()), with(Vicinity::hard));
  EXPECT_NEAR(near.sigma(), 0.074, 0.0005);       // Ding et al., section 5.1
  EXPECT_NEAR(near.kappa({0.5}), 0.017, 0.0005);  // with m_kappa = 2
}

TEST(Vicinities, on_a_circle_reach_over_the_end) {
  const std::vector labels{0.01, 0.5, 0.99};
  GeneratorOptions options = with(Vicinity::hard, VicinityRule::neighbours, LabelAxis::circle);
  options.neighbours = 2;
  const Vicinities near(labels, evaluated(3), options);
  EXPECT_NEAR(near.kappa({0.0}), 0.01, 1e-12);
  EXPECT_NEAR(near.distance(0.95, 0.05), 0.1, 1e-12);
  core::RandomStream random(1, 1);
  bool first = false, last = false;
  for (int i = 0; i < 100; ++i) {
    const std::size_t row = near.near_row({0.0}, 0.02, random);
    first = first || row == 0;
    last = last || row == 2;
    EXPECT_NE(row, 1u);
  }
  EXPECT_TRUE(first && last);
}

TEST(Vicinities, by_neighbours_stay_small_among_many_labels_though_one_lies_apart) {
  std::vector<double> labels(100);
  for (std::size_t i = 0; i < 99; ++i) labels[i] = 0.001 * static_cast<double>(i);
  labels[99] = 1;
  const Vicinities by_gap(labels, evaluated(100), with(Vicinity::hard));
  const Vicinities by_count(labels, evaluated(100), with(Vicinity::hard, VicinityRule::neighbours));
  EXPECT_GT(by_gap.kappa({0.05}), 1);
  EXPECT_NEAR(by_count.kappa({0.05}), 0.010, 1e-3);  // 20 labels, 0.001 apart
}

TEST(Vicinities, draw_rows_evenly_among_those_near_and_the_nearest_where_there_is_none) {
  const std::vector labels{0.1, 0.2, 0.3, 0.9};
  const Vicinities near(labels, evaluated(4), with(Vicinity::hard));
  core::RandomStream random(1, 1);
  std::vector<int> count(4);
  for (int i = 0; i < 3000; ++i) ++count[near.near_row({0.2}, 0.11, random)];
  for (std::size_t row = 0; row < 3; ++row) EXPECT_NEAR(count[row], 1000, 4 * std::sqrt(3000 * 2.0 / 9));
  EXPECT_EQ(count[3], 0);
  EXPECT_EQ(near.near_row({0.65}, 0.01, random), 3u);
  EXPECT_EQ(near.near_row({0.55}, 0.01, random), 2u);
}

TEST(Vicinities, of_failures_hold_failures_alone) {
  const std::vector labels{0.1, 0.2, 1.0, 1.0};
  const std::vector outcomes{Outcome::evaluated, Outcome::evaluated, Outcome::failed, Outcome::failed};
  const Vicinities near(labels, outcomes, with(Vicinity::hard));
  core::RandomStream random(1, 1);
  for (int i = 0; i < 50; ++i) {
    EXPECT_GE(near.near_row({0.1, Outcome::failed}, 5, random), 2u);
    EXPECT_LT(near.near_row({1.0, Outcome::evaluated}, 5, random), 2u);
  }
}

TEST(Vicinities, weigh_softly_by_the_square_of_the_distance) {
  const std::vector labels{0.0, 0.5, 1.0};
  const Vicinities soft(labels, evaluated(3), with(Vicinity::soft));
  const Vicinities hard(labels, evaluated(3), with(Vicinity::hard));
  EXPECT_NEAR(soft.weight(0.2, 0.1), std::exp(-4), 1e-12);
  EXPECT_EQ(hard.weight(0.2, 0.1), 1);
  EXPECT_NEAR(soft.weight(soft.reach(0.1), 0.1), 1e-3, 1e-9);
}
