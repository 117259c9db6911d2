#include <csignal>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "example_data.hpp"
#include "generate/search.hpp"
#include "store/h5_file.hpp"

using namespace kinetune;
using namespace kinetune::generate;

namespace {

SearchOptions quick(std::uint64_t n_trials, std::uint64_t n_processes) {
  SearchOptions search{default_options(Method::cvae), n_trials, n_processes};
  search.base.epochs = 2;
  return search;
}

}  // namespace

TEST(Search, trials_are_a_function_of_their_number_and_the_seed) {
  SearchOptions search = quick(10, 1);
  std::set<std::string> texts;
  for (std::uint64_t i = 0; i < 10; ++i) {
    EXPECT_EQ(to_text(trial_options(search, i)), to_text(trial_options(search, i)));
    EXPECT_NO_THROW(check(trial_options(search, i)));
    texts.insert(to_text(trial_options(search, i)));
  }
  EXPECT_EQ(texts.size(), 10u);
  EXPECT_EQ(to_text(trial_options(search, 0)), to_text(search.base));
}

TEST(Search, gives_the_same_scores_however_many_processes_it_is_spread_over) {
  const DataSet data = example::points(60, 2);
  const auto alone = run_search(quick(5, 1), data), spread = run_search(quick(5, 3), data);
  ASSERT_EQ(alone.size(), 5u);
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(alone[i].status, TrialStatus::finished) << alone[i].reason;
    EXPECT_EQ(alone[i].score, spread[i].score);
  }
  const Trial& best = best_trial(alone);
  for (const Trial& trial : alone) EXPECT_LE(best.score, trial.score);
}

TEST(Search, records_a_process_that_dies_as_a_lost_trial_and_goes_on_with_the_others) {
  const DataSet data = example::points(60, 2);
  const auto trials = run_search(quick(4, 2), data, [](Generator& model) {
    if (model.options().width == trial_options(quick(4, 2), 1).width &&
        model.options().learning_rate == trial_options(quick(4, 2), 1).learning_rate)
      std::raise(SIGKILL);
    return 1.0;
  });
  EXPECT_EQ(trials[1].status, TrialStatus::lost);
  for (const std::size_t i : {0, 2, 3}) EXPECT_EQ(trials[i].status, TrialStatus::finished);
}

TEST(Search, that_fails_altogether_says_why) {
  const auto trials = run_search(quick(2, 1), example::points(1, 2));
  EXPECT_EQ(trials[0].status, TrialStatus::failed);
  EXPECT_THAT(trials[0].reason, testing::HasSubstr("points to train on"));
  EXPECT_THROW(best_trial(trials), core::Error);
}

TEST(Search, can_judge_by_the_objective_of_samples) {
  GeneratorOptions options = default_options(Method::best_points);
  const SearchOptions search{options, 1, 1};
  DataSet data = example::points(5, 1);
  data.x = {0.1, 0.2, 0.3, 0.4, 0.5};
  data.fval = {1, 2, 3, 4, 5};
  const auto trials =
      run_search(search, data, sample_quality([](std::span<const double> x) { return 10 * x[0]; }, 5));
  EXPECT_NEAR(trials[0].score, 3, 1e-12);
}

TEST(Search, is_stored_with_a_row_a_trial) {
  const auto trials = run_search(quick(3, 2), example::points(60, 2));
  const auto path = example::fresh_folder("search") / "search.h5";
  store::H5File file(path, store::Access::create);
  file.apply(search_batch(trials));
  file.close();
  const store::H5File read(path, store::Access::read);
  EXPECT_EQ(read.read<double>("/search/score")[2], trials[2].score);
  EXPECT_EQ(read.read<std::string>("/search/options")[1], to_text(trials[1].options));
}
