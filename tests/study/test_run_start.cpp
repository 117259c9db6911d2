#include <cmath>

#include <gmock/gmock.h>

#include "estimate/problem_files.hpp"
#include "optimize/objective.hpp"
#include "study/run_start.hpp"

using namespace kinetune;
using namespace kinetune::study;
using optimize::Order;

namespace {

/// fval = sum_i (x_i - i - 1)^2 in [0, 10]^3; no value where x_0 > ceiling.
class Bowl final : public optimize::Objective {
 public:
  explicit Bowl(double ceiling = 100) : ceiling_(ceiling) {}

  std::size_t size() const override { return 3; }
  std::span<const double> lower_bounds() const override { return lower_; }
  std::span<const double> upper_bounds() const override { return upper_; }

  std::expected<optimize::Evaluation, optimize::EvaluationFailure> evaluate(std::span<const double> x,
                                                                            Order order) override {
    if (x[0] > ceiling_) return std::unexpected(optimize::EvaluationFailure{"too high", "stairs", 4.5});
    optimize::Evaluation result{0.0, {}, {}};
    for (std::size_t i = 0; i < 3; ++i) {
      const double r = x[i] - static_cast<double>(i) - 1.0;
      result.fval += r * r;
      if (order >= Order::gradient) result.gradient.push_back(2 * r);
    }
    if (order >= Order::gauss_newton) result.gauss_newton = {2, 0, 0, 0, 2, 0, 0, 0, 2};
    return result;
  }

 private:
  double ceiling_;
  std::vector<double> lower_{0, 0, 0}, upper_{10, 10, 10};
};

class RunStart : public testing::Test {
 protected:
  std::optional<StartOutcome> run(optimize::Objective& objective, std::uint64_t id) const {
    const sample::Sampler sampler({sample::Method::uniform, 20, 3},
                                  sample::Box(objective.lower_bounds(), objective.upper_bounds()));
    return run_start(id, sampler, "uniform", objective, options, n_redraws, stop);
  }

  optimize::LocalOptions options;
  std::uint64_t n_redraws = 0;
  std::function<bool()> stop = [] { return false; };
};

}  // namespace

TEST_F(RunStart, ends_at_the_minimum_and_tells_how_it_got_there) {
  Bowl bowl;
  const auto outcome = run(bowl, 7);

  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->start.id, 7u);
  EXPECT_EQ(outcome->start.source, "uniform");
  const auto& x0 = outcome->start.x0;
  ASSERT_EQ(x0.size(), 3u);
  EXPECT_NEAR(outcome->start.f0, std::pow(x0[0] - 1, 2) + std::pow(x0[1] - 2, 2) + std::pow(x0[2] - 3, 2),
              1e-12);
  const auto& result = outcome->result;
  EXPECT_EQ(result.start_id, 7u);
  EXPECT_EQ(result.status, store::StartStatus::converged);
  EXPECT_EQ(result.fval0, outcome->start.f0);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(result.x[i], static_cast<double>(i) + 1, 1e-6);
  EXPECT_NEAR(result.fval, 0.0, 1e-10);
  EXPECT_LE(result.gradient_norm, 1e-6);
  EXPECT_GT(result.n_fval, 0u);

  ASSERT_EQ(outcome->trace.size(), result.n_iterations + 1);
  EXPECT_EQ(outcome->trace.front().x, x0);
  EXPECT_EQ(outcome->trace.front().fval, outcome->start.f0);
  EXPECT_EQ(outcome->trace.back().iteration, result.n_iterations);
}

TEST_F(RunStart, depends_on_its_number_alone) {
  Bowl bowl;
  const auto first = run(bowl, 7), other = run(bowl, 8), again = run(bowl, 7);
  EXPECT_EQ(first->start.x0, again->start.x0);
  EXPECT_EQ(first->result.x, again->result.x);
  EXPECT_EQ(first->result.fval, again->result.fval);
  EXPECT_NE(first->start.x0, other->start.x0);
}

TEST_F(RunStart, that_cannot_be_evaluated_is_an_outcome_with_its_reason) {
  Bowl bowl(-1);
  const auto outcome = run(bowl, 2);

  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->result.status, store::StartStatus::failed);
  EXPECT_EQ(outcome->result.message, "too high");
  EXPECT_EQ(outcome->result.condition, "stairs");
  EXPECT_EQ(outcome->result.time, 4.5);
  EXPECT_TRUE(std::isnan(outcome->result.fval));
  EXPECT_TRUE(std::isnan(outcome->start.f0));
  ASSERT_EQ(outcome->result.x.size(), 3u);
  for (const double x : outcome->result.x) EXPECT_TRUE(std::isnan(x));
  EXPECT_EQ(outcome->start.x0.size(), 3u);
  EXPECT_TRUE(outcome->trace.empty());
}

TEST_F(RunStart, that_cannot_be_evaluated_is_drawn_anew_as_often_as_allowed) {
  Bowl bowl(2);  // a fifth of the starts has a value
  int n_redrawn = 0, n_failed = 0;
  n_redraws = 3;
  for (std::uint64_t id = 0; id < 20; ++id) {
    const auto outcome = run(bowl, id);
    const auto& [start, result, trace] = *outcome;
    EXPECT_LE(start.n_redraws, 3u);
    if (result.status == store::StartStatus::failed) {
      ++n_failed;
      EXPECT_EQ(start.n_redraws, 3u);
      EXPECT_EQ(result.n_fval, 4u);
      EXPECT_EQ(result.message, "too high");
    } else {
      n_redrawn += start.n_redraws > 0;
      EXPECT_LE(start.x0[0], 2.0);
      EXPECT_EQ(trace.front().x, start.x0);
      EXPECT_EQ(trace.front().fval, start.f0);
    }
    const auto again = run(bowl, id);
    EXPECT_EQ(again->start.x0, start.x0);
    EXPECT_EQ(again->start.n_redraws, start.n_redraws);
  }
  EXPECT_GT(n_redrawn, 0);
  EXPECT_GT(n_failed, 0);
}

TEST_F(RunStart, that_is_stopped_within_an_evaluation_that_fails_leaves_nothing_behind) {
  Bowl wall(-1);  // as an evaluation does that is interrupted
  n_redraws = 5;
  stop = [] { return true; };
  EXPECT_FALSE(run(wall, 2));
}

TEST_F(RunStart, that_runs_out_of_iterations_says_so) {
  Bowl bowl;
  options.max_iterations = 0;
  const auto outcome = run(bowl, 2);
  EXPECT_EQ(outcome->result.status, store::StartStatus::limit_reached);
  EXPECT_EQ(outcome->result.message, "max_iterations");
}

TEST_F(RunStart, that_is_stopped_leaves_nothing_behind) {
  Bowl bowl;
  stop = [] { return true; };
  EXPECT_FALSE(run(bowl, 2));
}

TEST_F(RunStart, outcome_comes_back_from_bytes_as_it_was) {
  Bowl bowl, wall(-1);
  for (optimize::Objective* objective : {&bowl, &wall}) {
    const auto outcome = run(*objective, 5);
    const StartOutcome copy = StartOutcome::from_bytes(outcome->to_bytes());
    EXPECT_EQ(copy.to_bytes(), outcome->to_bytes());
    EXPECT_EQ(copy.start.x0, outcome->start.x0);
    EXPECT_EQ(copy.result.message, outcome->result.message);
    EXPECT_EQ(copy.result.n_fval, outcome->result.n_fval);
    EXPECT_EQ(copy.trace.size(), outcome->trace.size());
  }
}

TEST_F(RunStart, converges_at_a_bound_that_is_the_end_of_a_uniform_prior) {
  // A = 1.5 exp(-k1), and 2 is measured: the slowest k1 is best. 10^log10(0.3) is less than 0.3.
  estimate::test::ProblemFiles files;
  files.write("conditions.tsv", "conditionId\ta0\nlow\t1.5\n");
  files.write("parameters.tsv",
              "parameterId\tparameterScale\tlowerBound\tupperBound\tnominalValue\testimate\t"
              "objectivePriorType\tobjectivePriorParameters\n"
              "k1\tlog10\t0.3\t10\t1\t1\tuniform\t0.3;10\n");
  files.write("observables.tsv", "observableId\tobservableFormula\tnoiseFormula\nyA\tA\t1\n");
  files.write("measurements.tsv", "observableId\tsimulationConditionId\ttime\tmeasurement\nyA\tlow\t1\t2\n");
  auto objective = estimate::test::make_posterior(files.joined());

  for (const std::uint64_t id : {0u, 1u, 2u}) {
    const auto outcome = run(objective, id);
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->result.status, store::StartStatus::converged) << id;
    EXPECT_EQ(outcome->result.x[0], objective.lower_bounds()[0]) << id;
  }
}
