#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "petab/problem_file.hpp"
#include "problem_folder.hpp"

using namespace kinetune::petab;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

namespace {

std::string message_for(const std::string& text) {
  try {
    parse_problem_file(text, "folder/p.yaml");
  } catch (const kinetune::core::Error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST(ProblemFile, malformed_yaml_is_an_error_with_its_line) {
  EXPECT_THAT(message_for("format_version: 1\nproblems: [\n  - a: b: c\n"),
              StartsWith("folder/p.yaml:3: malformed YAML"));
  EXPECT_THAT(message_for(std::string(100'000, '[')), StartsWith("folder/p.yaml:1: malformed YAML"));
  EXPECT_THAT(message_for("just text"), HasSubstr("not a PEtab problem"));
  EXPECT_THAT(message_for(""), HasSubstr("not a PEtab problem"));
}

TEST(ProblemFile, what_ought_to_be_a_map_is_an_error_with_its_line) {
  EXPECT_THAT(message_for("format_version: 2.0.0\nmodel_files: {m: m.xml}\n"),
              StartsWith("folder/p.yaml:2: no map with 'language'"));
  EXPECT_THAT(message_for("format_version: 2.0.0\nmodel_files: {m: [m.xml]}\n"),
              StartsWith("folder/p.yaml:2: no map with 'language'"));
}

TEST(ProblemFile, files_of_all_systems_read_the_same) {
  const std::string text =
      "format_version: 1\nparameter_file: \xCE\xB2.tsv\nproblems:\n- sbml_files: [m.xml]\n  condition_files: "
      "[c.tsv]\n"
      "  observable_files: [o.tsv]\n  measurement_files: [d.tsv]";
  std::string windows;
  for (const char c : text) windows += c == '\n' ? "\r\n" : std::string(1, c);
  for (const std::string& written : {text, windows, "\xEF\xBB\xBF" + windows + "\r\n"}) {
    const ProblemFile file = parse_problem_file(written, "folder/p.yaml");
    EXPECT_EQ(file.parameters.at(0).path, "folder/\xCE\xB2.tsv");
    EXPECT_EQ(file.groups.front().measurements.at(0).path, "folder/d.tsv");
  }
}

TEST(ProblemFile, other_versions_are_refused_by_their_number) {
  EXPECT_THAT(message_for("parameter_file: p\nformat_version: 3.0.0\n"),
              StartsWith("folder/p.yaml:2: PEtab format version 3.0.0 is not known"));
  EXPECT_THAT(message_for("format_version: beta\n"),
              StartsWith("folder/p.yaml:1: format_version 'beta' is no version"));
}

TEST(ProblemFile, what_is_absent_is_named) {
  EXPECT_THAT(message_for("parameter_file: p.tsv\n"), HasSubstr("folder/p.yaml:1: no 'format_version'"));
  EXPECT_THAT(message_for("format_version: 1\n"), HasSubstr("no 'parameter_file'"));
  const std::string head = "format_version: 1\nparameter_file: p.tsv\n";
  EXPECT_THAT(message_for(head), HasSubstr("no 'problems'"));
  EXPECT_THAT(message_for(head + "problems: []\n"),
              StartsWith("folder/p.yaml:3: 'problems' is no list, or an empty one"));
  EXPECT_THAT(message_for(head + "problems:\n- sbml_files: [m.xml]\n"),
              StartsWith("folder/p.yaml:4: no 'condition_files'"));
  EXPECT_THAT(message_for(head + "problems:\n- sbml_files: [m.xml, n.xml]\n"),
              StartsWith("folder/p.yaml:4: 'sbml_files' must hold exactly one"));
  EXPECT_THAT(message_for(head + "problems:\n- sbml_files: [m.xml]\n  condition_files:\n  - {}\n"),
              StartsWith("folder/p.yaml:6: an entry of 'condition_files' is no text"));
}

TEST(ProblemFile, files_are_relative_to_its_folder) {
  const auto file = parse_problem_file(
      "format_version: '1'\nparameter_file: ../p.tsv\nproblems:\n- sbml_files: [m.xml]\n  condition_files: "
      "[c.tsv]\n"
      "  observable_files: [o.tsv]\n  measurement_files: [a.tsv, b.tsv]\n",
      "folder/p.yaml");

  EXPECT_EQ(file.parameters[0].path, "p.tsv");
  EXPECT_EQ(file.groups.front().models.front().file, "folder/m.xml");
  const auto& measurements = file.groups.front().measurements;
  ASSERT_EQ(measurements.size(), 2u);
  EXPECT_EQ(measurements[1].path, "folder/b.tsv");
  EXPECT_EQ(measurements[1].where.line, 7);
}

TEST(ProblemFile, lists_of_files_are_lists_but_for_the_parameters_of_version_1) {
  EXPECT_THAT(message_for("format_version: 1\nparameter_file: p.tsv\nproblems:\n- sbml_files: [m.xml]\n"
                          "  condition_files: c.tsv\n"),
              StartsWith("folder/p.yaml:5: 'condition_files' is no list"));
}

TEST(ProblemFile, a_file_that_is_not_there_is_an_error_where_it_is_named) {
  ProblemFolder folder;
  std::filesystem::remove(folder.path("measurements.tsv"));
  EXPECT_THAT(folder.errors(), ElementsAre(StartsWith("problem.yaml:7: no such file as measurements.tsv")));
  std::filesystem::remove(folder.path("model.xml"));
  EXPECT_THAT(folder.errors()[0], StartsWith("problem.yaml:4: no such file as model.xml"));
  std::filesystem::remove(folder.path("problem.yaml"));
  EXPECT_THAT(folder.errors(), ElementsAre(StartsWith("problem.yaml: no such file")));
}

TEST(ProblemFile, visualization_files_must_exist_and_are_not_read) {
  ProblemFolder folder;
  const std::string text =
      "format_version: 1\nparameter_file: parameters.tsv\nproblems:\n- sbml_files: [model.xml]\n"
      "  condition_files: [conditions.tsv]\n  observable_files: [observables.tsv]\n"
      "  measurement_files: [measurements.tsv]\n  visualization_files: [plots.tsv]\n";
  folder.write("problem.yaml", text);
  EXPECT_THAT(folder.errors(), ElementsAre(StartsWith("problem.yaml:8: no such file as plots.tsv")));
  folder.write("plots.tsv", "not\ta\ttable\twith\n1\t2\t3\t4\t5\n");
  EXPECT_THAT(folder.errors(), ElementsAre());
}

TEST(ProblemFile, a_name_that_no_file_can_have_is_that_of_no_file) {
  ProblemFolder folder;
  folder.write("problem.yaml",
               "format_version: 1\nparameter_file: parameters.tsv\nproblems:\n- sbml_files: [" +
                   std::string(300, 'm') +
                   ".xml]\n  condition_files: [conditions.tsv]\n  observable_files: [observables.tsv]\n"
                   "  measurement_files: [measurements.tsv]\n");
  EXPECT_THAT(folder.errors(), testing::ElementsAre(StartsWith("problem.yaml:4: no such file as mmm")));
}
