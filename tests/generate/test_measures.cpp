#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "example_data.hpp"
#include "generate/measures.hpp"

using namespace kinetune;
using namespace kinetune::generate;
using testing::DoubleEq;
using testing::ElementsAre;

TEST(Measures, agreement_is_that_of_the_textbook) {
  // Pearson and Spearman as scipy.stats.pearsonr and spearmanr give them.
  const std::vector a{1.0, 2.0, 3.0, 4.0, 5.0}, b{2.0, 1.0, 4.0, 3.0, 50.0};
  const Agreement result = agreement(a, b);
  EXPECT_NEAR(result.rmse, std::sqrt((1 + 1 + 1 + 1 + 45.0 * 45) / 5), 1e-12);
  EXPECT_NEAR(result.pearson, 0.728428263322223, 1e-12);
  EXPECT_NEAR(result.spearman, 0.8, 1e-12);
  EXPECT_TRUE(std::isnan(agreement(a, std::vector(5, 1.0)).pearson));
}

TEST(Measures, nearest_distances_are_root_mean_squares_over_parameters) {
  const std::vector points{0.0, 0.0, 1.0, 1.0}, others{0.0, 0.2, 1.0, 1.0};
  EXPECT_THAT(nearest_distances(points, others, 2), ElementsAre(DoubleEq(0.2 / std::sqrt(2)), 0));
  EXPECT_THAT(nearest_distances(points, points, 2, Self::skip), ElementsAre(1, 1));
}

TEST(Measures, coverage_is_full_for_the_same_distribution_and_half_where_a_mode_is_missing) {
  core::RandomStream random(1, 1);
  std::vector<double> real, alike, one_sided;
  for (int i = 0; i < 400; ++i) {
    for (auto* set : {&real, &alike}) set->push_back((i % 2 ? 0.2 : 0.8) + 0.02 * random.normal());
    one_sided.push_back(0.2 + 0.02 * random.normal());
  }
  EXPECT_GT(coverage(real, alike, 1), 0.9);
  EXPECT_NEAR(coverage(real, one_sided, 1), 0.5, 0.05);
}

TEST(Measures, show_a_model_that_only_repeats_its_data) {
  const DataSet data = example::points(300, 2);
  GeneratorOptions options;
  options.method = Method::best_points;
  const auto model = make_generator(options);
  struct : TrainingObserver {
    Next on_epoch(const EpochRecord&) override { return Next::go_on; }
  } observer;
  ASSERT_TRUE(model->train(data, observer));
  const Measures measures = measure(*model, data);
  // It has seen the held-out points, too; those that it took from training are at no distance.
  std::vector<double> generated = measures.generated_to_training, held_out = measures.held_out_to_training;
  std::ranges::sort(generated);
  std::ranges::sort(held_out);
  EXPECT_EQ(generated[generated.size() / 2], 0);
  EXPECT_GT(held_out[held_out.size() / 2], 0);
  EXPECT_TRUE(std::isnan(measures.reconstruction.rmse));
  EXPECT_EQ(measures.n_latent, 0u);
}
