#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "petab/check.hpp"
#include "problem_folder.hpp"

using namespace kinetune::petab;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

namespace {

std::vector<std::string> errors_of_bounds(const std::string& scale, const std::string& lower,
                                          const std::string& upper, const std::string& estimate = "1") {
  return ProblemFolder()
      .write("parameters.tsv",
             "parameterId\tparameterScale\tlowerBound\tupperBound\tnominalValue\testimate\nk1\t" + scale +
                 "\t" + lower + "\t" + upper + "\t1\t" + estimate + "\nsigma\tlin\t0\t1\t1\t1\n")
      .errors();
}

std::vector<std::string> errors_of_measurement(const std::string& row) {
  return ProblemFolder()
      .write("measurements.tsv",
             "observableId\tsimulationConditionId\tmeasurement\ttime\tpreequilibrationConditionId\tobservable"
             "Parameters\t"
             "noiseParameters\n" +
                 row + "\n")
      .errors();
}

}  // namespace

TEST(CheckTables, bounds_fit_their_scale_and_each_other) {
  EXPECT_THAT(errors_of_bounds("lin", "2", "1"),
              ElementsAre(StartsWith("parameters.tsv:2: lower bound of 'k1' above its upper bound")));
  EXPECT_THAT(errors_of_bounds("log10", "-1", "1"),
              ElementsAre(StartsWith("parameters.tsv:2: bound of 'k1' below zero on a log scale")));
  EXPECT_THAT(errors_of_bounds("log", "0", "1"), ElementsAre(HasSubstr("at zero on a log scale")));
  EXPECT_THAT(errors_of_bounds("lin", "-1", "1"), ElementsAre());
  EXPECT_THAT(errors_of_bounds("log10", "-1", "1", "0"), ElementsAre());  // fixed: its bounds are not used
}

TEST(CheckTables, ids_are_defined_once) {
  EXPECT_THAT(ProblemFolder()
                  .write("parameters.tsv",
                         "parameterId\tparameterScale\tlowerBound\tupperBound\tnominalValue\testimate\n"
                         "k1\tlin\t0\t1\t1\t1\nsigma\tlin\t0\t1\t1\t1\nk1\tlin\t0\t1\t1\t1\n")
                  .errors(),
              ElementsAre(StartsWith("parameters.tsv:4: parameter 'k1' is defined twice")));
  EXPECT_THAT(ProblemFolder().write("conditions.tsv", "conditionId\nrest\ndrug\nrest\n").errors(),
              ElementsAre(StartsWith("conditions.tsv:4: condition 'rest' is defined twice")));
  EXPECT_THAT(ProblemFolder()
                  .write("observables.tsv",
                         "observableId\tobservableFormula\tnoiseFormula\n"
                         "y\tobservableParameter1_y\tnoiseParameter1_y\nz\tA\t1\nz\tA\t1\n")
                  .errors(),
              ElementsAre(StartsWith("observables.tsv:4: observable 'z' is defined twice")));
}

TEST(CheckTables, measurements_refer_to_what_exists) {
  EXPECT_THAT(errors_of_measurement("w\tdrug\t1\t0"),
              ElementsAre(StartsWith("measurements.tsv:2: unknown observable 'w'")));
  EXPECT_THAT(errors_of_measurement("z\tnight\t1\t0"),
              ElementsAre(StartsWith("measurements.tsv:2: unknown condition 'night'")));
  EXPECT_THAT(errors_of_measurement("z\tdrug\t1\t0\tday"),
              ElementsAre(StartsWith("measurements.tsv:2: unknown condition 'day'")));
  EXPECT_THAT(errors_of_measurement("y\tdrug\t1\t0\t\tk7\t1"),
              ElementsAre(StartsWith("measurements.tsv:2: unknown parameter 'k7' in observableParameters")));
  EXPECT_THAT(errors_of_measurement("y\tdrug\t1\t0\t\t1\tk8"),
              ElementsAre(StartsWith("measurements.tsv:2: unknown parameter 'k8' in noiseParameters")));
  EXPECT_THAT(errors_of_measurement("y\tdrug\t1\t0\t\tdose\t1"), ElementsAre());  // what a condition sets
}

TEST(CheckTables, measurements_fill_every_placeholder) {
  EXPECT_THAT(errors_of_measurement("y\tdrug\t1\t0\t\t\tsigma"),
              ElementsAre(StartsWith(
                  "measurements.tsv:2: 0 entries in observableParameters where 'y' has 1 placeholders")));
  EXPECT_THAT(errors_of_measurement("y\tdrug\t1\t0\t\t1\t1;2"),
              ElementsAre(HasSubstr("2 entries in noiseParameters")));
  EXPECT_THAT(errors_of_measurement("z\tdrug\t1\t0\t\t\t0.5"),
              ElementsAre(HasSubstr("1 entries in noiseParameters")));
}

TEST(CheckTables, measurements_on_a_log_scale_are_above_zero) {
  EXPECT_THAT(errors_of_measurement("y\tdrug\t0\t0\t\t1\t1"),
              ElementsAre(StartsWith("measurements.tsv:2: measurement 0 of 'y' has no logarithm")));
  EXPECT_THAT(errors_of_measurement("z\tdrug\t0\t0"), ElementsAre());
}

TEST(CheckTables, a_parameter_is_neither_a_condition_column_nor_a_placeholder) {
  const std::string table =
      "parameterId\tparameterScale\tlowerBound\tupperBound\tnominalValue\testimate\n"
      "k1\tlin\t0\t1\t1\t1\nsigma\tlin\t0\t1\t1\t1\n";
  EXPECT_THAT(
      ProblemFolder().write("parameters.tsv", table + "dose\tlin\t0\t1\t1\t1\n").errors(),
      ElementsAre(StartsWith("parameters.tsv:4: 'dose' is a parameter and a column of the conditions")));
  EXPECT_THAT(
      ProblemFolder().write("parameters.tsv", table + "noiseParameter1_y\tlin\t0\t1\t1\t1\n").errors(),
      ElementsAre(StartsWith("parameters.tsv:4: 'noiseParameter1_y' is a placeholder")));
  // The form alone makes no placeholder.
  EXPECT_THAT(
      ProblemFolder().write("parameters.tsv", table + "noiseParameter1_w\tlin\t0\t1\t1\t1\n").errors(),
      ElementsAre());
}
