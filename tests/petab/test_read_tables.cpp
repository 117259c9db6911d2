#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "petab/read_tables.hpp"
#include "problem_folder.hpp"

using namespace kinetune::petab;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

namespace {

const std::string parameter_header =
    "parameterId\tparameterScale\tlowerBound\tupperBound\tnominalValue\testimate\n";

/// What is wrong with a problem whose parameter table ends with this row.
std::vector<std::string> errors_of_parameter(const std::string& row) {
  return ProblemFolder()
      .write("parameters.tsv",
             parameter_header + "k1\tlin\t0\t1\t1\t1\nsigma\tlin\t0\t1\t1\t1\n" + row + "\n")
      .errors();
}

std::vector<std::string> errors_of_prior(const std::string& type, const std::string& parameters) {
  return ProblemFolder()
      .write("parameters.tsv",
             "parameterId\tparameterScale\tlowerBound\tupperBound\testimate\tobjectivePriorType\t"
             "objectivePriorParameters\nk1\tlog10\t1\t10\t1\t" +
                 type + "\t" + parameters + "\nsigma\tlin\t0\t1\t1\t\t\n")
      .errors();
}

std::vector<std::string> errors_of_observable(const std::string& row) {
  return ProblemFolder()
      .write("measurements.tsv", "observableId\tsimulationConditionId\tmeasurement\ttime\n")
      .write("observables.tsv",
             "observableId\tobservableFormula\tnoiseFormula\tobservableTransformation\tnoiseDistribution\n" +
                 row + "\n")
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

TEST(ReadTables, a_required_column_that_is_absent_is_named) {
  EXPECT_THAT(ProblemFolder().write("parameters.tsv", "parameterId\tlowerBound\n").errors(),
              ElementsAre(StartsWith("parameters.tsv:1: no column 'parameterScale'")));
  EXPECT_THAT(ProblemFolder().write("conditions.tsv", "condition\n").errors(),
              ElementsAre(StartsWith("conditions.tsv:1: no column 'conditionId'")));
  EXPECT_THAT(ProblemFolder().write("observables.tsv", "observableId,observableFormula\n").errors(),
              ElementsAre(StartsWith("observables.tsv:1: no column 'observableId'")));
  EXPECT_THAT(
      ProblemFolder().write("measurements.tsv", "observableId\tsimulationConditionId\ttime\n").errors(),
      ElementsAre(StartsWith("measurements.tsv:1: no column 'measurement'")));
}

TEST(ReadTables, extra_columns_are_ignored) {
  ProblemFolder folder;
  folder.write("parameters.tsv",
               "parameterId\tparameterScale\tlowerBound\tupperBound\tnominalValue\testimate\tcomment\n"
               "k1\tlin\t0\t1\t1\t1\tfrom the literature\nsigma\tlin\t0\t1\t1\t1.0\t\n");
  EXPECT_THAT(folder.errors(), ElementsAre());
}

TEST(ReadTables, parameter_cells_are_checked) {
  EXPECT_THAT(errors_of_parameter("2k\tlin\t0\t1\t1\t1"),
              ElementsAre(StartsWith("parameters.tsv:4: parameterId '2k' is no valid id")));
  EXPECT_THAT(errors_of_parameter("\tlin\t0\t1\t1\t1"),
              ElementsAre(StartsWith("parameters.tsv:4: parameterId is empty")));
  EXPECT_THAT(errors_of_parameter("k\tln\t0\t1\t1\t1"),
              ElementsAre(StartsWith("parameters.tsv:4: parameterScale is 'ln'; one of lin, log, log10")));
  EXPECT_THAT(errors_of_parameter("k\tlin\tlow\t1\t1\t1"),
              ElementsAre(StartsWith("parameters.tsv:4: lowerBound 'low' is not a number")));
  EXPECT_THAT(errors_of_parameter("k\tlin\t0\t1,5\t1\t1"),
              ElementsAre(StartsWith("parameters.tsv:4: upperBound '1,5' is not")));
  EXPECT_THAT(errors_of_parameter("k\tlin\t\t1\t1\t1"),
              ElementsAre(StartsWith("parameters.tsv:4: lowerBound is empty")));
  EXPECT_THAT(errors_of_parameter("k\tlin\t0\t1\t1\ttrue"),
              ElementsAre(StartsWith("parameters.tsv:4: estimate is 'true'")));
  EXPECT_THAT(errors_of_parameter("k\tlin\t0\t1\t\t0"),
              ElementsAre(StartsWith("parameters.tsv:4: nominalValue is empty")));
}

TEST(ReadTables, every_prior_type_is_known) {
  for (const char* type : {"uniform", "normal", "laplace", "logNormal", "logLaplace", "parameterScaleUniform",
                           "parameterScaleNormal", "parameterScaleLaplace"}) {
    EXPECT_THAT(errors_of_prior(type, "0.5; 2"), ElementsAre()) << type;
  }
}

TEST(ReadTables, prior_parameters_are_checked) {
  EXPECT_THAT(errors_of_prior("gamma", "1;2"),
              ElementsAre(StartsWith("parameters.tsv:2: objectivePriorType is 'gamma'")));
  EXPECT_THAT(errors_of_prior("normal", ""),
              ElementsAre(StartsWith("parameters.tsv:2: objectivePriorParameters is empty")));
  for (const char* parameters : {"1", "1;2;3", "1;x", ";"}) {
    EXPECT_THAT(errors_of_prior("normal", parameters), ElementsAre(HasSubstr("are not two numbers")))
        << parameters;
  }
  EXPECT_THAT(errors_of_prior("laplace", "1;0"), ElementsAre(HasSubstr("a scale that is not positive")));
  EXPECT_THAT(errors_of_prior("parameterScaleNormal", "nan;1"), ElementsAre(HasSubstr("not finite")));
  EXPECT_THAT(errors_of_prior("uniform", "2;1"), ElementsAre(HasSubstr("are no interval")));
}

TEST(ReadTables, condition_cells_are_numbers_or_ids) {
  EXPECT_THAT(
      ProblemFolder().write("conditions.tsv", "conditionId\tdose\nrest\t0\ndrug\t2 * k1\n").errors(),
      ElementsAre(StartsWith("conditions.tsv:3: '2 * k1' in dose is neither a finite number nor an id")));
  EXPECT_THAT(ProblemFolder().write("conditions.tsv", "conditionId\tdose\nrest\t0\ndrug\tinf\n").errors(),
              ElementsAre(StartsWith("conditions.tsv:3: 'inf' in dose")));
  EXPECT_THAT(ProblemFolder().write("conditions.tsv", "conditionId\tdose (mM)\nrest\t0\n").errors(),
              ElementsAre(StartsWith("conditions.tsv:1: column 'dose (mM)' is no valid id")));
}

TEST(ReadTables, observable_cells_are_checked) {
  EXPECT_THAT(errors_of_observable("y-1\tA\t1"),
              ElementsAre(StartsWith("observables.tsv:2: observableId 'y-1' is no valid id")));
  EXPECT_THAT(errors_of_observable("y\t\t1"),
              ElementsAre(StartsWith("observables.tsv:2: observableFormula is empty")));
  EXPECT_THAT(errors_of_observable("y\tA\t"),
              ElementsAre(StartsWith("observables.tsv:2: noiseFormula is empty")));
  EXPECT_THAT(errors_of_observable("y\tA +\t1"),
              ElementsAre(StartsWith("observables.tsv:2: formula 'A +', column 4")));
  EXPECT_THAT(errors_of_observable("y\tA\t2 - 2"),
              ElementsAre(StartsWith("observables.tsv:2: noiseFormula is 0")));
  EXPECT_THAT(errors_of_observable("y\tA\tinf"),
              ElementsAre(StartsWith("observables.tsv:2: noiseFormula is inf")));
  EXPECT_THAT(errors_of_observable("y\tA\t1\tlog2"),
              ElementsAre(HasSubstr("observableTransformation is 'log2'")));
  EXPECT_THAT(errors_of_observable("y\tA\t1\tlog\tcauchy"),
              ElementsAre(HasSubstr("noiseDistribution is 'cauchy'; one of normal, laplace")));
}

TEST(ReadTables, placeholders_are_numbered_from_one_and_of_their_formulas_kind) {
  EXPECT_THAT(errors_of_observable("y\tobservableParameter2_y * A\t1"),
              ElementsAre(AllOf(
                  StartsWith("observables.tsv:2: 1 placeholders of y, but no observableParameter1_y"))));
  EXPECT_THAT(errors_of_observable("y\tobservableParameter01_y * A\t1"),
              ElementsAre(HasSubstr("no observableParameter1_y")));
  EXPECT_THAT(errors_of_observable("y\tnoiseParameter1_y * A\t1"),
              ElementsAre(HasSubstr("noiseParameter1_y stands in observableFormula")));
}

TEST(ReadTables, noise_formulas_may_use_observable_placeholders) {
  ProblemFolder folder;
  folder.write("observables.tsv",
               "observableId\tobservableFormula\tnoiseFormula\n"
               "y\tobservableParameter1_y * A\tnoiseParameter1_y * observableParameter1_y * A\nz\tA\t1\n");
  const Problem problem = folder.read();
  EXPECT_EQ(problem.observable("y")->observable_placeholders.size(), 1u);
  EXPECT_EQ(problem.observable("y")->noise_placeholders.size(), 1u);
}

TEST(ReadTables, measurement_cells_are_checked) {
  EXPECT_THAT(errors_of_measurement("z\tdrug\t\t0"),
              ElementsAre(StartsWith("measurements.tsv:2: measurement is empty")));
  EXPECT_THAT(errors_of_measurement("z\tdrug\tNaN\t0"),
              ElementsAre(StartsWith("measurements.tsv:2: measurement is empty")));
  EXPECT_THAT(errors_of_measurement("z\tdrug\tinf\t0"),
              ElementsAre(StartsWith("measurements.tsv:2: the measurement is infinite")));
  EXPECT_THAT(errors_of_measurement("z\tdrug\tlow\t0"),
              ElementsAre(StartsWith("measurements.tsv:2: measurement 'low' is not a number")));
  EXPECT_THAT(errors_of_measurement("z\tdrug\t1\t-1"),
              ElementsAre(StartsWith("measurements.tsv:2: the time is negative")));
  EXPECT_THAT(errors_of_measurement("z\tdrug\t1\t"),
              ElementsAre(StartsWith("measurements.tsv:2: time is empty")));
  EXPECT_THAT(errors_of_measurement("z\t\t1\t0"),
              ElementsAre(StartsWith("measurements.tsv:2: simulationConditionId is empty")));
  EXPECT_THAT(errors_of_measurement("y\tdrug\t1\t0\t\t2;\t1"),
              ElementsAre(StartsWith("measurements.tsv:2: '' in observableParameters is neither"),
                          HasSubstr("2 entries")));
}
