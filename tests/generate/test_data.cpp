#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "example_data.hpp"
#include "generate/data.hpp"
#include "store/run_file.hpp"

using namespace kinetune;
using namespace kinetune::generate;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

/// The message with which data are refused.
std::string refusal(DataSet data) {
  try {
    check(data, "a.h5");
  } catch (const core::Error& error) {
    return error.what();
  }
  return "";
}

DataSet with(void (*change)(DataSet&)) {
  DataSet data = example::points(3, 2);
  change(data);
  return data;
}

}  // namespace

TEST(Data, a_training_set_comes_back_as_it_was_written) {
  DataSet data = example::points(5, 2);
  data.kinds = {ParameterKind::rate, ParameterKind::noise};
  data.outcome[2] = Outcome::failed;
  data.fval[2] = std::numeric_limits<double>::quiet_NaN();
  data.label = {0, 0.25, 1, 0.5, 0.75};
  const auto path = example::fresh_folder("data") / "data.h5";
  write_data(path, data);

  const DataSet read = read_data(path);

  EXPECT_EQ(read.parameter_ids, data.parameter_ids);
  EXPECT_EQ(read.kinds, data.kinds);
  EXPECT_EQ(read.x, data.x);
  EXPECT_EQ(read.outcome, data.outcome);
  EXPECT_EQ(read.run, data.run);
  EXPECT_EQ(read.label, data.label);
  EXPECT_TRUE(std::isnan(read.fval[2]));
  EXPECT_EQ(read.fval[4], data.fval[4]);
}

TEST(Data, of_a_run_file_starts_iterates_and_results_are_points_of_the_unit_box) {
  const auto path = example::fresh_folder("run") / "run.h5";
  const std::vector<store::ParameterRow> parameters{{"k1", "", "log10", -5, 5, 0},
                                                    {"sigma_y", "", "lin", 0, 4, 1}};
  auto file = store::RunFile::create(path, store::Overwrite::yes, {}, parameters);
  file.add_start({.id = 7, .source = "lhs", .x0 = {-5, 4}, .f0 = 10});
  file.add_start({.id = 8, .source = "lhs", .x0 = {0, 0}, .f0 = NAN});
  const std::vector<store::TraceRow> trace{{.iteration = 0, .fval = 10, .x = {-5, 4}},
                                           {.iteration = 1, .fval = 5, .x = {0, 2}}};
  file.add_result({.start_id = 7, .x = {5, 2}, .fval = 1, .status = store::StartStatus::converged}, trace);
  file.add_result({.start_id = 8, .x = {NAN, NAN}, .status = store::StartStatus::failed}, {});
  ASSERT_TRUE(file.commit());

  const DataSet data = read_data(path);

  EXPECT_THAT(data.x, ElementsAre(0, 1, 0.5, 0.5, 1, 0.5, 0.5, 0));
  EXPECT_THAT(data.run, ElementsAre(7, 7, 7, 8));
  EXPECT_THAT(data.outcome,
              ElementsAre(Outcome::evaluated, Outcome::evaluated, Outcome::evaluated, Outcome::failed));
  EXPECT_EQ(data.fval[2], 1);
  EXPECT_THAT(data.kinds, ElementsAre(ParameterKind::rate, ParameterKind::noise));
}

TEST(Data, what_nothing_can_be_learnt_from_is_refused_with_the_reason) {
  EXPECT_THAT(refusal(example::points(0, 2)), HasSubstr("a.h5: holds no points"));
  EXPECT_THAT(refusal(example::points(2, 0)), HasSubstr("holds no parameters"));
  EXPECT_THAT(refusal(with([](DataSet& d) { d.fval.assign(3, NAN); })),
              HasSubstr("all of its evaluations failed"));
  EXPECT_THAT(refusal(with([](DataSet& d) { d.fval[1] = -INFINITY; })), HasSubstr("point 1: fval is -inf"));
  EXPECT_THAT(refusal(with([](DataSet& d) { d.x[4] = 1.5; })), HasSubstr("point 2: k0 is 1.5"));
  EXPECT_THAT(refusal(with([](DataSet& d) { d.x[1] = NAN; })), HasSubstr("point 0: k1 is nan"));
  EXPECT_THAT(refusal(with([](DataSet& d) {
                d.label = {0, 0.5, INFINITY};
              })),
              HasSubstr("point 2: label is inf"));
  EXPECT_THAT(refusal(with([](DataSet& d) { d.run.pop_back(); })),
              HasSubstr("/points/run has 2 elements, not 3"));
}

TEST(Data, an_infinite_or_missing_value_counts_as_a_failed_evaluation) {
  DataSet data = with([](DataSet& d) { d.fval[0] = INFINITY; });
  check(data, "");
  EXPECT_THAT(data.outcome, ElementsAre(Outcome::failed, Outcome::evaluated, Outcome::evaluated));
}

TEST(Split, no_run_is_on_both_sides_and_no_point_is_lost) {
  const DataSet data = example::points(1000, 1, 7);
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Split split = split_by_run(data, 0.2, seed);
    std::set<std::uint64_t> train, validation;
    for (const std::size_t i : split.train) train.insert(data.run[i]);
    for (const std::size_t i : split.validation) validation.insert(data.run[i]);
    EXPECT_EQ(train.size() + validation.size(), 143u);  // 1000 points in runs of 7
    EXPECT_EQ(split.train.size() + split.validation.size(), 1000u);
    EXPECT_NEAR(static_cast<double>(split.validation.size()), 200, 7);
  }
  EXPECT_NE(split_by_run(data, 0.2, 1).validation, split_by_run(data, 0.2, 2).validation);
}

TEST(Split, a_single_run_is_for_training) {
  const Split split = split_by_run(example::points(10, 1, 10), 0.9, 1);
  EXPECT_EQ(split.train.size(), 10u);
}

TEST(Weights, a_long_run_does_not_drown_a_short_one) {
  DataSet data = example::points(10, 1);
  data.run = {1, 1, 1, 1, 1, 1, 1, 1, 2, 2};
  std::vector<std::size_t> rows(10);
  for (std::size_t i = 0; i < 10; ++i) rows[i] = i;
  const auto even = run_weights(data, rows, 1);
  EXPECT_NEAR(8 * even[0], 2 * even[9], 1e-12);
  EXPECT_NEAR(8 * even[0] + 2 * even[9], 10, 1e-12);
  EXPECT_EQ(run_weights(data, rows, 0), std::vector<double>(10, 1.0));
}
