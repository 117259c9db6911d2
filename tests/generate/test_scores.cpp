#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "example_data.hpp"
#include "generate/measures.hpp"
#include "generate/scores.hpp"

using namespace kinetune;
using namespace kinetune::generate;
using example::trained;

namespace {

/// A forecast of one parameter: normal around its own idea of the condition.
class Normals final : public Generator {
 public:
  Normals(double from_label, double offset, double sd)
      : Generator(GeneratorOptions{}), from_label_(from_label), offset_(offset), sd_(sd) {}
  std::expected<TrainingEnd, TrainingFailure> train(const DataSet&, TrainingObserver&) override {
    return TrainingEnd::all_epochs;
  }
  std::vector<double> sample(Condition at, std::size_t n, core::RandomStream& random) override {
    std::vector<double> x;
    for (std::size_t i = 0; i < n; ++i) x.push_back(from_label_ * at.label + offset_ + sd_ * random.normal());
    return x;
  }
  std::optional<Encoding> encode(std::span<const double>, std::span<const Condition>) override { return {}; }
  void restore(const store::H5File&) override {}

 private:
  double from_label_, offset_, sd_;
};

constexpr double true_sd = 0.05;

/// x is normal around 0.3 + 0.4 label.
DataSet normal_points(std::size_t n) {
  DataSet data = example::points(n, 1);
  core::RandomStream random(7, 0);
  for (std::size_t i = 0; i < n; ++i) {
    data.label.push_back(random.uniform());
    data.x[i] = 0.3 + 0.4 * data.label[i] + true_sd * random.normal();
  }
  return data;
}

double score_of(Normals model) { return sample_score(model, normal_points(500)); }

}  // namespace

TEST(Scores, the_energy_score_of_a_normal_forecast_is_its_known_crps) {
  // In one dimension the energy score is the CRPS; Gneiting and Raftery (2007), eq. 22 without the sign.
  constexpr int n = 1500;
  std::vector<double> quantiles;
  double x = -8;
  for (int i = 0; i < n; ++i) {  // by Newton's method
    const double wanted = (i + 0.5) / n;
    for (int k = 0; k < 50; ++k) {
      const double density = std::exp(-0.5 * x * x) / std::sqrt(2 * std::numbers::pi);
      const double missed = 0.5 * std::erfc(-x / std::numbers::sqrt2) - wanted;
      x -= std::clamp(missed / density, -0.5, 0.5);
    }
    quantiles.push_back(x);
  }
  for (const double at : {0.0, 1.0, -2.5}) {
    const double cdf = 0.5 * std::erfc(-at / std::numbers::sqrt2);
    const double density = std::exp(-0.5 * at * at) / std::sqrt(2 * std::numbers::pi);
    const double crps = at * (2 * cdf - 1) + 2 * density - 1 / std::sqrt(std::numbers::pi);
    EXPECT_NEAR(energy_score({{at}}, quantiles, quantiles, {{1.0}}), crps, 2e-3) << at;
    EXPECT_NEAR(energy_score({{at}}, quantiles, quantiles, {{2.0}}), crps / 2, 1e-3) << at;
  }
}

TEST(Scores, the_energy_score_leaves_out_what_has_no_unit) {
  const std::vector x{0.0, 5.0}, a{1.0, 9.0}, b{2.0, -9.0};
  EXPECT_DOUBLE_EQ(energy_score(x, a, b, std::vector{1.0, 0.0}), 0.5 * (1 + 2) - 0.5 * 1);
}

TEST(Scores, samples_of_the_true_distribution_have_the_lowest_score) {
  const double truth = score_of({0.4, 0.3, true_sd});
  EXPECT_LT(truth, 0.98 * score_of({0.4, 0.3, 0.5 * true_sd})) << "too narrow";
  EXPECT_LT(truth, 0.98 * score_of({0.4, 0.3, 2 * true_sd})) << "too wide";
  EXPECT_LT(truth, 0.98 * score_of({0.4, 0.33, true_sd})) << "elsewhere";
  EXPECT_LT(truth, 0.98 * score_of({-0.4, 0.7, true_sd})) << "at the mirrored label";
  EXPECT_LT(truth, 0.98 * score_of({0, 0.5, 0.126})) << "right over all labels, blind to the condition";
}

TEST(Scores, the_loss_of_a_cvae_is_a_density_on_the_scale_of_the_box_whatever_it_was_normalised_with) {
  GeneratorOptions options = default_options(Method::cvae);
  options.vector_scale = VectorScale::linear;
  options.epochs = 60;
  options.width = 16;
  options.n_latent = 1;
  options.batch_norm = BatchNorm::off;
  options.learning_rate = 5e-3;
  const auto model = trained(options, normal_points(2000));
  std::vector<std::size_t> unseen(500);
  std::iota(unseen.begin(), unseen.end(), 2000u);
  const DataSet held_out = subset(normal_points(2500), unseen);
  const double entropy = 0.5 * std::log(2 * std::numbers::pi * std::numbers::e * true_sd * true_sd);  // -1.58
  EXPECT_NEAR(held_out_loss(*model, held_out), entropy, 0.15);  // sd of 500 points' mean: 0.03
}

TEST(Scores, methods_without_a_likelihood_are_judged_by_their_samples) {
  const DataSet data = normal_points(200);
  for (const Method method : {Method::ccgan, Method::flow, Method::mixture}) {
    GeneratorOptions options = default_options(method);
    options.epochs = 1;
    options.width = 8;
    options.flow_steps = 2;
    const auto model = trained(options, data);
    EXPECT_TRUE(std::isnan(held_out_loss(*model, data))) << name(method);
    EXPECT_EQ(held_out_score(*model, data), sample_score(*model, data)) << name(method);
  }
}

TEST(Scores, without_points_there_is_none) {
  Normals model(0, 0.5, 0.1);
  EXPECT_TRUE(std::isnan(held_out_score(model, subset(normal_points(5), {}))));
}
