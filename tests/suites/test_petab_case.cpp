#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>

#include "core/file.hpp"
#include "suites/petab_case.hpp"

using namespace kinetune::suites;
namespace fs = std::filesystem;
using testing::HasSubstr;

namespace {

fs::path test_suite() {
  const char* folder = std::getenv("KINETUNE_SHARED");
  return (folder ? fs::path(folder) : fs::path(KINETUNE_SOURCE_DIR) / ".." / "shared") / "data" /
         "petab-test-suite";
}

/// A copy of a case that a test may spoil.
class PetabCase : public testing::Test {
 protected:
  fs::path copy;

  void SetUp() override {
    if (!fs::exists(test_suite())) GTEST_SKIP() << "no PEtab test suite in " << test_suite();
    copy = fs::path(testing::TempDir()) / "kinetune_test_suites" /
           testing::UnitTest::GetInstance()->current_test_info()->name() / "0009";
    fs::remove_all(copy);
    fs::create_directories(copy);
    fs::copy(test_suite() / "v2.0.0" / "0009", copy);
  }

  void replace(const std::string& file, const std::string& from, const std::string& to) const {
    std::string text = kinetune::core::read_file(copy / file);
    ASSERT_NE(text.find(from), std::string::npos);
    text.replace(text.find(from), from.size(), to);
    std::ofstream(copy / file, std::ios::binary) << text;
  }
};

}  // namespace

TEST_F(PetabCase, passes_where_every_number_is_met) {
  const CaseResult result = run_petab_case(copy);
  EXPECT_EQ(result.verdict, Verdict::passed) << result.reason;
  EXPECT_EQ(result.name, "0009");
}

TEST_F(PetabCase, fails_where_a_simulated_value_or_the_likelihood_is_off) {
  replace("_simulations.tsv", "0.48728", "0.48928");
  EXPECT_EQ(run_petab_case(copy).verdict, Verdict::failed);
  EXPECT_THAT(run_petab_case(copy).reason, HasSubstr("simulation of obs_a"));

  replace("_simulations.tsv", "0.48928", "0.48728");
  replace("_0009_solution.yaml", "llh: -0.757", "llh: -0.767");
  EXPECT_EQ(run_petab_case(copy).verdict, Verdict::failed);
  EXPECT_THAT(run_petab_case(copy).reason, HasSubstr("llh is -0.7579"));
}

TEST_F(PetabCase, is_refused_with_the_reason_where_the_input_is) {
  replace("_0009.yaml", "language: sbml", "language: antimony");
  EXPECT_EQ(run_petab_case(copy).verdict, Verdict::refused);
  EXPECT_THAT(run_petab_case(copy).reason, HasSubstr("'antimony'"));
}

TEST(PetabSuite, every_shared_case_passes) {
  if (!fs::exists(test_suite())) GTEST_SKIP() << "no PEtab test suite in " << test_suite();
  int n = 0;
  for (const char* version : {"v1.0.0", "v2.0.0"}) {
    for (const auto& entry : fs::directory_iterator(test_suite() / version)) {
      if (!entry.is_directory()) continue;
      const CaseResult result = run_petab_case(entry.path());
      EXPECT_EQ(result.verdict, Verdict::passed) << version << " " << result.name << ": " << result.reason;
      ++n;
    }
  }
  EXPECT_GE(n, 41);
}

TEST(SuiteReport, counts_verdicts_and_writes_them_down) {
  SuiteReport report;
  report.add({"1", Verdict::passed, ""});
  report.add({"2", Verdict::failed, "off\tby one", "tag"});
  const fs::path table = fs::path(testing::TempDir()) / "kinetune_suite_report.tsv";
  report.write_table(table.string());
  EXPECT_EQ(report.count(Verdict::failed), 1);
  EXPECT_EQ(kinetune::core::read_file(table),
            "case\tverdict\treason\ttags\n1\tpassed\t\t\n2\tfailed\toff by one\ttag\n");
}
