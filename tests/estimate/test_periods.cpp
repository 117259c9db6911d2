#include <array>

#include <gmock/gmock.h>

#include "core/error.hpp"
#include "estimate/exchange.hpp"

using namespace kinetune;
using namespace kinetune::estimate;
using namespace kinetune::estimate::test;
using optimize::Order;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

namespace {

class Periods : public testing::Test {
 protected:
  ExchangeFiles files;
  // k2 and a0 are in the model; k_late and dose are known to conditions alone.
  const std::string header = "parameterId\tlowerBound\tupperBound\tnominalValue\testimate\n";
  void SetUp() override {
    files.write("parameters.tsv", header +
                                      "k2\t0\t10\t0.3\ttrue\na0\t0\t10\t2\ttrue\nk_late\t0\t10\t0.8\ttrue\n"
                                      "dose\t0\t10\t1.5\ttrue\nfixed\t\t\t0.25\tfalse\n");
    files.write("conditions.tsv",
                "conditionId\ttargetId\ttargetValue\n"
                "rest\tk1\t0.4\n"
                "start\tk1\tk_late * 2\n"
                "start\tA\tA + dose\n"
                "later\tk1\tk1 / 2 + fixed\n");
    files.write("experiments.tsv",
                "experimentId\ttime\tconditionId\ne\t-inf\trest\ne\t0\tstart\ne\t10\tlater\n");
    files.write("measurements.tsv",
                "observableId\texperimentId\ttime\tmeasurement\n"
                "yA\te\t0\t2\nyA\te\t3\t1\nyB\te\t10\t1.5\nyA\te\t12\t0.8\nyA\te\tinf\t1\nyB\te\tinf\t2\n");
  }

  static std::vector<double> expected(double k2, double a0, double k_late, double dose) {
    Exchange state = Exchange{a0, 0.5}.at_rest(0.4, k2);
    state.a += dose;
    const Exchange at_10 = state.after(10, 2 * k_late, k2);
    const double last = k_late + 0.25;
    return {state.a,
            state.after(3, 2 * k_late, k2).a,
            at_10.b,
            at_10.after(2, last, k2).a,
            at_10.at_rest(last, k2).a,
            at_10.at_rest(last, k2).b};
  }
};

}  // namespace

TEST_F(Periods, follow_each_other_with_changes_that_stay) {
  const auto values = values_at(files.joined(), {0.3, 2, 0.8, 1.5});
  const auto known = expected(0.3, 2, 0.8, 1.5);
  ASSERT_EQ(values.size(), known.size());
  for (std::size_t i = 0; i < values.size(); ++i) EXPECT_NEAR(values[i], known[i], 1e-8) << i;
}

TEST_F(Periods, have_gradients_through_every_change) {
  const Joined joined = files.joined();
  expect_right_gradients(joined, {0.35, 1.8, 0.7, 1.4});
}

TEST_F(Periods, have_the_gauss_newton_matrix_of_their_residuals) {
  Posterior posterior(files.joined().problem, {jit::compile(files.joined().sources.front())},
                      {{.rtol = 1e-11, .atol = 1e-14}});
  const std::vector<double> x{0.35, 1.8, 0.7, 1.4};
  const auto matrix = posterior.evaluate(x, Order::gauss_newton)->gauss_newton;
  const std::vector<double> noise{0.1, 0.1, 0.2, 0.1, 0.1, 0.2};
  std::vector<std::vector<double>> by_x;
  for (std::size_t q = 0; q < x.size(); ++q) {
    auto up = x, down = x;
    up[q] += 1e-5;
    down[q] -= 1e-5;
    const auto after = expected(up[0], up[1], up[2], up[3]),
               before = expected(down[0], down[1], down[2], down[3]);
    by_x.emplace_back();
    for (std::size_t i = 0; i < noise.size(); ++i)
      by_x.back().push_back((after[i] - before[i]) / 2e-5 / noise[i]);
  }
  for (std::size_t p = 0; p < x.size(); ++p) {
    for (std::size_t q = 0; q < x.size(); ++q) {
      double sum = 0;
      for (std::size_t i = 0; i < noise.size(); ++i) sum += by_x[p][i] * by_x[q][i];
      EXPECT_NEAR(matrix[p * 4 + q], sum, 1e-5 * std::fabs(sum) + 1e-4);
    }
  }
}

TEST_F(Periods, that_share_a_pre_equilibration_are_one_share) {
  files.write("conditions.tsv",
              "conditionId\ttargetId\ttargetValue\nrest\tk1\t0.4\nunrest\tk1\tk_late\n"
              "start\tA\tA + dose\nlater\tk1\tk1 / 2 + fixed\n");
  files.write("experiments.tsv",
              "experimentId\ttime\tconditionId\ne\t-inf\trest\ne\t0\tstart\ne\t10\tlater\n"
              "f\t-inf\trest\nf\t0\tlater\ng\t-inf\tunrest\ng\t0\tlater\n");
  files.write("measurements.tsv",
              "observableId\texperimentId\ttime\tmeasurement\n"
              "yA\te\t3\t1\nyA\tg\t3\t1\nyA\tf\t3\t1\nyB\te\t12\t1.5\nyB\t\t2\t0.5\n");
  const Joined joined = files.joined();
  const std::vector<double> x{0.35, 1.8, 0.7, 1.4};
  const std::vector<jit::ModelCode> codes{jit::compile(joined.sources.front())};
  for (const auto method : {Sensitivities::forward, Sensitivities::adjoint}) {
    Posterior here(joined.problem, codes, {{}, method}), there(joined.problem, codes, {{}, method});
    ASSERT_EQ(here.n_shares(), 3u);  // e and f, g, the model as it is
    Details details;
    const auto whole = here.assess(x, Order::gradient, &details);
    std::vector<std::string> experiments;
    for (const auto& simulation : details.simulations) experiments.push_back(simulation.condition_id);
    EXPECT_THAT(experiments, testing::ElementsAre("e", "g", "f", ""));

    here.set_carrier([&](std::span<const double> at, Order order) {
      const auto ends = there.evaluate_shares(at, order, std::array<std::size_t, 2>{2, 0});
      const auto middle = there.evaluate_shares(at, order, std::array<std::size_t, 1>{1});
      return ShareOutcomes{{ends.sums[1], middle.sums[0], ends.sums[0]}, {}, {}, false, {}};
    });
    const auto combined = here.assess(x, Order::gradient);
    EXPECT_EQ(combined->llh, whole->llh);
    EXPECT_EQ(combined->gradient, whole->gradient);
  }
  expect_right_gradients(joined, x);
}

TEST_F(Periods, a_parameter_may_be_set_to_a_state_and_keeps_its_value) {
  files.write("observables.tsv",
              "observableId\tobservableFormula\tnoiseFormula\nyA\tA - shift\t0.1\nyB\tB\t0.2\n");
  files.write("conditions.tsv",
              "conditionId\ttargetId\ttargetValue\nrest\tk1\t0.4\nstart\tk1\tk_late\nstart\tA\tdose\n"
              "later\tshift\tA / 2\nlater\tB\tB + shift + time\n");
  files.write("parameters.tsv", header +
                                    "k2\t0\t10\t0.3\ttrue\na0\t0\t10\t2\ttrue\nk_late\t0\t10\t0.8\ttrue\n"
                                    "dose\t0\t10\t1.5\ttrue\n");
  const Joined joined = files.joined();
  const auto values = values_at(joined, {0.3, 2, 0.8, 1.5});
  Exchange state = Exchange{2, 0.5}.at_rest(0.4, 0.3);
  state.a = 1.5;
  Exchange at_10 = state.after(10, 0.8, 0.3);
  const double shift = at_10.a / 2;
  at_10.b += 10;  // shift was 0 before
  EXPECT_NEAR(values[1], state.after(3, 0.8, 0.3).a, 1e-8);
  EXPECT_NEAR(values[2], at_10.b, 1e-8);
  EXPECT_NEAR(values[3], at_10.after(2, 0.8, 0.3).a - shift, 1e-8);
  expect_right_gradients(joined, {0.35, 1.8, 0.7, 1.4});
}

TEST_F(Periods, changes_at_one_time_see_the_values_before_all_of_them) {
  files.write("conditions.tsv",
              "conditionId\ttargetId\ttargetValue\nrest\tk1\tk_late\nstart\tA\tB\nlater\tB\tA\n");
  files.write("experiments.tsv", "experimentId\ttime\tconditionId\ne\t0\trest\ne\t5\tstart\ne\t5\tlater\n");
  files.write("measurements.tsv",
              "observableId\texperimentId\ttime\tmeasurement\nyA\te\t5\t2\nyB\te\t5\t1\n");
  files.write("parameters.tsv", header + "k2\t0\t10\t0.3\ttrue\nk_late\t0\t10\t0.8\ttrue\n");
  const Joined joined = files.joined();
  const auto values = values_at(joined, {0.3, 0.8});
  const Exchange before = Exchange{1, 0.5}.after(5, 0.8, 0.3);
  EXPECT_NEAR(values[0], before.b, 1e-9);
  EXPECT_NEAR(values[1], before.a, 1e-9);
  expect_right_gradients(joined, {0.4, 0.6});
}

TEST_F(Periods, a_first_value_takes_the_place_of_an_initial_assignment_in_its_experiment_alone) {
  files.write("conditions.tsv", "conditionId\ttargetId\ttargetValue\nset\tA\tdose ^ 2\n");
  files.write("experiments.tsv", "experimentId\ttime\tconditionId\ne\t-3\tset\nf\t-3\t\n");
  files.write("measurements.tsv",
              "observableId\texperimentId\ttime\tmeasurement\n"
              "yA\te\t-3\t2\nyA\te\t1\t2\nyA\tf\t-3\t1\nyA\t\t0\t1\n");
  files.write("parameters.tsv",
              header + "k2\t0\t10\t0.3\ttrue\na0\t0\t10\t2\ttrue\ndose\t0\t10\t1.5\ttrue\n");
  const Joined joined = files.joined();
  const auto values = values_at(joined, {0.3, 2, 1.5});
  EXPECT_NEAR(values[0], 2.25, 1e-12);
  EXPECT_NEAR(values[1], (Exchange{2.25, 0.5}.after(4, 0.5, 0.3).a), 1e-8);
  EXPECT_NEAR(values[2], 2.0, 1e-12);
  EXPECT_NEAR(values[3], 2.0, 1e-12);
  expect_right_gradients(joined, {0.4, 1.5, 1.2});
}

TEST_F(Periods, an_initial_assignment_counts_once_whatever_conditions_do_later) {
  // shift = 3 k1 at the start, and stays so.
  std::string sbml = exchange_sbml;
  const std::string list = "<listOfInitialAssignments>";
  sbml.insert(
      sbml.find(list) + list.size(),
      "<initialAssignment symbol='shift'><math xmlns='http://www.w3.org/1998/Math/MathML'><apply><times/>"
      "<cn>3</cn><ci>k1</ci></apply></math></initialAssignment>");
  files.write("model.xml", sbml);
  files.write("observables.tsv",
              "observableId\tobservableFormula\tnoiseFormula\nyA\tshift\t0.1\nyB\tB\t0.2\n");
  const auto values = values_at(files.joined(), {0.3, 2, 0.8, 1.5});
  for (const int row : {0, 1, 3, 4}) EXPECT_NEAR(values[row], 1.2, 1e-12);
}

TEST_F(Periods, pre_equilibrations_that_are_equal_are_done_once) {
  const std::string one = "experimentId\ttime\tconditionId\ne\t-inf\trest\ne\t0\tstart\n";
  files.write("experiments.tsv", one + "f\t-inf\trest\nf\t0\tlater\n");
  files.write("measurements.tsv",
              "observableId\texperimentId\ttime\tmeasurement\nyA\te\t2\t2\nyA\tf\t2\t1\n");
  const Joined joined = files.joined();
  Posterior posterior(joined.problem, {jit::compile(joined.sources.front())}, {});
  Details details;
  ASSERT_TRUE(posterior.assess(std::vector<double>{0.3, 2, 0.8, 1.5}, Order::value, &details));
  ASSERT_EQ(details.simulations.size(), 2u);
  EXPECT_GT(details.simulations[0].statistics.steps, details.simulations[1].statistics.steps);
  expect_right_gradients(joined, {0.35, 1.8, 0.7, 1.4});
}

TEST_F(Periods, a_problem_without_a_steady_state_fails_by_that_name) {
  std::string sbml = exchange_sbml;  // A is produced, and nothing takes it away
  const std::string reactants =
      "<listOfReactants><speciesReference species='B' stoichiometry='1' constant='true'/></listOfReactants>";
  sbml.replace(sbml.find(reactants), reactants.size(), "");
  files.write("model.xml", sbml);
  const Joined joined = files.joined();
  for (const auto order : {Order::value, Order::gradient}) {
    Posterior posterior(joined.problem, {jit::compile(joined.sources.front())}, {});
    const auto result = posterior.evaluate(std::vector<double>{0.3, 2, 0.8, 1.5}, order);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().reason, "no steady state");
    EXPECT_EQ(result.error().condition, "e");
  }
}

TEST_F(Periods, survive_the_way_to_another_process) {
  const Joined joined = files.joined();
  const Problem copy = Problem::from_bytes(joined.problem.to_bytes());
  Posterior original(joined.problem, {jit::compile(joined.sources.front())}, {}),
      other(copy, {jit::compile(joined.sources.front())}, {});
  const std::vector<double> x{0.3, 2, 0.8, 1.5};
  EXPECT_EQ(original.evaluate(x, Order::gradient)->gradient, other.evaluate(x, Order::gradient)->gradient);
}

TEST_F(Periods, what_cannot_be_is_refused_with_its_line) {
  files.write("measurements.tsv", "observableId\texperimentId\ttime\tmeasurement\nyA\te\t-1\t2\n");
  EXPECT_THAT(files.refusal(),
              AllOf(StartsWith("measurements.tsv:2: "), HasSubstr("before experiment e begins")));
  files.write("conditions.tsv", "conditionId\ttargetId\ttargetValue\nrest\tA\tB\nstart\tA\t1\nlater\tA\t1\n");
  EXPECT_THAT(files.refusal(), AllOf(StartsWith("conditions.tsv:2: "), HasSubstr("depends on 'B'")));
  files.write("conditions.tsv",
              "conditionId\ttargetId\ttargetValue\nrest\tthere\t1\nstart\tA\t1\nlater\tA\t1\n");
  EXPECT_THAT(files.refusal(), StartsWith("conditions.tsv:2: targetId 'there'"));
}

namespace {

/// x' = -k x from 1, and y from y^2 = p x: of a start from which plain steps of Newton's method go far.
class PeriodsOfARule : public testing::Test {
 protected:
  ExchangeFiles files;
  void SetUp() override {
    const std::string maths = "<math xmlns='http://www.w3.org/1998/Math/MathML'>",
                      product = "<apply><times/><ci>p</ci><ci>x</ci></apply>",
                      square = "<apply><times/><ci>y</ci><ci>y</ci></apply>";
    files.write("model.xml",
                "<sbml xmlns='http://www.sbml.org/sbml/level3/version2/core' level='3' version='2'>\n"
                "<model id='rule'><listOfParameters>\n"
                "<parameter id='k' value='1' constant='true'/><parameter id='p' value='1' constant='true'/>\n"
                "<parameter id='x' value='1' constant='false'/>\n"
                "<parameter id='y' value='1e-3' constant='false'/></listOfParameters>\n"
                "<listOfRules><rateRule variable='x'>" +
                    maths +
                    "<apply><minus/><apply><times/><ci>k</ci><ci>x</ci></apply></apply></math></rateRule>"
                    "<algebraicRule>" +
                    maths + "<apply><minus/>" + square + product +
                    "</apply></math></algebraicRule></listOfRules>\n</model></sbml>\n");
    files.write("mapping.tsv", "petabEntityId\tmodelEntityId\n");
    files.write("observables.tsv", "observableId\tobservableFormula\tnoiseFormula\no\ty\t0.1\n");
    files.write("parameters.tsv",
                "parameterId\tlowerBound\tupperBound\tnominalValue\testimate\nk\t0\t10\t0.3\ttrue\n"
                "p1\t-10\t10\t4\ttrue\np2\t0\t10\t2\ttrue\ndose\t0\t10\t1\ttrue\n");
    files.write("conditions.tsv",
                "conditionId\ttargetId\ttargetValue\nstart\tp\tp1\nlater\tp\tp2\nlater\tx\tx + dose\n");
    files.write("experiments.tsv", "experimentId\ttime\tconditionId\ne\t0\tstart\ne\t2\tlater\n");
    files.write("measurements.tsv",
                "observableId\texperimentId\ttime\tmeasurement\no\te\t0\t2\no\te\t1\t1\no\te\t2\t1.5\n"
                "o\te\t5\t0.8\n");
  }
};

}  // namespace

TEST_F(PeriodsOfARule, solve_it_anew_where_they_change_what_it_depends_on) {
  const double k = 0.3, p1 = 4, p2 = 2, dose = 1, x = std::exp(-2 * k) + dose;
  const auto values = values_at(files.joined(), {k, p1, p2, dose});
  ASSERT_EQ(values.size(), 4);
  EXPECT_NEAR(values[0], std::sqrt(p1), 1e-9);
  EXPECT_NEAR(values[1], std::sqrt(p1 * std::exp(-k)), 1e-9);
  EXPECT_NEAR(values[2], std::sqrt(p2 * x), 1e-9);
  EXPECT_NEAR(values[3], std::sqrt(p2 * x * std::exp(-3 * k)), 1e-9);
}

TEST_F(PeriodsOfARule, have_gradients_of_its_solutions) {
  expect_right_gradients(files.joined(), {0.35, 3.8, 2.1, 1.2});
}

TEST_F(PeriodsOfARule, without_a_solution_fail_and_name_its_variable) {
  const Joined joined = files.joined();
  Posterior posterior(joined.problem, {jit::compile(joined.sources.front())}, {});
  Details details;
  posterior.assess(std::vector<double>{0.3, -1, 2, 1}, Order::value, &details);
  ASSERT_EQ(details.simulations.size(), 1);
  EXPECT_THAT(details.simulations[0].failure, HasSubstr("algebraic rule"));
  EXPECT_EQ(details.simulations[0].state, "y");
}

TEST_F(PeriodsOfARule, cannot_set_what_it_determines) {
  files.write("conditions.tsv", "conditionId\ttargetId\ttargetValue\nstart\ty\tp1\nlater\tp\tp2 + dose\n");
  EXPECT_THAT(files.refusal(), HasSubstr("'y' follows from an algebraic rule and cannot be set"));
}
