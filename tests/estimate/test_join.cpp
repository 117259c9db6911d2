#include <cmath>
#include <string>

#include <gmock/gmock.h>

#include "core/error.hpp"
#include "estimate/problem_files.hpp"

using namespace kinetune;
using namespace kinetune::estimate;
using namespace kinetune::estimate::test;
using optimize::Order;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

namespace {

constexpr const char* parameter_header =
    "parameterId\tparameterScale\tlowerBound\tupperBound\tnominalValue\testimate\n";
constexpr const char* measurement_header = "observableId\tsimulationConditionId\ttime\tmeasurement\n";

/// The chain's B(t) for A(0) = a0, B(0) = b0.
double chain_b(double a0, double b0, double k1, double k2, double t) {
  return b0 * std::exp(-k2 * t) + a0 * k1 / (k2 - k1) * (std::exp(-k1 * t) - std::exp(-k2 * t));
}

/// Simulated values of all measurements at the nominal point.
std::vector<double> simulated(const ProblemFiles& files) {
  const Joined joined = files.joined();
  std::vector<double> x;
  for (const auto& p : joined.problem.parameters) x.push_back(p.nominal);
  Posterior posterior = make_posterior(joined, {{.rtol = 1e-11, .atol = 1e-14}, Sensitivities::forward});
  Details details;
  EXPECT_TRUE(posterior.assess(x, Order::gradient, &details));
  return details.values;
}

/// Gradient of fval at the nominal point, forward, against central differences of the value.
void expect_right_gradient(const ProblemFiles& files) {
  const Joined joined = files.joined();
  std::vector<double> x;
  for (const auto& p : joined.problem.parameters) x.push_back(p.nominal);
  for (const auto method : {Sensitivities::forward, Sensitivities::adjoint}) {
    Posterior posterior = make_posterior(joined, {{.rtol = 1e-11, .atol = 1e-14}, method});
    const auto gradient = posterior.evaluate(x, Order::gradient)->gradient;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const auto moved = [&](double h) {
        auto y = x;
        y[i] += h;
        return posterior.evaluate(y, Order::value)->fval;
      };
      const double numerical = (moved(1e-4) - moved(-1e-4)) / 2e-4;
      EXPECT_NEAR(gradient[i], numerical, 1e-5 * std::fabs(numerical) + 1e-6)
          << joined.problem.parameters[i].id;
    }
  }
}

class Join : public testing::Test {
 protected:
  ProblemFiles files;
};

}  // namespace

TEST_F(Join, a_state_that_only_some_conditions_set_keeps_its_initial_assignment_in_the_others) {
  files.write("conditions.tsv", "conditionId\ta0\tA\nlow\t1.5\t\nhigh\t1.5\ta_high\n");

  const auto y = simulated(files);  // yA low 0, yA high 1, yB low 2; k1 = 0.8, k2 = 0.2

  EXPECT_NEAR(y[0], 1.5, 1e-9);
  EXPECT_NEAR(y[1], 4.0 * std::exp(-0.8), 1e-8);
  EXPECT_NEAR(y[2], chain_b(1.5, 0, 0.8, 0.2, 2), 1e-8);
  expect_right_gradient(files);
}

TEST_F(Join, a_state_that_all_conditions_set_has_their_values) {
  files.write("conditions.tsv", "conditionId\tA\tB\nlow\t2.5\t0.3\nhigh\ta_high\t0\n");
  const auto y = simulated(files);
  EXPECT_NEAR(y[0], 2.5, 1e-9);
  EXPECT_NEAR(y[1], 4.0 * std::exp(-0.8), 1e-8);
  EXPECT_NEAR(y[2], chain_b(2.5, 0.3, 0.8, 0.2, 2), 1e-8);
  expect_right_gradient(files);
}

TEST_F(Join, nan_in_the_condition_table_leaves_the_models_initial_value) {
  files.write("conditions.tsv", "conditionId\ta0\tA\nlow\t1.5\tNaN\nhigh\t1.5\ta_high\n");
  EXPECT_NEAR(simulated(files)[0], 1.5, 1e-9);
}

TEST_F(Join, a_constant_with_an_initial_assignment_can_be_set_by_some_conditions) {
  files.write("conditions.tsv", "conditionId\ta0\tb0\nlow\t1.5\ta_high\nhigh\t1.5\t\n");
  files.write("measurements.tsv",
              std::string(measurement_header) + "yB\tlow\t0\t3\nyB\tlow\t2\t3\nyB\thigh\t0\t0.1\n");
  const auto y = simulated(files);
  EXPECT_NEAR(y[0], 4.0, 1e-9);
  EXPECT_NEAR(y[1], chain_b(1.5, 4.0, 0.8, 0.2, 2), 1e-8);
  EXPECT_NEAR(y[2], 0.0, 1e-12);
  expect_right_gradient(files);
}

TEST_F(Join, a_row_of_the_parameter_table_replaces_an_initial_assignment) {
  files.write("parameters.tsv", std::string(parameter_header) +
                                    "k1\tlog10\t1e-3\t1e3\t0.8\t1\n"
                                    "b0\tlin\t0\t5\t0.7\t1\n"
                                    "a_high\tlin\t0.1\t20\t4\t0\n");
  const auto y = simulated(files);
  EXPECT_NEAR(y[2], chain_b(1.5, 0.7, 0.8, 0.2, 2), 1e-8);
  expect_right_gradient(files);
}

TEST_F(Join, a_condition_can_set_the_size_of_a_compartment) {
  // Rates are amounts a time: with r1 = cell k1 A and r2 = k2 B, B decays with k2 / cell.
  std::string sbml = chain_sbml;
  const std::string law = "<ci>cell</ci><ci>k2</ci>";
  sbml.replace(sbml.find(law), law.size(), "<ci>k2</ci>");
  files.write("model.xml", sbml);
  files.write("conditions.tsv", "conditionId\ta0\tcell\nlow\t1.5\t4\nhigh\t1.5\t0.5\n");
  files.write("parameters.tsv", std::string(parameter_header) + "k1\tlog10\t1e-3\t1e3\t0.8\t1\n");
  files.write("measurements.tsv", std::string(measurement_header) + "yB\tlow\t2\t1\nyB\thigh\t2\t1\n");
  const auto y = simulated(files);
  EXPECT_NEAR(y[0], chain_b(1.5, 0, 0.8, 0.2 / 4, 2), 1e-8);
  EXPECT_NEAR(y[1], chain_b(1.5, 0, 0.8, 0.2 / 0.5, 2), 1e-8);
  expect_right_gradient(files);
}

TEST_F(Join, one_parameter_may_stand_in_several_places) {
  files.write("conditions.tsv", "conditionId\ta0\tk2\nlow\ta_high\tk1\nhigh\ta_high\t0.2\n");
  files.write("observables.tsv",
              "observableId\tobservableFormula\tnoiseFormula\nyA\tA * a_high\t0.1 * k1\nyB\tB\ta_high\n");
  files.write("parameters.tsv", std::string(parameter_header) +
                                    "k1\tlog10\t1e-3\t1e3\t0.8\t1\n"
                                    "a_high\tlog\t0.1\t20\t4\t1\n");
  const auto y = simulated(files);
  EXPECT_NEAR(y[1], 16.0 * std::exp(-0.8), 1e-7);
  EXPECT_NEAR(y[2], 4.0 * 0.8 * 2 * std::exp(-1.6), 1e-8);  // both rates equal: a0 k t exp(-k t)
  expect_right_gradient(files);
}

TEST_F(Join, an_observable_may_use_reaction_rates_and_time) {
  files.write("observables.tsv",
              "observableId\tobservableFormula\tnoiseFormula\nyA\tr1 / cell + time\t0.1\nyB\tB\t0.2\n");
  EXPECT_NEAR(simulated(files)[1], 0.8 * 4.0 * std::exp(-0.8) + 1.0, 1e-8);
  expect_right_gradient(files);
}

TEST_F(Join, an_unknown_symbol_in_an_observable_is_refused_with_its_line) {
  files.write("observables.tsv",
              "observableId\tobservableFormula\tnoiseFormula\nyA\tA\t0.1\nyB\tB + glucose\t0.2\n");
  EXPECT_THAT(files.refusal(), AllOf(StartsWith("observables.tsv:3: "), HasSubstr("'glucose'")));

  // join itself keeps the promise, too, whoever calls it without checking first.
  const petab::Problem petab = petab::read_problem(files.yaml());
  try {
    join(petab, {sbml::read_model(petab.models.front().file)});
    FAIL() << "accepted";
  } catch (const core::Error& error) {
    EXPECT_THAT(files.shorten(error.what()),
                AllOf(StartsWith("observables.tsv:3: "), HasSubstr("'glucose'")));
  }
}

TEST_F(Join, a_parameter_without_any_value_is_refused_by_its_name_and_condition) {
  std::string sbml = chain_sbml;
  const std::string k2 = "<parameter id='k2' value='0.2' constant='true'/>";
  sbml.replace(sbml.find(k2), k2.size(), "<parameter id='k2' constant='true'/>");
  files.write("model.xml", sbml);
  EXPECT_THAT(files.refusal(), AllOf(StartsWith("model.xml: 'k2' has no value in condition low"),
                                     HasSubstr("parameter table")));

  files.write("conditions.tsv", "conditionId\ta0\tk2\nlow\t1.5\t0.2\nhigh\ta_high\t\n");
  EXPECT_THAT(files.refusal(), StartsWith("model.xml: 'k2' has no value in condition high"));
  files.write("conditions.tsv", "conditionId\ta0\tk2\nlow\t1.5\t0.2\nhigh\ta_high\t0.1\n");
  EXPECT_EQ(files.refusal(), "accepted");
}

TEST_F(Join, an_estimated_parameter_without_a_nominal_value_is_accepted) {
  files.write("parameters.tsv", std::string(parameter_header) +
                                    "k1\tlog10\t1e-3\t1e3\t\t1\n"
                                    "a_high\tlin\t0.1\t20\t4\t1\n");
  const Joined joined = files.joined();
  EXPECT_TRUE(std::isnan(joined.problem.parameters[0].nominal));
}

TEST_F(Join, derivatives_are_taken_by_what_is_estimated_alone) {
  files.write("conditions.tsv", "conditionId\ta0\tk2\nlow\t1.5\t0.2\nhigh\ta_high\t0.1\n");
  const Joined joined = files.joined();
  std::vector<std::string> differentiated;
  for (const int i : joined.sources.front().differentiated)
    differentiated.push_back(joined.problem.parts.front().model_parameter_ids[i]);
  EXPECT_THAT(differentiated, AllOf(Contains("k1"), Contains("a0"), Not(Contains("k2"))));
}

TEST_F(Join, preequilibration_steady_states_and_events_are_accepted) {
  files.write("measurements.tsv",
              "observableId\tpreequilibrationConditionId\tsimulationConditionId\ttime\tmeasurement\n"
              "yA\t\tlow\t0\t1.4\nyA\tlow\thigh\t1\t1.9\n");
  EXPECT_EQ(files.refusal(), "accepted");

  files.write("measurements.tsv", std::string(measurement_header) + "yA\tlow\t0\t1.4\nyA\thigh\tinf\t1.9\n");
  EXPECT_EQ(files.refusal(), "accepted");

  files.write("measurements.tsv", std::string(measurement_header) + "yA\tlow\t0\t1.4\n");
  std::string sbml = chain_sbml;
  sbml.replace(sbml.find("</model>"), 0,
               "<listOfEvents><event id='E' useValuesFromTriggerTime='true'><trigger initialValue='true' "
               "persistent='true'><math xmlns='http://www.w3.org/1998/Math/MathML'><apply><gt/><ci>A</ci>"
               "<cn>9</cn></apply></math></trigger><listOfEventAssignments><eventAssignment variable='A'>"
               "<math xmlns='http://www.w3.org/1998/Math/MathML'><cn>1</cn></math></eventAssignment>"
               "</listOfEventAssignments></event></listOfEvents>\n");
  files.write("model.xml", sbml);
  EXPECT_EQ(files.refusal(), "accepted");
}
