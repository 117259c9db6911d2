#include <algorithm>
#include <cstdlib>
#include <fstream>

#include <gtest/gtest.h>

#include "suites/isolated.hpp"
#include "suites/sbml_case.hpp"

namespace fs = std::filesystem;
using namespace kinetune::suites;

namespace {

/// A case x' = -x, x(0) = 1 to time 1, with a result that a test gives.
struct SbmlCase : testing::Test {
  fs::path folder = fs::path(testing::TempDir()) / "kinetune_sbml_case" / "00001";

  void SetUp() override { fs::create_directories(folder); }
  void TearDown() override { fs::remove_all(folder.parent_path()); }

  void write(const std::string& ending, const std::string& text) const {
    std::ofstream(folder / ("00001-" + ending)) << text;
  }

  CaseResult run(const std::string& x_at_1, const std::string& type = "TimeCourse") const {
    write("model.m", "componentTags: Parameter, RateRule\ntestTags: Amount\ntestType:  " + type + "\n");
    write("settings.txt",
          "start: 0\nduration: 1\nsteps: 1\nvariables: x\nabsolute: 1e-4\nrelative: 1e-4\namount:\n"
          "concentration:\n");
    write("results.csv", "time,x\n0,1\n1," + x_at_1 + "\n");
    write("sbml-l3v1.xml", "not the newest");
    write("sbml-l3v2.xml",
          "<sbml xmlns='http://www.sbml.org/sbml/level3/version2/core' level='3' version='2'><model>"
          "<listOfParameters><parameter id='x' value='1' constant='false'/></listOfParameters><listOfRules>"
          "<rateRule variable='x'><math xmlns='http://www.w3.org/1998/Math/MathML'><apply><minus/><ci>x</ci>"
          "</apply></math></rateRule></listOfRules></model></sbml>");
    return run_sbml_case(folder);
  }
};

}  // namespace

TEST_F(SbmlCase, passes_within_the_cases_own_tolerances_and_fails_beyond) {
  EXPECT_EQ(run("0.36787944").verdict, Verdict::passed);
  EXPECT_EQ(run("0.36800").verdict, Verdict::passed);
  const auto result = run("0.36803");  // 1.5e-4 off, where 1e-4 + 0.37e-4 are allowed
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_TRUE(result.reason.starts_with("x at 1 is 0.36787")) << result.reason;
  EXPECT_EQ(result.tags, "Parameter, RateRule, Amount");
}

TEST_F(SbmlCase, that_is_no_time_course_is_refused_as_what_it_is) {
  const auto result = run("0.36787944", "FluxBalanceSteadyState");
  EXPECT_EQ(result.verdict, Verdict::refused);
  EXPECT_EQ(result.reason, "no time course: FluxBalanceSteadyState");
}

TEST(SbmlSuite, of_the_time_courses_97_in_100_pass_and_none_fails) {
  const char* shared = std::getenv("KINETUNE_SHARED");
  const fs::path suite = (shared ? fs::path(shared) : fs::path(KINETUNE_SOURCE_DIR) / ".." / "shared") /
                         "data" / "sbml-test-suite";
  if (!fs::exists(suite)) GTEST_SKIP() << "no SBML test suite in " << suite;
  SuiteReport report;
  int n_other = 0;
  for (const auto& entry : fs::directory_iterator(suite)) {
    if (!entry.is_directory()) continue;
    auto result =
        run_isolated(entry.path().filename().string(), 120, [&] { return run_sbml_case(entry.path()); });
    n_other += result.reason.starts_with("no time course");
    report.add(std::move(result));
  }
  const int n_courses = report.count(Verdict::passed) + report.count(Verdict::failed) +
                        report.count(Verdict::refused) - n_other;
  EXPECT_EQ(report.count(Verdict::failed), 0);
  EXPECT_GE(report.count(Verdict::passed), 0.97 * n_courses);
}
