// The quick part of tests/benchmarks/generate_toys.cpp: that short trainings come near a truth that is known.
// Bounds leave a factor of about 2 to the worst of seeds 1 to 3. On the circle a flow's fitted normal alone
// is right, so that what its velocity has learnt shows with the two basins.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "example_data.hpp"
#include "generate/generator.hpp"
#include "toys.hpp"

using namespace kinetune;
using namespace kinetune::generate;
using example::trained;

namespace {

GeneratorOptions for_circle(Method method) {
  GeneratorOptions options = default_options(method);
  options.label_axis = LabelAxis::circle;
  options.vector_scale = VectorScale::linear;
  options.run_evenness = 0;
  options.batch_norm = BatchNorm::off;
  options.activation = Activation::silu;
  options.validation_share = 0;
  options.keep = Keep::last;
  options.width = 64;
  return options;
}

/// At every fourth of the conditions that the benchmark judges.
toys::circle::Quality on_circle(const GeneratorOptions& options) {
  const auto model = trained(options, toys::circle::data(options.seed));
  toys::circle::Judge judge;
  core::RandomStream random(options.seed, 100);
  for (int i = 0; i < toys::circle::n_judged; i += 4) {
    const double label = toys::circle::judged_label(i);
    judge.add(label, model->sample({label}, toys::circle::n_samples, random));
  }
  return judge.quality();
}

}  // namespace

TEST(Toys, a_cvae_follows_the_circle_to_labels_that_it_has_not_seen) {
  GeneratorOptions options = for_circle(Method::cvae);
  options.epochs = 60;
  options.batch_size = 64;
  options.n_latent = 2;
  options.learning_rate = 2e-3;
  options.free_bits = 0;
  const auto quality = on_circle(options);
  EXPECT_GT(quality.share_within_4_sd, 0.97);
  EXPECT_LT(quality.squared_w2, 0.5e-4);
  EXPECT_GT(quality.sample_sd, 0.012);
  EXPECT_LT(quality.sample_sd, 0.03);
}

TEST(Toys, a_flow_follows_the_circle_to_labels_that_it_has_not_seen) {
  GeneratorOptions options = for_circle(Method::flow);
  options.epochs = 60;
  const auto quality = on_circle(options);
  EXPECT_GT(quality.share_within_4_sd, 0.98);
  EXPECT_LT(quality.squared_w2, 0.7e-4);
  EXPECT_GT(quality.sample_sd, 0.012);
  EXPECT_LT(quality.sample_sd, 0.03);
}

TEST(Toys, a_ccgan_follows_the_circle_to_labels_that_it_has_not_seen) {
  GeneratorOptions options = for_circle(Method::ccgan);
  options.activation = Activation::relu;
  options.encoder_layers = options.decoder_layers = 3;
  options.epochs = 140;
  options.learning_rate = 1e-3;
  options.average = 0.99;
  const auto quality = on_circle(options);
  EXPECT_GT(quality.share_within_4_sd, 0.97);
  EXPECT_LT(quality.squared_w2, 3.5e-4);
  EXPECT_GT(quality.sample_sd, 0.007);
  EXPECT_LT(quality.sample_sd, 0.03);
}

TEST(Toys, binary_cross_entropy_finds_the_means_and_loses_the_spread) {
  GeneratorOptions options = for_circle(Method::cvae);
  options.likelihood = Likelihood::bernoulli;
  options.prior = Prior::standard;
  options.kl_warmup = options.free_bits = 0;
  options.epochs = 80;
  options.batch_size = 64;
  options.n_latent = 2;
  options.learning_rate = 2e-3;
  options.weight_decay = 0.5;
  const auto quality = on_circle(options);
  EXPECT_GT(quality.share_within_4_sd, 0.9);
  EXPECT_LT(quality.sample_sd, 0.25 * toys::circle::sd);
}

TEST(Toys, the_mixture_does_not_look_at_the_condition) {
  const auto model = trained(for_circle(Method::mixture), toys::circle::data(1));
  const auto draw = [&](double label) {
    core::RandomStream random(1, 100);
    return model->sample({label}, 100, random);
  };
  const std::vector<double> at_0 = draw(0);
  EXPECT_EQ(at_0, draw(0.5));
  toys::circle::Judge judge;
  judge.add(0.5, at_0);
  EXPECT_EQ(judge.quality().share_within_4_sd, 0);  // the best quarter ends at label 0.25
}

TEST(Toys, a_flow_finds_two_basins_in_proportion) {
  GeneratorOptions options = default_options(Method::flow);
  options.epochs = 40;
  options.width = 64;
  options.learning_rate = 3e-3;
  options.average = 0.99;
  const auto model = trained(options, toys::basins::data(1));
  constexpr double label = 0.05;
  core::RandomStream random(1, 100);
  const auto quality = toys::basins::judge(model->sample({label}, 2000, random), label);
  EXPECT_GT(quality.in_basins, 0.8);
  EXPECT_NEAR(quality.major_share, toys::basins::major_share, 0.1);
  EXPECT_LT(quality.sd_over_true, 2);
}
