#include <cmath>
#include <limits>

#include <gmock/gmock.h>

#include "petab/check.hpp"
#include "petab/problem_folder.hpp"

using namespace kinetune::petab;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

namespace {

/// A small valid problem; each test then spoils what it is about.
class Version2 : public testing::Test {
 protected:
  ProblemFolder folder;

  void SetUp() override {
    folder.write("problem.yaml",
                 "format_version: 2.0.0\n"
                 "parameter_files: [parameters.tsv]\n"
                 "model_files:\n  m:\n    language: sbml\n    location: model.xml\n"
                 "condition_files: [conditions.tsv]\n"
                 "experiment_files: [experiments.tsv]\n"
                 "observable_files: [observables.tsv]\n"
                 "measurement_files: [measurements.tsv]\n"
                 "mapping_files: [mapping.tsv]\n");
    folder.write(
        "parameters.tsv",
        "parameterId\tlowerBound\tupperBound\tnominalValue\testimate\tpriorDistribution\tpriorParameters\n"
        "k1\t0\t10\t0.5\ttrue\tgamma\t3;5\n"
        "k2\t1\t5\t\ttrue\t\t\n"
        "sigma\t\t\t0.1\tfalse\t\t\n");
    folder.write(
        "conditions.tsv",
        "conditionId\ttargetId\ttargetValue\nrest\tdose\t0\ndrug\tdose\tk1 + 2\ndrug\tA\tA + dose\n");
    folder.write("experiments.tsv",
                 "experimentId\ttime\tconditionId\ne\t5\tdrug\ne\t-inf\trest\nplain\t0\t\n");
    folder.write("observables.tsv",
                 "observableId\tobservableFormula\tnoiseFormula\tnoiseDistribution\tobservablePlaceholders\t"
                 "noisePlaceholders\n"
                 "y\tscale * A + k2\tnoise * y\tlog-laplace\tscale\tnoise\n"
                 "z\tA + 1\t0.2\t\t\t\n");
    folder.write(
        "measurements.tsv",
        "modelId\tobservableId\texperimentId\tmeasurement\ttime\tobservableParameters\tnoiseParameters\n"
        "m\ty\te\t1.5\t6\tk1\tsigma\n"
        "\tz\t\t-1\tinf\t\t\n");
    folder.write("mapping.tsv", "petabEntityId\tmodelEntityId\nlocal\tr1.k\nremark\t\n");
  }

  /// The errors after a file is replaced.
  std::vector<std::string> errors_with(const std::string& file, const std::string& text) {
    folder.write(file, text);
    return folder.errors();
  }
};

}  // namespace

TEST_F(Version2, tables_are_read) {
  const Problem problem = folder.read();

  EXPECT_EQ(problem.format_version, 2);
  EXPECT_EQ(problem.models.front().id, "m");
  ASSERT_EQ(problem.conditions.size(), 2u);
  ASSERT_EQ(problem.conditions[1].overrides.size(), 2u);
  EXPECT_EQ(problem.conditions[1].overrides[0].formula->text, "k1 + 2");
  EXPECT_EQ(problem.conditions[1].overrides[1].where.line, 4);
  EXPECT_EQ(problem.condition_targets.size(), 2u);
  ASSERT_EQ(problem.experiments.size(), 2u);
  const Experiment& e = problem.experiments[0];
  ASSERT_EQ(e.periods.size(), 2u);
  EXPECT_EQ(e.periods[0].time, -std::numeric_limits<double>::infinity());
  EXPECT_THAT(e.periods[0].condition_ids, ElementsAre("rest"));
  EXPECT_EQ(e.periods[1].time, 5.0);
  EXPECT_TRUE(problem.experiments[1].periods[0].condition_ids.empty());
  const Observable& y = *problem.observable("y");
  EXPECT_EQ(y.transformation, Scale::log);
  EXPECT_EQ(y.noise_distribution, NoiseDistribution::laplace);
  EXPECT_THAT(y.observable_placeholders, ElementsAre("scale"));
  EXPECT_THAT(y.noise_placeholders, ElementsAre("noise"));
  EXPECT_EQ(problem.measurements[0].simulation_id(), "e");
  EXPECT_EQ(problem.measurements[1].simulation_id(), "");
  ASSERT_EQ(problem.mappings.size(), 2u);
  EXPECT_EQ(problem.mappings[0].model_id, "r1.k");
}

TEST_F(Version2, bounds_truncate_priors_and_parameters_without_one_have_a_uniform_one) {
  const Problem problem = folder.read();
  const Prior& k1 = *problem.parameter("k1")->objective_prior;
  EXPECT_EQ(k1.type, PriorType::gamma);
  EXPECT_EQ(k1.truncated_below, 0.0);
  EXPECT_EQ(k1.truncated_above, 10.0);
  const Prior& k2 = *problem.parameter("k2")->objective_prior;
  EXPECT_EQ(k2.type, PriorType::uniform);
  EXPECT_EQ(k2.first, 1.0);
  EXPECT_EQ(k2.second, 5.0);
  EXPECT_FALSE(problem.parameter("sigma")->objective_prior);
}

TEST_F(Version2, starts_are_drawn_from_the_priors_that_the_table_states) {
  const Problem problem = folder.read();
  ASSERT_TRUE(problem.parameter("k1")->initialization_prior);
  EXPECT_EQ(problem.parameter("k1")->initialization_prior->type, PriorType::gamma);
  EXPECT_FALSE(problem.parameter("k2")->initialization_prior);
  EXPECT_FALSE(problem.parameter("sigma")->initialization_prior);
}

TEST_F(Version2, without_any_prior_there_is_none) {
  folder.write("parameters.tsv",
               "parameterId\tlowerBound\tupperBound\tnominalValue\testimate\n"
               "k1\t0\t10\t0.5\ttrue\nk2\t1\t5\t\ttrue\nsigma\t\t\t0.1\tfalse\n");
  EXPECT_FALSE(folder.read().parameter("k1")->objective_prior);
}

TEST_F(Version2, what_is_not_supported_is_refused_by_name_and_line) {
  const std::string head = "format_version: 2.0.0\nparameter_files: [parameters.tsv]\n";
  EXPECT_THAT(errors_with("problem.yaml", head + "model_files: {m: {language: bngl, location: m.bngl}}\n"),
              ElementsAre(StartsWith("problem.yaml:3: models in language 'bngl' are not supported")));
  EXPECT_THAT(errors_with("problem.yaml", head + "model_files:\n  a: {language: sbml, location: a.xml}\n"
                                                 "  a: {language: sbml, location: b.xml}\n"),
              ElementsAre(StartsWith("problem.yaml:5: model 'a' is defined twice")));
  EXPECT_THAT(errors_with("problem.yaml", head + "extensions:\n  sciml: {version: 1.0.0, required: true}\n"),
              ElementsAre(StartsWith("problem.yaml:4: extension 'sciml' is not supported")));
  EXPECT_THAT(errors_with("problem.yaml", head + "sbml_files: [m.xml]\n"),
              ElementsAre(StartsWith("problem.yaml:3: unknown entry 'sbml_files'")));
}

TEST_F(Version2, conditions_that_contradict_themselves_are_reported) {
  EXPECT_THAT(errors_with("conditions.tsv",
                          "conditionId\ttargetId\ttargetValue\nrest\tdose\t0\nrest\tdose\t1\n"
                          "drug\tA\tA +\n"),
              ElementsAre(AllOf(StartsWith("conditions.tsv:4: formula 'A +'"), HasSubstr("found the end")),
                          StartsWith("conditions.tsv:3: condition 'rest' sets 'dose' twice"),
                          StartsWith("experiments.tsv:2: unknown condition 'drug'")));
  EXPECT_THAT(errors_with("conditions.tsv", "conditionId\ttargetId\ttargetValue\nrest\tk1\t0\ndrug\tA\t1\n"),
              ElementsAre(StartsWith("parameters.tsv:2: 'k1' is a parameter and set by conditions")));
}

TEST_F(Version2, experiments_that_contradict_themselves_are_reported) {
  EXPECT_THAT(
      errors_with("experiments.tsv",
                  "experimentId\ttime\tconditionId\ne\t0\tdrug\ne\t0\trest\ne\tinf\trest\nplain\t0\t\n"),
      ElementsAre(
          StartsWith("experiments.tsv:4: an experiment's time is infinite"),
          AllOf(StartsWith("conditions.tsv:4: condition 'drug' begins an experiment"), HasSubstr("'A'")),
          AllOf(StartsWith("conditions.tsv:4: condition 'drug' begins an experiment"), HasSubstr("'dose'")),
          StartsWith("experiments.tsv:2: experiment 'e' sets 'dose' twice at time 0")));
}

TEST_F(Version2, observables_that_contradict_themselves_are_reported) {
  const std::string head =
      "observableId\tobservableFormula\tnoiseFormula\tobservablePlaceholders\tnoisePlaceholders\n";
  EXPECT_THAT(
      errors_with("observables.tsv", head + "y\tk1 + z + noise\tz + scale\tscale;k1\tnoise\nz\tA\t1\t\t\n"),
      testing::UnorderedElementsAre(
          StartsWith("observables.tsv:2: placeholder 'k1' has a meaning already"),
          StartsWith("observables.tsv:2: observable 'z' in observableFormula"),
          StartsWith("observables.tsv:2: noise placeholder 'noise' in observableFormula"),
          StartsWith("observables.tsv:2: observable 'z' in noiseFormula"),
          StartsWith("measurements.tsv:2: 1 entries in observableParameters where 'y' has 2")));
}

TEST_F(Version2, measurements_that_lead_nowhere_are_reported) {
  EXPECT_THAT(errors_with("measurements.tsv",
                          "modelId\tobservableId\texperimentId\tmeasurement\ttime\n"
                          "other\tz\t\t1\t0\n\tz\tnone\t1\t0\n\tz\te\t1\t-inf\n\tx\te\tinf\t1\n"),
              testing::UnorderedElementsAre(StartsWith("measurements.tsv:2: unknown model 'other'"),
                                            StartsWith("measurements.tsv:3: unknown experiment 'none'"),
                                            StartsWith("measurements.tsv:4: the time is -inf"),
                                            StartsWith("measurements.tsv:5: the measurement is infinite"),
                                            StartsWith("measurements.tsv:5: unknown observable 'x'")));
}

TEST_F(Version2, measurements_without_a_logarithm_are_reported) {
  EXPECT_THAT(
      errors_with("measurements.tsv",
                  "observableId\texperimentId\tmeasurement\ttime\tobservableParameters\tnoiseParameters\n"
                  "y\te\t0\t6\tk1\tsigma\n"),
      ElementsAre(AllOf(StartsWith("measurements.tsv:2: measurement 0 of 'y' has no logarithm"),
                        HasSubstr("noiseDistribution"))));
}

TEST_F(Version2, parameters_that_contradict_themselves_are_reported) {
  const std::string head =
      "parameterId\tlowerBound\tupperBound\tnominalValue\testimate\tpriorDistribution\tpriorParameters\n";
  EXPECT_THAT(errors_with("parameters.tsv", head + "k1\t0\t10\t1\tTRUE\t\t\n"
                                                   "k2\t5\t1\t\ttrue\t\t\n"
                                                   "time\t0\t1\t1\ttrue\texponential\t1;2\n"
                                                   "b\t0\t1\t1\ttrue\tgamma\t-1;2\n"
                                                   "c\t0\t1\t1\ttrue\tlaplace-like\t1;2\n"
                                                   "d\t\t1\t1\ttrue\t\t3\n"
                                                   "sigma\t\t\t\tfalse\t\t\n"),
              testing::UnorderedElementsAre(
                  AllOf(StartsWith("parameters.tsv:2: estimate is 'TRUE'"), HasSubstr("one of true, false")),
                  StartsWith("parameters.tsv:3: lower bound of 'k2' above"),
                  StartsWith("parameters.tsv:4: priorParameters '1;2'"),
                  StartsWith("parameters.tsv:4: 'time' is a name that PEtab keeps for itself"),
                  StartsWith("parameters.tsv:5: the prior's shape is not positive"),
                  StartsWith("parameters.tsv:6: priorDistribution is 'laplace-like'"),
                  StartsWith("parameters.tsv:7: lowerBound is empty"),
                  StartsWith("parameters.tsv:7: priorParameters without priorDistribution"),
                  StartsWith("parameters.tsv:8: nominalValue is empty")));
}

TEST_F(Version2, a_mapping_of_what_has_a_valid_id_is_reported) {
  EXPECT_THAT(errors_with("mapping.tsv", "petabEntityId\tmodelEntityId\nlocal\tk9\n"),
              ElementsAre(StartsWith("mapping.tsv:2: 'local' is another name for 'k9'")));
}

TEST_F(Version2, a_mapping_that_is_given_twice_is_reported) {
  EXPECT_THAT(errors_with("mapping.tsv", "petabEntityId\tmodelEntityId\nlocal\tr1.k\nlocal\tr2.k\n"),
              ElementsAre(StartsWith("mapping.tsv:3: mapping 'local' is defined twice")));
}

TEST_F(Version2, the_model_must_have_what_the_tables_name) {
  const Problem problem = folder.read();
  ModelEntities entities{{"A", EntityKind::state},
                         {"dose", EntityKind::parameter},
                         {"k1", EntityKind::parameter},
                         {"k2", EntityKind::parameter},
                         {"local", EntityKind::parameter}};
  const auto errors = [&] {
    Diagnostics diagnostics;
    check_against_models(problem, {entities}, diagnostics);
    std::vector<std::string> messages;
    for (const auto& error : diagnostics.errors()) messages.push_back(folder.shorten(error.what()));
    return messages;
  };
  EXPECT_THAT(errors(), ElementsAre());

  entities.erase("local");
  EXPECT_THAT(errors(), ElementsAre(StartsWith("mapping.tsv:2: 'r1.k' is unknown to the model")));
  entities.emplace("local", EntityKind::parameter);
  entities.emplace("scale", EntityKind::state);
  EXPECT_THAT(errors(), ElementsAre(StartsWith("observables.tsv:2: placeholder 'scale' is a state")));
  entities.erase("scale");
  entities.at("dose") = EntityKind::assigned;
  EXPECT_THAT(errors(), ElementsAre(StartsWith("conditions.tsv:2: targetId 'dose' is given by")));
}
