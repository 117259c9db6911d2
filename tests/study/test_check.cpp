#include <gmock/gmock.h>

#include "estimate/problem_files.hpp"
#include "study/check.hpp"

using namespace kinetune;
using study::check;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

namespace {

class Check : public testing::Test {
 protected:
  estimate::test::ProblemFiles files;
};

}  // namespace

TEST_F(Check, says_what_a_good_problem_holds) {
  const auto result = check(files.yaml());
  EXPECT_EQ(result.n_errors, 0) << result.text;
  EXPECT_THAT(result.text, AllOf(HasSubstr("2 states"), HasSubstr("2 parameters to be estimated"),
                                 HasSubstr("3 measurements"), HasSubstr("no errors")));
}

TEST_F(Check, says_what_a_good_model_holds) {
  const auto result = check(files.path("model.xml"));
  EXPECT_EQ(result.n_errors, 0) << result.text;
  EXPECT_THAT(result.text, AllOf(HasSubstr("model chain: 2 states"), HasSubstr("no errors")));
}

TEST_F(Check, says_what_a_problem_of_several_models_holds) {
  const auto result = check(files.write_yaml(2).yaml());
  EXPECT_EQ(result.n_errors, 0) << result.text;
  EXPECT_EQ(result.text.find("model chain"), 0u);
  EXPECT_NE(result.text.find("model chain", 1), std::string::npos);
  EXPECT_THAT(result.text, HasSubstr("6 measurements"));
}

TEST_F(Check, lists_all_errors_of_tables_and_model_at_once) {
  files.write("parameters.tsv",
              "parameterId\tparameterScale\tlowerBound\tupperBound\tnominalValue\testimate\n"
              "k1\tlog10\t-1\t1e3\t0.8\t1\n"
              "a_high\tlin\t0.1\t20\t4\t1\n"
              "forgotten\tlin\t0.1\t20\t4\t1\n");
  files.write("observables.tsv",
              "observableId\tobservableFormula\tnoiseFormula\nyA\tA\t0.1\nyB\tB + glucose\t0.2\n");
  files.write("measurements.tsv",
              "observableId\tsimulationConditionId\ttime\tmeasurement\n"
              "yA\tlow\t0\t1.4\nyA\tmiddle\t1\t1.9\nyB\tlow\tsoon\t0.9\n");

  const auto result = check(files.yaml());
  const std::string text = files.shorten(result.text);

  EXPECT_EQ(result.n_errors, 5) << text;
  EXPECT_THAT(text, AllOf(HasSubstr("parameters.tsv:2: "), HasSubstr("parameters.tsv:4: "),
                          HasSubstr("observables.tsv:3: unknown id 'glucose'"),
                          HasSubstr("measurements.tsv:3: "), HasSubstr("measurements.tsv:4: ")));
  EXPECT_THAT(text, AllOf(HasSubstr("5 errors\n"), Not(HasSubstr("no errors"))));
}

TEST_F(Check, finds_what_only_the_join_finds) {
  std::string sbml = estimate::test::chain_sbml;
  const std::string k2 = "<parameter id='k2' value='0.2' constant='true'/>";
  sbml.replace(sbml.find(k2), k2.size(), "<parameter id='k2' constant='true'/>");
  files.write("model.xml", sbml);
  const auto result = check(files.yaml());
  EXPECT_EQ(result.n_errors, 1);
  EXPECT_THAT(files.shorten(result.text), HasSubstr("'k2' has no value in condition low"));
}

TEST_F(Check, reports_files_that_are_missing_or_something_else) {
  EXPECT_EQ(check(files.path("none.yaml")).n_errors, 1);
  EXPECT_EQ(check(files.path("none.xml")).n_errors, 1);
  files.write("model.xml", "this is no XML\n");
  const auto result = check(files.yaml());
  EXPECT_EQ(result.n_errors, 1);
  EXPECT_THAT(files.shorten(result.text), HasSubstr("model.xml:1: "));
}
