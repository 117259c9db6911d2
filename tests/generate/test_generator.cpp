#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "example_data.hpp"
#include "generate/generator.hpp"
#include "store/h5_file.hpp"
#include "toys.hpp"

using namespace kinetune;
using namespace kinetune::generate;
using example::trained;
using testing::Each;
using testing::HasSubstr;

namespace {

class StopAfter final : public TrainingObserver {
 public:
  explicit StopAfter(std::uint64_t epoch) : epoch_(epoch) {}
  Next on_epoch(const EpochRecord& record) override {
    return record.epoch >= epoch_ ? Next::stop : Next::go_on;
  }

 private:
  std::uint64_t epoch_;
};

StopAfter never() { return StopAfter(~0ull); }

/// Small and quick.
GeneratorOptions small(Method method) {
  GeneratorOptions options = default_options(method);
  options.epochs = 6;
  options.width = 16;
  options.heads = 2;
  options.n_latent = 2;
  options.batch_size = 32;
  options.flow_steps = 4;
  return options;
}

std::vector<double> draw(Generator& model, std::size_t n = 50, Condition at = {}) {
  core::RandomStream random(5, 5);
  return model.sample(at, n, random);
}

std::string refusal(const GeneratorOptions& options, const DataSet& data) {
  try {
    StopAfter observer = never();
    (void)make_generator(options)->train(data, observer);
  } catch (const core::Error& error) {
    return error.what();
  }
  return "";
}

void change(double& value) { value = value == 0 ? 0.1 : value / 2; }
void change(std::uint64_t& value) { value += 1; }
template <class E>
requires std::is_enum_v<E>
void change(E& value) { value = static_cast<E>(1 - static_cast<int>(value)); }

class EveryMethod : public testing::TestWithParam<Method> {};

bool has_network(Method method) { return method != Method::mixture && method != Method::best_points; }

}  // namespace

INSTANTIATE_TEST_SUITE_P(Methods, EveryMethod,
                         testing::Values(Method::cvae, Method::transformer, Method::ccgan, Method::flow,
                                         Method::mixture, Method::best_points),
                         [](const auto& info) { return std::string(name(info.param)); });

TEST_P(EveryMethod, samples_as_many_vectors_of_the_unit_box_as_asked_for) {
  const auto model = trained(small(GetParam()), example::points(100, 3));
  const auto x = draw(*model);
  EXPECT_EQ(x.size(), 150u);
  EXPECT_THAT(x, Each(testing::AllOf(testing::Ge(0), testing::Le(1))));
}

TEST_P(EveryMethod, is_reproducible_from_its_seed_and_the_stream) {
  const DataSet data = example::points(100, 3);
  const auto first = trained(small(GetParam()), data), second = trained(small(GetParam()), data);
  EXPECT_EQ(draw(*first), draw(*second));
  if (!has_network(GetParam())) return;
  GeneratorOptions other = small(GetParam());
  other.seed = 2;
  EXPECT_NE(draw(*first), draw(*trained(other, data)));
}

TEST_P(EveryMethod, the_vectors_of_a_network_spread_more_evenly_than_independent_ones) {
  if (!has_network(GetParam())) return;
  const auto model = trained(small(GetParam()), example::points(100, 1));
  core::RandomStream random(5, 5);
  constexpr std::size_t n = 25, n_draws = 60;
  double sum = 0, squares = 0, squares_of_means = 0;
  for (std::size_t i = 0; i < n_draws; ++i) {
    double mean = 0;
    for (const double x : model->sample({}, n, random)) {
      sum += x;
      squares += x * x;
      mean += x / n;
    }
    squares_of_means += mean * mean;
  }
  const double mean = sum / (n * n_draws);
  const double variance = squares / (n * n_draws) - mean * mean;
  const double variance_of_means = squares_of_means / n_draws - mean * mean;
  EXPECT_LT(variance_of_means, 0.4 * variance / n);
}

TEST_P(EveryMethod, comes_back_from_its_file_and_samples_the_same) {
  const auto model = trained(small(GetParam()), example::points(100, 3));
  const auto path = example::fresh_folder("file") / "model.h5";
  save(*model, path);
  const auto read = load_generator(path);
  EXPECT_EQ(draw(*read), draw(*model));
  EXPECT_EQ(read->history().size(), model->history().size());
  EXPECT_EQ(to_text(read->options()), to_text(model->options()));
}

TEST_P(EveryMethod, a_training_that_was_stopped_and_resumed_gives_the_same_weights) {
  const DataSet data = example::points(100, 3);
  const auto folder = example::fresh_folder("resume");
  save(*trained(small(GetParam()), data), folder / "straight.h5");
  auto stopped = make_generator(small(GetParam()));
  StopAfter observer(2);
  ASSERT_TRUE(stopped->train(data, observer));
  save(*stopped, folder / "stopped.h5");

  const auto resumed = load_generator(folder / "stopped.h5");
  StopAfter go_on = never();
  ASSERT_TRUE(resumed->train(data, go_on));
  save(*resumed, folder / "resumed.h5");

  EXPECT_EQ(draw(*resumed), draw(*load_generator(folder / "straight.h5")));
  if (!has_network(GetParam())) return;
  const store::H5File a(folder / "straight.h5", store::Access::read),
      b(folder / "resumed.h5", store::Access::read);
  for (const std::string group : {"/weights/training", "/weights/sampling", "/optimiser/0"}) {
    for (const std::string& name : a.names(group))
      EXPECT_EQ(a.read<float>(group + "/" + name), b.read<float>(group + "/" + name)) << group << "/" << name;
  }
}

TEST_P(EveryMethod, a_dimension_without_spread_keeps_its_value) {
  DataSet data = example::points(60, 3);
  for (std::size_t i = 0; i < 60; ++i) data.x[3 * i + 1] = 0.25;
  const auto x = draw(*trained(small(GetParam()), data));
  for (std::size_t i = 1; i < x.size(); i += 3) EXPECT_NEAR(x[i], 0.25, 1e-12);
}

TEST_P(EveryMethod, learns_where_all_labels_are_the_same_or_some_evaluations_failed) {
  DataSet same = example::points(60, 2);
  same.fval.assign(60, 3.0);
  EXPECT_EQ(draw(*trained(small(GetParam()), same)).size(), 100u);
  DataSet failing = example::points(60, 2);
  for (std::size_t i = 0; i < 60; i += 3) failing.fval[i] = i % 2 ? INFINITY : NAN;
  check(failing, "");
  const auto model = trained(small(GetParam()), failing);
  EXPECT_EQ(draw(*model, 50, {1, Outcome::failed}).size(), 100u);
}

TEST_P(EveryMethod, does_not_depend_on_options_that_do_not_apply_to_it) {
  const DataSet data = example::points(60, 2);
  GeneratorOptions base = small(GetParam());
  base.epochs = 2;
  base.label_axis = LabelAxis::circle;  // on which a ccgan is ready soon
  const auto expected = draw(*trained(base, data));
  visit_options(base, [&](std::string_view option, const auto&, std::string_view) {
    if (applies(option, GetParam())) return;
    GeneratorOptions changed = base;
    visit_options(changed, [&](std::string_view other, auto& value, std::string_view) {
      if (other == option) change(value);
    });
    EXPECT_NE(to_text(changed), to_text(base)) << option;
    EXPECT_EQ(draw(*trained(changed, data)), expected) << option;
  });
}

TEST_P(EveryMethod, of_one_point_says_that_it_is_too_few_or_returns_it) {
  const std::string message = refusal(small(GetParam()), example::points(1, 2));
  if (GetParam() == Method::best_points) {
    EXPECT_EQ(message, "");
  } else if (GetParam() == Method::mixture) {
    EXPECT_THAT(message, HasSubstr("the best quarter, 1 points, has no spread"));
  } else {
    EXPECT_THAT(message, HasSubstr("there are 1 points to train on; a network needs 2"));
  }
}

TEST_P(EveryMethod, of_equal_points_says_that_there_is_nothing_to_learn) {
  DataSet data = example::points(40, 2);
  std::ranges::fill(data.x, 0.5);
  const std::string message = refusal(small(GetParam()), data);
  EXPECT_EQ(message == "", GetParam() == Method::best_points) << message;
}

TEST_P(EveryMethod, is_not_resumed_with_other_data) {
  const auto path = example::fresh_folder("other") / "model.h5";
  save(*trained(small(GetParam()), example::points(50, 2)), path);
  const auto model = load_generator(path);
  StopAfter observer = never();
  EXPECT_THROW((void)model->train(example::points(51, 2), observer), core::Error);
}

TEST(VectorScale, is_what_vectors_are_normalised_on) {
  const DataSet data = example::points(40, 1);
  double mean = 0, mean_logit = 0;
  for (const double x : data.x) {
    const double inside = 0.005 + 0.99 * x;
    mean += x / 40;
    mean_logit += std::log(inside / (1 - inside)) / 40;
  }
  for (const auto& [scale, expected] :
       {std::pair{VectorScale::linear, mean}, {VectorScale::logit, mean_logit}}) {
    GeneratorOptions options = small(Method::cvae);
    options.vector_scale = scale;
    options.validation_share = 0;
    options.epochs = 1;
    const auto path = example::fresh_folder("scale") / "model.h5";
    save(*trained(options, data), path);
    EXPECT_NEAR(store::H5File(path, store::Access::read).read<double>("/normaliser/mean").at(0), expected,
                1e-6);
  }
}

TEST(Training, that_diverges_ends_with_the_epoch_and_the_reason) {
  GeneratorOptions options = small(Method::cvae);
  options.epochs = 50;
  options.learning_rate = 10;
  options.gradient_clip = 0;
  options.batch_norm = BatchNorm::off;
  options.schedule = Schedule::constant;
  options.weight_decay = 10;  // together with this rate weights change sign and grow a hundredfold a step
  const auto model = make_generator(options);
  StopAfter observer = never();
  const auto end = model->train(example::points(100, 3), observer);
  ASSERT_FALSE(end);
  EXPECT_THAT(end.error().reason, HasSubstr("training loss became"));
  EXPECT_GE(end.error().epoch, 1u);
  EXPECT_EQ(model->history().size(), end.error().epoch - 1);
}

TEST(Training, ends_when_the_held_out_loss_has_not_improved_for_long) {
  GeneratorOptions options = small(Method::cvae);
  options.epochs = 1000;
  options.learning_rate = 3e-2;
  options.patience = 10;
  const auto model = make_generator(options);
  StopAfter observer = never();
  const auto end = model->train(example::points(60, 3), observer);
  ASSERT_TRUE(end);
  EXPECT_EQ(*end, TrainingEnd::patience);
  EXPECT_LT(model->history().size(), 1000u);
}

TEST(Training, records_reconstruction_and_divergence_apart) {
  GeneratorOptions options = small(Method::cvae);
  options.kl_warmup = 0;
  options.free_bits = 0;
  const auto model = trained(options, example::points(200, 3));
  for (const EpochRecord& epoch : model->history()) {
    EXPECT_NEAR(epoch.train_loss, epoch.train_reconstruction + epoch.train_divergence, 1e-4);
    EXPECT_NEAR(epoch.validation_loss, epoch.validation_reconstruction + epoch.validation_divergence, 1e-4);
    EXPECT_GT(epoch.train_divergence, 0);
  }
}

TEST(Guidance, tilts_a_normal_as_the_powers_of_two_normals_say) {
  // z standard normal, label its quantile, x = 0.8 z + 0.6 noise: x is standard normal, and normal at each
  // label.
  DataSet data = example::points(10000, 1);
  core::RandomStream random(2, 2);
  for (std::size_t i = 0; i < data.size(); ++i) {
    const double z = random.normal();
    data.label.push_back(0.5 * std::erfc(-z / std::sqrt(2)));
    data.x[i] = std::clamp(0.5 + 0.1 * (0.8 * z + 0.6 * random.normal()), 0.0, 1.0);
  }
  GeneratorOptions options = default_options(Method::flow);
  options.vector_scale = VectorScale::linear;
  options.validation_share = 0;
  options.keep = Keep::last;
  options.width = 32;
  options.epochs = 15;
  options.average = 0.99;
  options.learning_rate = 3e-3;
  options.condition_dropout = 0.25;
  for (const double guidance : {1.0, 3.0}) {
    options.guidance = guidance;
    const auto model = trained(options, data);
    for (const double z : {-1.0, 0.5}) {
      const double precision = guidance / 0.36 + 1 - guidance;
      const auto x = draw(*model, 2000, {0.5 * std::erfc(-z / std::sqrt(2))});
      double mean = 0, squares = 0;
      for (const double value : x) mean += (value - 0.5) / 0.1 / 2000;
      for (const double value : x) squares += std::pow((value - 0.5) / 0.1 - mean, 2) / 2000;
      EXPECT_NEAR(mean, guidance / 0.36 / precision * 0.8 * z, 0.07)
          << guidance;  // twice the worst of three seeds
      EXPECT_NEAR(std::sqrt(squares), 1 / std::sqrt(precision), 0.05) << guidance;
    }
  }
}

TEST(Encoding, of_a_flow_leads_back_to_where_it_came_from) {
  GeneratorOptions options = small(Method::flow);
  options.flow_steps = 64;
  const DataSet data = example::points(100, 3);
  for (const double guidance : {1.0, 2.0}) {
    options.guidance = guidance;
    const auto model = trained(options, data);
    const auto encoding = model->encode(data.x, conditions_of(data, options));
    ASSERT_TRUE(encoding);
    for (std::size_t i = 0; i < data.x.size(); ++i)
      EXPECT_NEAR(encoding->reconstruction[i], data.x[i], 1e-3) << guidance;
  }
}

TEST(Encoding, exists_for_models_with_a_latent_and_for_no_other) {
  const DataSet data = example::points(50, 2);
  const auto conditions = conditions_of(data, {});
  for (const Method method : {Method::cvae, Method::transformer}) {
    const auto encoding = trained(small(method), data)->encode(data.x, conditions);
    ASSERT_TRUE(encoding);
    EXPECT_EQ(encoding->latent.size(), 100u);
    EXPECT_THAT(encoding->divergence, Each(testing::Ge(0)));
  }
  for (const Method method : {Method::ccgan, Method::mixture, Method::best_points})
    EXPECT_FALSE(trained(small(method), data)->encode(data.x, conditions));
}

TEST(Controls, best_points_are_the_best_in_order_and_begin_again) {
  DataSet data = example::points(4, 1);
  data.x = {0.1, 0.2, 0.3, 0.4};
  data.fval = {5, 1, 9, 3};
  const auto model = trained(small(Method::best_points), data);
  EXPECT_THAT(draw(*model, 5), testing::ElementsAre(0.2, 0.4, 0.1, 0.3, 0.2));
}

TEST(Controls, a_mixture_finds_both_of_two_clusters_in_proportion) {
  DataSet data = example::points(4000, 2);
  core::RandomStream random(1, 1);
  for (std::size_t i = 0; i < 4000; ++i) {
    const bool best = i < 1000, left = random.uniform() < 0.3;
    data.fval[i] = best ? 0 : 1;
    for (std::size_t j = 0; j < 2; ++j)
      data.x[2 * i + j] = (best ? (left ? 0.2 : 0.7) : 0.5) + 0.02 * random.normal();
  }
  const auto x = draw(*trained(small(Method::mixture), data), 4000);
  double n_left = 0, n_between = 0;
  for (std::size_t i = 0; i < x.size(); i += 2) {
    n_left += x[i] < 0.45;
    n_between += std::abs(x[i] - 0.45) < 0.1;
  }
  EXPECT_NEAR(n_left / 4000, 0.3, 0.05);  // 3.5 standard errors of both draws
  EXPECT_EQ(n_between, 0);
}

TEST(ModelFile, that_is_none_is_refused_by_name) {
  const auto folder = example::fresh_folder("none");
  EXPECT_THROW(load_generator(folder / "absent.h5"), core::Error);
  write_data(folder / "data.h5", example::points(3, 1));
  EXPECT_THROW(load_generator(folder / "data.h5"), core::Error);
}
