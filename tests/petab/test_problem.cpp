#include <algorithm>
#include <cmath>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/checksum.hpp"
#include "petab/problem.hpp"
#include "problem_folder.hpp"

namespace fs = std::filesystem;
using namespace kinetune::petab;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

fs::path shared_data() {
  const char* given = std::getenv("KINETUNE_SHARED");
  return (given ? fs::path(given) : fs::path(KINETUNE_SOURCE_DIR) / ".." / "shared") / "data";
}

/// Files directly in the sub-folders of a folder.
std::vector<fs::path> problem_files(const fs::path& folder, const std::string& except_ending) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (!entry.is_directory()) continue;
    for (const auto& file : fs::directory_iterator(entry)) {
      const std::string name = file.path().filename().string();
      const bool excepted = name.size() >= except_ending.size() && name.ends_with(except_ending);
      if (file.path().extension() == ".yaml" && !excepted) files.push_back(file.path());
    }
  }
  return files;
}

}  // namespace

TEST(Problem, a_parameter_has_its_scale_bounds_and_value) {
  const Problem problem = ProblemFolder().read();

  const Parameter& k1 = *problem.parameter("k1");
  EXPECT_EQ(k1.scale, Scale::log10);
  EXPECT_EQ(k1.lower_bound, 1e-3);
  EXPECT_EQ(k1.upper_bound, 1e3);
  EXPECT_EQ(k1.nominal_value, 0.5);
  EXPECT_EQ(k1.estimate, Estimate::yes);
  EXPECT_FALSE(k1.objective_prior || k1.initialization_prior);
  EXPECT_EQ(k1.where.line, 2);
  EXPECT_EQ(problem.parameter("sigma")->estimate, Estimate::no);
  EXPECT_TRUE(std::isnan(problem.parameter("sigma")->lower_bound));
  EXPECT_EQ(problem.parameter("k2"), nullptr);
}

TEST(Problem, conditions_hold_what_they_set_and_nothing_for_empty_cells) {
  ProblemFolder folder;
  folder.write("conditions.tsv", "conditionId\tdose\tA\nrest\t0\tNaN\ndrug\tk1\t2.5\n");

  const Problem problem = folder.read();

  ASSERT_EQ(problem.condition_targets.size(), 2u);
  EXPECT_EQ(problem.condition("rest")->overrides.size(), 1u);
  const auto& overrides = problem.condition("drug")->overrides;
  ASSERT_EQ(overrides.size(), 2u);
  EXPECT_EQ(overrides[0].target_id, "dose");
  EXPECT_EQ(overrides[0].value, Value("k1"));
  EXPECT_EQ(overrides[1].value, Value(2.5));
}

TEST(Problem, observables_count_their_placeholders) {
  const Problem problem = ProblemFolder().read();

  const Observable& y = *problem.observable("y");
  EXPECT_EQ(y.formula.text, "observableParameter1_y * A");
  EXPECT_EQ(y.transformation, Scale::log10);
  EXPECT_EQ(y.noise_distribution, NoiseDistribution::normal);
  EXPECT_EQ(y.observable_placeholders.size(), 1u);
  EXPECT_EQ(y.noise_placeholders.size(), 1u);
  EXPECT_EQ(problem.observable("z")->transformation, Scale::linear);
  EXPECT_EQ(problem.observable("z")->noise_placeholders.size(), 0u);
}

TEST(Problem, measurements_hold_numbers_or_ids) {
  const Problem problem = ProblemFolder().read();

  ASSERT_EQ(problem.measurements.size(), 2u);
  const Measurement& first = problem.measurements[0];
  EXPECT_EQ(first.preequilibration_condition_id, "rest");
  EXPECT_EQ(first.simulation_condition_id, "drug");
  EXPECT_EQ(first.value, 1.5);
  EXPECT_THAT(first.observable_parameters, ElementsAre(Value(2.0)));
  EXPECT_THAT(first.noise_parameters, ElementsAre(Value("sigma")));
  EXPECT_EQ(problem.measurements[1].preequilibration_condition_id, "");
  EXPECT_EQ(problem.measurements[1].time, std::numeric_limits<double>::infinity());
}

TEST(Problem, priors_have_their_type_and_two_numbers) {
  ProblemFolder folder;
  folder.write(
      "parameters.tsv",
      "parameterId\tparameterScale\tlowerBound\tupperBound\tnominalValue\testimate\tinitializationPriorType\t"
      "initializationPriorParameters\tobjectivePriorType\tobjectivePriorParameters\n"
      "k1\tlog10\t0\t10\t\t1\tparameterScaleUniform\t-3;1\tlaplace\t0;2.5\n"
      "sigma\tlin\t0\t1\t\t1\t\t\tparameterScaleUniform\t\n");

  const Problem problem = folder.read();

  const Parameter& k1 = *problem.parameter("k1");
  EXPECT_EQ(k1.initialization_prior->type, PriorType::parameter_scale_uniform);
  EXPECT_EQ(k1.initialization_prior->first, -3);
  EXPECT_EQ(k1.objective_prior->type, PriorType::laplace);
  EXPECT_EQ(k1.objective_prior->second, 2.5);
  EXPECT_FALSE(problem.parameter("sigma")->objective_prior);
}

TEST(Problem, tables_in_several_files_are_one) {
  ProblemFolder folder;
  folder.write("problem.yaml",
               "format_version: 1.0.0\n"
               "parameter_file: [parameters.tsv]\n"
               "problems:\n"
               "- sbml_files: [model.xml]\n"
               "  condition_files: [conditions.tsv]\n"
               "  observable_files: [observables.tsv]\n"
               "  measurement_files: [measurements.tsv, sub/more.tsv]\n");
  fs::create_directories(folder.path("sub"));
  folder.write("sub/more.tsv", "time\tmeasurement\tobservableId\tsimulationConditionId\n5\t0.3\tz\trest\n");

  const Problem problem = folder.read();

  ASSERT_EQ(problem.measurements.size(), 3u);
  EXPECT_EQ(problem.measurements[2].time, 5);
  EXPECT_EQ(problem.measurements[2].where.line, 2);
  EXPECT_EQ(problem.measurements[2].where.file, folder.path("sub/more.tsv").string());
}

TEST(Problem, inputs_are_every_file_with_its_checksum) {
  ProblemFolder folder;
  const Problem problem = folder.read();

  std::vector<std::string> names;
  for (const InputFile& input : problem.inputs) names.push_back(input.path.filename().string());
  EXPECT_THAT(names, ElementsAre("problem.yaml", "model.xml", "parameters.tsv", "conditions.tsv",
                                 "observables.tsv", "measurements.tsv"));
  EXPECT_EQ(problem.inputs[1].checksum, kinetune::core::checksum("<sbml/>"));
  EXPECT_EQ(problem.models.front().file, folder.path("model.xml"));
}

TEST(Problem, the_first_error_is_thrown_and_all_can_be_had) {
  ProblemFolder folder;
  folder.write("observables.tsv", "observableId\tobservableFormula\tnoiseFormula\ny\tA *\t1\nz\tA\t-2\n");

  EXPECT_THROW(folder.read(), kinetune::core::Error);
  const auto errors = folder.errors();
  ASSERT_EQ(errors.size(), 4u);
  EXPECT_THAT(errors[0], HasSubstr("observables.tsv:2: formula 'A *', column 4"));
  EXPECT_THAT(errors[1], HasSubstr("observables.tsv:3: noiseFormula is -2"));
  EXPECT_THAT(errors[2], HasSubstr("measurements.tsv:2: 1 entries in observableParameters"));
}

TEST(Problem, every_problem_of_the_benchmark_collection_reads) {
  const fs::path folder = shared_data() / "petab-benchmarks";
  if (!fs::exists(folder)) GTEST_SKIP() << "the benchmark collection is not here";

  const auto files = problem_files(folder, "-");
  for (const fs::path& file : files) {
    Diagnostics diagnostics;
    const Problem problem = read_problem(file, diagnostics);
    for (const auto& error : diagnostics.errors()) ADD_FAILURE() << error.what();
    EXPECT_FALSE(problem.parameters.empty() || problem.measurements.empty()) << file;
  }
  EXPECT_EQ(files.size(), 22u);
}

TEST(Problem, variants_within_benchmark_folders_read) {
  const fs::path folder = shared_data() / "petab-benchmarks";
  if (!fs::exists(folder)) GTEST_SKIP() << "the benchmark collection is not here";

  EXPECT_GT(read_problem(folder / "Fujita_SciSignal2010/test_data/input_all_Fujita_SciSignal2010.yaml")
                .measurements.size(),
            read_problem(folder / "Fujita_SciSignal2010/Fujita_SciSignal2010.yaml").measurements.size());
  EXPECT_FALSE(read_problem(folder / "Oliveira_NatCommun2021/Bahia/Oliveira_NatCommun2021_Bahia.yaml")
                   .parameters.empty());
}

TEST(Problem, every_problem_of_petabs_test_suite_reads) {
  const fs::path folder = shared_data() / "petab-test-suite/v1.0.0";
  if (!fs::exists(folder)) GTEST_SKIP() << "the PEtab test suite is not here";

  const auto files = problem_files(folder, "_solution.yaml");
  for (const fs::path& file : files) {
    Diagnostics diagnostics;
    read_problem(file, diagnostics);
    for (const auto& error : diagnostics.errors()) ADD_FAILURE() << error.what();
  }
  EXPECT_EQ(files.size(), 20u);
}

TEST(Problem, boehm_has_its_published_size) {
  const fs::path file = shared_data() / "petab-benchmarks/Boehm_JProteomeRes2014/Boehm_JProteomeRes2014.yaml";
  if (!fs::exists(file)) GTEST_SKIP() << "the benchmark collection is not here";

  const Problem problem = read_problem(file);

  // Hass et al. 2019 (doi:10.1093/bioinformatics/btz020), table 1: 48 data points, 3 observables, 9
  // parameters.
  EXPECT_EQ(problem.measurements.size(), 48u);
  EXPECT_EQ(problem.observables.size(), 3u);
  const auto estimated = [](const Parameter& parameter) { return parameter.estimate == Estimate::yes; };
  EXPECT_EQ(std::count_if(problem.parameters.begin(), problem.parameters.end(), estimated), 9);
}
