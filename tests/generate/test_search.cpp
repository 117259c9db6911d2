#include <algorithm>
#include <cmath>
#include <csignal>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "core/error.hpp"
#include "example_data.hpp"
#include "generate/search.hpp"

using namespace kinetune;
using namespace kinetune::generate;

namespace {

/// Asks for the end as soon as a number of trials have ended.
class StopAfter final : public SearchObserver {
 public:
  explicit StopAfter(std::ptrdiff_t n_trials) : n_trials_(n_trials) {}
  void on_trials(const std::vector<Trial>& trials) override {
    n_ended_ = std::ranges::count(trials, TrialStatus::finished, &Trial::status);
  }
  TrainingObserver::Next on_wait() override {
    return n_ended_ >= n_trials_ ? TrainingObserver::Next::stop : TrainingObserver::Next::go_on;
  }

 private:
  std::ptrdiff_t n_trials_, n_ended_ = 0;
};

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

TEST(Search, judges_all_trials_by_the_same_runs_which_none_has_seen) {
  DataSet data = example::points(100, 2);
  for (std::size_t i = 0; i < 100; i += 7) data.fval[i] = NAN;
  check(data, "");
  const auto [shown, held_out] = search_data(quick(1, 1), data);
  EXPECT_EQ(held_out.n_evaluated(), held_out.size());
  EXPECT_GT(held_out.size(), 10u);
  for (const std::uint64_t run : held_out.run)
    EXPECT_EQ(std::ranges::count(shown.run, run), 0) << "run " << run << " is on both sides";
  const std::vector<double> labels = labels_of(data, quick(1, 1).base);
  for (const DataSet* part : {&shown, &held_out}) {
    for (std::size_t i = 0; i < part->size(); ++i) {
      if (part->outcome[i] == Outcome::failed) continue;
      const auto row = std::ranges::find(data.fval, part->fval[i]) - data.fval.begin();
      EXPECT_EQ(part->label[i], labels[static_cast<std::size_t>(row)]);
    }
  }
  const auto trials = run_search(
      quick(4, 1), data, [&](Generator&, const DataSet& seen) { return seen.x == held_out.x ? 1.0 : 2.0; });
  for (const Trial& trial : trials) EXPECT_EQ(trial.score, 1);
}

TEST(Search, of_data_that_leave_nothing_to_judge_by_is_refused_before_it_begins) {
  EXPECT_THROW(run_search(quick(2, 1), example::points(20, 2, 20)), core::Error);
}

TEST(Search, records_a_process_that_dies_as_a_lost_trial_and_goes_on_with_the_others) {
  const DataSet data = example::points(60, 2);
  const auto trials = run_search(quick(4, 2), data, [](Generator& model, const DataSet&) {
    if (model.options().width == trial_options(quick(4, 2), 1).width &&
        model.options().learning_rate == trial_options(quick(4, 2), 1).learning_rate)
      std::raise(SIGKILL);
    return 1.0;
  });
  EXPECT_EQ(trials[1].status, TrialStatus::lost);
  for (const std::size_t i : {0, 2, 3}) EXPECT_EQ(trials[i].status, TrialStatus::finished);
}

TEST(Search, that_is_stopped_keeps_what_has_ended_and_goes_on_to_the_same_scores) {
  const DataSet data = example::points(60, 2);
  const auto whole = run_search(quick(6, 1), data);
  // The third trial does not end by itself, so that the stop comes while it is at work.
  const Score hanging = [](Generator& model, const DataSet& held_out) {
    while (to_text(model.options()) == to_text(trial_options(quick(6, 1), 2))) pause();
    return held_out_score(model, held_out);
  };
  StopAfter observer(2);
  auto trials = run_search(quick(6, 1), data, hanging, &observer);
  for (std::size_t i = 0; i < 6; ++i)
    EXPECT_EQ(trials[i].status, i < 2 ? TrialStatus::finished : TrialStatus::open) << i;
  const double seconds = trials[0].seconds;
  trials = run_search(quick(6, 1), data, held_out_score, nullptr, std::move(trials));
  for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(trials[i].score, whole[i].score) << i;
  EXPECT_EQ(trials[0].seconds, seconds) << "it was done again";
}

TEST(Search, that_fails_altogether_says_why) {
  SearchOptions search = quick(2, 1);
  search.held_out_share = 0;
  const auto trials = run_search(search, example::points(1, 2));
  EXPECT_EQ(trials[0].status, TrialStatus::failed);
  EXPECT_THAT(trials[0].reason, testing::HasSubstr("points to train on"));
  EXPECT_THROW(best_trial(trials), core::Error);
}

TEST(Search, can_judge_by_the_objective_of_samples) {
  GeneratorOptions options = default_options(Method::best_points);
  const SearchOptions search{options, 1, 1, 0};
  DataSet data = example::points(5, 1);
  data.x = {0.1, 0.2, 0.3, 0.4, 0.5};
  data.fval = {1, 2, 3, 4, 5};
  const auto trials =
      run_search(search, data, sample_quality([](std::span<const double> x) { return 10 * x[0]; }, 5));
  EXPECT_NEAR(trials[0].score, 3, 1e-12);
}

TEST(Search, is_stored_with_a_row_a_trial_and_comes_back) {
  const DataSet data = example::points(60, 2);
  auto trials = run_search(quick(3, 2), data);
  trials[0].status = TrialStatus::failed;
  trials[0].reason = "a reason";
  trials[1] = open_trials(quick(3, 2))[1];
  const auto path = example::fresh_folder("search") / "search.h5";
  const auto model = make_generator(quick(3, 2).base);
  model->begin_data(data);
  save(*model, path, search_batch(trials));
  const auto record = read_search(path);
  ASSERT_TRUE(record);
  EXPECT_FALSE(record->is_over);
  EXPECT_EQ(record->data, fingerprint(data));
  ASSERT_EQ(record->trials.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    const Trial &a = trials[i], &b = record->trials[i];
    EXPECT_EQ(b.id, a.id);
    EXPECT_EQ(to_text(b.options), to_text(a.options));
    EXPECT_EQ(b.status, a.status);
    EXPECT_EQ(b.reason, a.reason);
    EXPECT_EQ(b.epochs, a.epochs);
  }
  EXPECT_EQ(record->trials[2].score, trials[2].score);
  EXPECT_EQ(record->trials[2].validation_loss, trials[2].validation_loss);
  EXPECT_EQ(record->trials[2].seconds, trials[2].seconds);
  EXPECT_TRUE(std::isnan(record->trials[1].score));
  save(*model, path);
  EXPECT_FALSE(read_search(path));
}
