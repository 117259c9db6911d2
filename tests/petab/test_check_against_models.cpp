#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "petab/check.hpp"
#include "problem_folder.hpp"

using namespace kinetune::petab;
using testing::ElementsAre;
using testing::StartsWith;

namespace {

/// A model in which the folder's problem is right.
const ModelEntities model{{"A", EntityKind::state},          {"B", EntityKind::assigned},
                          {"cell", EntityKind::compartment}, {"k1", EntityKind::parameter},
                          {"k2", EntityKind::parameter},     {"dose", EntityKind::parameter},
                          {"uptake", EntityKind::other}};

std::vector<std::string> errors_of(const ProblemFolder& folder) {
  Diagnostics diagnostics;
  check_against_models(folder.read(), {model}, diagnostics);
  std::vector<std::string> messages;
  for (const auto& error : diagnostics.errors()) messages.push_back(folder.shorten(error.what()));
  return messages;
}

ProblemFolder with_parameter(const std::string& id) {
  ProblemFolder folder;
  folder.write("parameters.tsv",
               "parameterId\tparameterScale\tlowerBound\tupperBound\tnominalValue\testimate\n"
               "k1\tlin\t0\t1\t1\t1\nsigma\tlin\t0\t1\t1\t1\n" +
                   id + "\tlin\t0\t1\t1\t1\n");
  return folder;
}

ProblemFolder with_formula(const std::string& formula) {
  ProblemFolder folder;
  folder.write("observables.tsv",
               "observableId\tobservableFormula\tnoiseFormula\n"
               "y\tobservableParameter1_y\tnoiseParameter1_y\nz\t" +
                   formula + "\t1\n");
  return folder;
}

ProblemFolder with_condition(const std::string& column, const std::string& value) {
  ProblemFolder folder;
  folder.write("conditions.tsv", "conditionId\t" + column + "\nrest\t0\ndrug\t" + value + "\n");
  return folder;
}

}  // namespace

TEST(CheckAgainstModel, a_problem_that_fits_its_model_passes) {
  EXPECT_THAT(errors_of(ProblemFolder()), ElementsAre());
}

TEST(CheckAgainstModel, formulas_use_what_is_known) {
  EXPECT_THAT(errors_of(with_formula("A * k2 + B + cell + uptake + time + sigma")), ElementsAre());
  EXPECT_THAT(errors_of(with_formula("A * offset")),
              ElementsAre(StartsWith("observables.tsv:3: unknown id 'offset' in observableFormula")));
}

TEST(CheckAgainstModel, placeholders_of_another_observable_are_unknown) {
  EXPECT_THAT(
      errors_of(with_formula("A * observableParameter1_y")),
      ElementsAre(StartsWith("observables.tsv:3: unknown id 'observableParameter1_y' in observableFormula")));
}

TEST(CheckAgainstModel, observables_do_not_take_ids_of_the_model) {
  ProblemFolder folder;
  folder.write("observables.tsv", "observableId\tobservableFormula\tnoiseFormula\nA\tA\t1\n");
  folder.write("measurements.tsv", "observableId\tsimulationConditionId\tmeasurement\ttime\n");
  folder.write("parameters.tsv",
               "parameterId\tparameterScale\tlowerBound\tupperBound\testimate\nk1\tlin\t0\t1\t1\n");
  EXPECT_THAT(errors_of(folder),
              ElementsAre(StartsWith("observables.tsv:2: observable 'A' has the id of a model entity")));
}

TEST(CheckAgainstModel, conditions_set_parameters_initial_values_and_sizes) {
  for (const char* column : {"A", "cell", "dose"})
    EXPECT_THAT(errors_of(with_condition(column, "1")), ElementsAre()) << column;
  EXPECT_THAT(
      errors_of(with_condition("B", "1")),
      ElementsAre(StartsWith("conditions.tsv:1: condition column 'B' is given by a rule or a reaction")));
  EXPECT_THAT(errors_of(with_condition("uptake", "1")),
              ElementsAre(StartsWith("conditions.tsv:1: condition column 'uptake'")));
  EXPECT_THAT(errors_of(with_condition("C", "1")),
              ElementsAre(StartsWith("conditions.tsv:1: condition column 'C' is unknown")));
}

TEST(CheckAgainstModel, a_condition_may_set_a_parameter_that_only_observables_have) {
  ProblemFolder folder = with_formula("A * offset");
  folder.write("conditions.tsv", "conditionId\toffset\nrest\t0\ndrug\t1\n");
  EXPECT_THAT(errors_of(folder), ElementsAre());
}

TEST(CheckAgainstModel, values_of_conditions_are_parameters) {
  EXPECT_THAT(errors_of(with_condition("dose", "k2")), ElementsAre());
  EXPECT_THAT(errors_of(with_condition("dose", "k9")),
              ElementsAre(StartsWith("conditions.tsv:3: 'k9', the value of 'dose', is unknown")));
  EXPECT_THAT(errors_of(with_condition("dose", "A")),
              ElementsAre(StartsWith("conditions.tsv:3: 'A', the value of 'dose', is a state")));
}

TEST(CheckAgainstModel, parameters_are_used_and_may_be_set) {
  EXPECT_THAT(errors_of(with_parameter("k2")), ElementsAre());
  EXPECT_THAT(errors_of(with_parameter("k9")),
              ElementsAre(StartsWith("parameters.tsv:4: parameter 'k9' is used nowhere")));
  EXPECT_THAT(errors_of(with_parameter("A")),
              ElementsAre(StartsWith("parameters.tsv:4: 'A' in the parameter table is a state")));
  EXPECT_THAT(errors_of(with_parameter("B")),
              ElementsAre(StartsWith("parameters.tsv:4: 'B' in the parameter table is given by")));
}
