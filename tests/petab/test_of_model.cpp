#include <gmock/gmock.h>

#include "petab/check.hpp"
#include "problem_folder.hpp"

using namespace kinetune::petab;
using testing::ElementsAre;
using testing::StartsWith;

namespace {

/// Version 2, with models a and b.
class TwoModels : public testing::Test {
 protected:
  TwoModels() {
    folder.write(
        "problem.yaml",
        "format_version: 2.0.0\nparameter_files: [parameters.tsv]\n"
        "model_files:\n  a: {language: sbml, location: a.xml}\n  b: {language: sbml, location: b.xml}\n"
        "condition_files: [conditions.tsv]\nexperiment_files: [experiments.tsv]\n"
        "observable_files: [observables.tsv]\nmeasurement_files: [measurements.tsv]\n");
    folder.write("a.xml", "<sbml/>").write("b.xml", "<sbml/>");
    folder.write("parameters.tsv",
                 "parameterId\tlowerBound\tupperBound\tnominalValue\testimate\n"
                 "k\t0\t10\t0.5\ttrue\nonly_b\t0\t10\t0.5\ttrue\n");
    folder.write("conditions.tsv", "conditionId\ttargetId\ttargetValue\nhigh\tdose\t1\nin_b\tinput\tk\n");
    folder.write("experiments.tsv", "experimentId\ttime\tconditionId\ne\t0\thigh\nf\t0\tin_b\n");
    folder.write("observables.tsv", "observableId\tobservableFormula\tnoiseFormula\ny\tA\t0.1\nz\tB\t0.2\n");
    folder.write("measurements.tsv",
                 "modelId\tobservableId\texperimentId\tmeasurement\ttime\n"
                 "a\ty\te\t1\t1\nb\tz\tf\t2\t2\nb\ty\te\t3\t3\n");
  }

  std::vector<std::string> errors_with(const std::vector<ModelEntities>& entities) {
    Diagnostics diagnostics;
    check_against_models(folder.read(), entities, diagnostics);
    std::vector<std::string> messages;
    for (const auto& error : diagnostics.errors()) messages.push_back(folder.shorten(error.what()));
    return messages;
  }

  ProblemFolder folder;
  ModelEntities a{{"A", EntityKind::state}, {"k", EntityKind::parameter}, {"dose", EntityKind::parameter}};
  ModelEntities b{{"A", EntityKind::state},
                  {"B", EntityKind::state},
                  {"only_b", EntityKind::parameter},
                  {"input", EntityKind::parameter},
                  {"dose", EntityKind::state}};
};

template <class Entry>
std::vector<std::string> ids(const std::vector<Entry>& entries) {
  std::vector<std::string> result;
  for (const Entry& entry : entries) result.push_back(entry.id);
  return result;
}

}  // namespace

TEST_F(TwoModels, each_have_what_their_measurements_ask_for) {
  const Problem problem = folder.read();
  const Problem of_a = of_model(problem, problem.models[0]), of_b = of_model(problem, problem.models[1]);

  EXPECT_THAT(ids(of_a.observables), ElementsAre("y"));
  EXPECT_THAT(ids(of_a.experiments), ElementsAre("e"));
  EXPECT_THAT(ids(of_a.conditions), ElementsAre("high"));
  EXPECT_THAT(ids(of_a.condition_targets), ElementsAre("dose"));
  EXPECT_THAT(ids(of_a.parameters), ElementsAre("k", "only_b"));
  EXPECT_THAT(ids(of_b.observables), ElementsAre("y", "z"));
  ASSERT_EQ(of_b.measurements.size(), 2u);
  EXPECT_EQ(of_b.measurements[1].row, 2);
  EXPECT_EQ(of_b.measurements[1].simulation_id(), "b/e");
}

TEST_F(TwoModels, need_to_fit_their_own_measurements_alone) {
  EXPECT_THAT(errors_with({a, b}), ElementsAre());

  auto without_input = b, with_k_as_state = b, without_only_b = b;
  without_input.erase("input");
  EXPECT_THAT(errors_with({a, without_input}),
              ElementsAre(StartsWith("conditions.tsv:3: targetId 'input' is unknown to the model b")));
  with_k_as_state.emplace("k", EntityKind::state);
  EXPECT_THAT(errors_with({a, with_k_as_state}),
              ElementsAre(StartsWith("parameters.tsv:2: 'k' in the parameter")));
  without_only_b.erase("only_b");
  EXPECT_THAT(errors_with({a, without_only_b}),
              ElementsAre(StartsWith("parameters.tsv:3: parameter 'only_b' is used nowhere")));
}

TEST_F(TwoModels, must_be_named_by_every_measurement) {
  folder.write("measurements.tsv", "observableId\texperimentId\tmeasurement\ttime\ny\te\t1\t1\n");
  EXPECT_THAT(folder.errors(), ElementsAre(StartsWith("measurements.tsv:1: no column 'modelId'")));

  folder.write("measurements.tsv",
               "modelId\tobservableId\texperimentId\tmeasurement\ttime\n\ty\te\t1\t1\nc\ty\te\t1\t1\n");
  EXPECT_THAT(folder.errors(), ElementsAre(StartsWith("measurements.tsv:2: modelId"),
                                           StartsWith("measurements.tsv:3: unknown model 'c'")));
}

TEST(OfModel, the_problems_of_a_version_1_file_have_tables_of_their_own) {
  ProblemFolder folder;
  folder.write(
      "problem.yaml",
      "format_version: 1\nparameter_file: parameters.tsv\nproblems:\n"
      "- sbml_files: [model.xml]\n  condition_files: [conditions.tsv]\n"
      "  observable_files: [observables.tsv]\n  measurement_files: [measurements.tsv]\n"
      "- sbml_files: [other.xml]\n  condition_files: [other_conditions.tsv]\n"
      "  observable_files: [other_observables.tsv]\n  measurement_files: [other_measurements.tsv]\n");
  folder.write("other.xml", "<sbml/>");
  folder.write("other_conditions.tsv", "conditionId\tdose\ndrug\t3\n");  // the same ids, with another meaning
  folder.write("other_observables.tsv", "observableId\tobservableFormula\tnoiseFormula\ny\tB\tsigma\n");
  folder.write("other_measurements.tsv",
               "observableId\tsimulationConditionId\tmeasurement\ttime\ny\tdrug\t4\t5\n");
  EXPECT_THAT(folder.errors(), ElementsAre());
  const Problem problem = folder.read();
  ASSERT_EQ(problem.models.size(), 2u);
  const Problem second = of_model(problem, problem.models[1]);

  EXPECT_EQ(second.models.front().file, folder.path("other.xml"));
  EXPECT_THAT(ids(second.conditions), ElementsAre("drug"));
  EXPECT_EQ(std::get<double>(second.condition("drug")->overrides.front().value), 3.0);
  ASSERT_EQ(second.measurements.size(), 1u);
  EXPECT_EQ(second.measurements.front().row, 2);
  EXPECT_EQ(second.measurements.front().simulation_id(), "2/drug");
  EXPECT_EQ(problem.observable_of(second.measurements.front()).formula.text, "B");
  EXPECT_EQ(of_model(problem, problem.models[0]).conditions.size(), 2u);
  EXPECT_EQ(problem.inputs.size(), 10u);
}
