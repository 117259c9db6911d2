#include <cmath>
#include <limits>

#include <gmock/gmock.h>

#include "core/error.hpp"
#include "estimate/problem_files.hpp"
#include "study/parameter_vector.hpp"

using namespace kinetune;
using namespace kinetune::study;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

namespace {

class ParameterVector : public testing::Test {
 protected:
  ParameterVector() {
    problem.parameters = {{"k1", "", estimate::Scale::log10, -3, 3, -1, {}},
                          {"k2", "", estimate::Scale::log, -3, 3, 0.5, {}},
                          {"offset", "", estimate::Scale::linear, -3, 3, 2, {}}};
  }

  std::vector<double> read(const std::string& table) {
    files.write("x.tsv", table);
    return parameter_vector(files.path("x.tsv"), problem);
  }

  std::string refusal(const std::string& table) {
    try {
      read(table);
    } catch (const core::Error& error) {
      return files.shorten(error.what());
    }
    return "accepted";
  }

  estimate::test::ProblemFiles files;
  estimate::Problem problem;
};

}  // namespace

TEST_F(ParameterVector, is_the_nominal_one_without_a_table) {
  EXPECT_THAT(parameter_vector({}, problem), ElementsAre(-1, 0.5, 2));
}

TEST_F(ParameterVector, takes_linear_values_to_the_parameters_scales) {
  EXPECT_THAT(read("parameterId\tvalue\nk2\t2.5\nk1\t1000\noffset\t-4\n"),
              ElementsAre(3.0, std::log(2.5), -4.0));
}

TEST_F(ParameterVector, takes_scaled_values_as_they_are_and_keeps_nominal_ones_elsewhere) {
  EXPECT_THAT(read("parameterId\tscaledValue\nk2\t-0.25\n"), ElementsAre(-1, -0.25, 2));
}

TEST_F(ParameterVector, prefers_scaled_values_where_a_table_has_both_and_ignores_other_columns) {
  EXPECT_THAT(read("value\tremark\tparameterId\tscaledValue\n9\tgood\tk1\t-0.25\n"),
              ElementsAre(-0.25, 0.5, 2));
}

TEST_F(ParameterVector, has_comments_and_keeps_the_count_of_lines) {
  EXPECT_THAT(read("# made by hand\nparameterId\tvalue\n# k1\t7\nk1\t10\n"), ElementsAre(1, 0.5, 2));
  EXPECT_THAT(refusal("# made by hand\nparameterId\tvalue\n# k1\t7\nk9\t10\n"), StartsWith("x.tsv:4: "));
}

TEST_F(ParameterVector, refuses_unknown_ids_with_their_line) {
  EXPECT_THAT(refusal("parameterId\tvalue\nk1\t1\nsigma\t2\n"),
              AllOf(StartsWith("x.tsv:3: "), HasSubstr("'sigma'")));
}

TEST_F(ParameterVector, refuses_what_is_no_number_with_its_line) {
  EXPECT_THAT(refusal("parameterId\tvalue\nk1\tabc\n"), AllOf(StartsWith("x.tsv:2: "), HasSubstr("'abc'")));
  EXPECT_THAT(refusal("parameterId\tvalue\nk1\t\n"), StartsWith("x.tsv:2: "));
  EXPECT_THAT(refusal("parameterId\tvalue\nk1\tnan\n"), StartsWith("x.tsv:2: "));
  EXPECT_THAT(refusal("parameterId\tvalue\nk1\t1\nk2\t-1\n"),
              AllOf(StartsWith("x.tsv:3: "), HasSubstr("k2")));
}

TEST_F(ParameterVector, refuses_numbers_that_are_infinite_on_the_parameters_scale) {
  EXPECT_THAT(refusal("parameterId\tvalue\nk1\t0\n"), StartsWith("x.tsv:2: "));
  EXPECT_THAT(refusal("parameterId\tvalue\noffset\tinf\n"), StartsWith("x.tsv:2: "));
}

TEST_F(ParameterVector, refuses_a_parameter_that_stands_twice) {
  EXPECT_THAT(refusal("parameterId\tvalue\nk1\t1\nk1\t2\n"), AllOf(StartsWith("x.tsv:3: "), HasSubstr("k1")));
}

TEST_F(ParameterVector, refuses_tables_without_the_columns) {
  EXPECT_THAT(refusal("parameter\tvalue\nk1\t1\n"), AllOf(StartsWith("x.tsv:1: "), HasSubstr("parameterId")));
  EXPECT_THAT(refusal("parameterId\tx\nk1\t1\n"), AllOf(StartsWith("x.tsv:1: "), HasSubstr("scaledValue")));
}

TEST_F(ParameterVector, refuses_a_missing_file_by_its_name) {
  EXPECT_THROW(parameter_vector(files.path("none.tsv"), problem), core::Error);
}

TEST_F(ParameterVector, names_the_parameter_that_has_no_value_at_all) {
  problem.parameters[1].nominal = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(refusal("parameterId\tvalue\nk1\t1\n"), HasSubstr("k2 has no nominal value"));
  EXPECT_THAT(read("parameterId\tvalue\nk2\t1\n"), ElementsAre(-1, 0, 2));
}
