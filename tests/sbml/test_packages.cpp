#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/file.hpp"
#include "sbml/support.hpp"

using kinetune::sbml::parse_model;
using kinetune::sbml::read_model;
using namespace kinetune::sbml::test;

namespace {

/// A Level 3 Version 1 document that declares a package, with the package's name as its prefix.
std::string with_package(const std::string& package, const std::string& required,
                         const std::string& content) {
  return "<?xml version='1.0' encoding='UTF-8'?>\n"
         "<sbml xmlns='http://www.sbml.org/sbml/level3/version1/core' level='3' version='1' xmlns:" +
         package + "='http://www.sbml.org/sbml/level3/version1/" + package + "/version1' " + package +
         ":required='" + required + "'>\n" + content + "</sbml>";
}

const std::string one_parameter =
    "<model id='m'><listOfParameters><parameter id='p' value='2' "
    "constant='true'/></listOfParameters></model>";

/// A model that has a submodel "s" of the definition "d".
const std::string hierarchical =
    "<model id='m'><comp:listOfSubmodels><comp:submodel comp:id='s' "
    "comp:modelRef='d'/></comp:listOfSubmodels></model>\n";

}  // namespace

TEST(Packages, that_change_the_meaning_are_refused_by_name) {
  EXPECT_EQ(refusal_of(with_package("qual", "true", one_parameter)),
            "m.xml:2: the model requires the SBML package qual, which is not supported");
  EXPECT_EQ(refusal_of(with_package("spatial", "true", one_parameter)),
            "m.xml:2: the model requires the SBML package "
            "http://www.sbml.org/sbml/level3/version1/spatial/version1, which is not supported");
}

TEST(Packages, that_do_not_are_ignored) {
  EXPECT_EQ(refusal_of(with_package("layout", "false", one_parameter)), "accepted");
  EXPECT_EQ(refusal_of(with_package("spatial", "false", one_parameter)), "accepted");
}

TEST(Packages, submodels_are_flattened_into_prefixed_ids) {
  const auto model = parse_model(
      with_package("comp", "true",
                   hierarchical +
                       "<comp:listOfModelDefinitions><comp:modelDefinition id='d'><listOfParameters>"
                       "<parameter id='p' value='2' constant='true'/></listOfParameters>"
                       "</comp:modelDefinition></comp:listOfModelDefinitions>"),
      "m.xml");
  ASSERT_NE(model.parameter("s__p"), nullptr);
  EXPECT_EQ(model.parameter("s__p")->value, 2);
}

TEST(Packages, submodels_may_come_from_a_file_beside_the_first) {
  const std::filesystem::path folder = std::filesystem::path(testing::TempDir()) / "kinetune_test_packages";
  std::filesystem::create_directories(folder);
  kinetune::core::write_file_atomically(folder / "part.xml", with_package("comp", "true", one_parameter));
  kinetune::core::write_file_atomically(
      folder / "whole.xml",
      with_package("comp", "true",
                   hierarchical +
                       "<comp:listOfExternalModelDefinitions><comp:externalModelDefinition comp:id='d' "
                       "comp:source='part.xml'/></comp:listOfExternalModelDefinitions>"));

  const auto model = read_model(folder / "whole.xml");

  EXPECT_TRUE(model.has("s__p"));
}

TEST(Packages, submodels_that_are_missing_or_contain_themselves_are_refused) {
  const std::string missing = refusal_of(with_package("comp", "true", hierarchical));
  EXPECT_NE(missing.find("does not exist"), missing.npos) << missing;
  const std::string endless = refusal_of(with_package(
      "comp", "true",
      hierarchical +
          "<comp:listOfModelDefinitions><comp:modelDefinition id='d'><comp:listOfSubmodels>"
          "<comp:submodel comp:id='t' comp:modelRef='d'/></comp:listOfSubmodels></comp:modelDefinition>"
          "</comp:listOfModelDefinitions>"));
  EXPECT_NE(endless.find("m.xml:4: model d contains itself"), endless.npos) << endless;
}

TEST(Packages, level_2_files_may_name_packages_that_describe_drawings) {
  const std::string head = "<sbml xmlns='http://www.sbml.org/sbml/level2/version4' level='2' version='4' ";
  const std::string model = "><model id='m'/></sbml>";
  EXPECT_EQ(refusal_of(head +
                       "xmlns:layout='http://www.sbml.org/sbml/level3/version1/layout/version1' "
                       "layout:required='false'" +
                       model),
            "accepted");
  EXPECT_NE(refusal_of(head +
                       "xmlns:comp='http://www.sbml.org/sbml/level3/version1/comp/version1' "
                       "comp:required='true'" +
                       model),
            "accepted");
}

TEST(Packages, submodels_that_multiply_are_refused_before_they_fill_the_memory) {
  std::string definitions;
  const int n_levels = 30;
  for (int i = 0; i < n_levels; ++i) {
    const std::string id = i == 0 ? "d" : fmt::format("d{}", i), next = fmt::format("d{}", i + 1);
    definitions += fmt::format(
        "<comp:modelDefinition id='{0}'><comp:listOfSubmodels><comp:submodel comp:id='a' "
        "comp:modelRef='{1}'/>"
        "<comp:submodel comp:id='b' comp:modelRef='{1}'/></comp:listOfSubmodels></comp:modelDefinition>\n",
        id, next);
  }
  definitions += fmt::format("<comp:modelDefinition id='d{}'/>", n_levels);
  EXPECT_THAT(refusal_of(with_package("comp", "true",
                                      hierarchical + "<comp:listOfModelDefinitions>" + definitions +
                                          "</comp:listOfModelDefinitions>")),
              testing::ContainsRegex("m.xml:[0-9]+: more than 10000 submodels"));
}

TEST(Packages, files_that_submodels_come_from_are_guarded_like_the_first) {
  const std::filesystem::path folder = std::filesystem::path(testing::TempDir()) / "kinetune_test_guard";
  std::filesystem::create_directories(folder);
  const std::string whole =
      with_package("comp", "true",
                   hierarchical +
                       "<comp:listOfExternalModelDefinitions><comp:externalModelDefinition comp:id='d' "
                       "comp:source='part.xml'/></comp:listOfExternalModelDefinitions>");
  kinetune::core::write_file_atomically(folder / "whole.xml", whole);
  const auto refusal_with = [&](const std::string& part) -> std::string {
    kinetune::core::write_file_atomically(folder / "part.xml", part);
    try {
      read_model(folder / "whole.xml");
    } catch (const kinetune::core::Error& error) {
      return error.what();
    }
    return "accepted";
  };
  std::string deep = "<sbml>";
  for (int i = 0; i < 100'000; ++i) deep += "<apply>";

  EXPECT_THAT(refusal_with(deep), testing::HasSubstr("part.xml:1: elements are nested"));
  EXPECT_THAT(refusal_with(whole), testing::HasSubstr("part.xml contains itself"));
}

TEST(Packages, a_prefix_that_would_crash_libsbml_is_refused) {
  const std::string text =
      "<?xml version='1.0' encoding='UTF-8'?>\n<sbml xmlns='http://www.sbml.org/sbml/level3/version1/core' "
      "level='3' "
      "version='1' xmlns:x='http://www.sbml.org/sbml/level3/version1/comp/version1' x:required='true'><model "
      "id='m'>"
      "<x:listOfSubmodels><x:submodel x:id='s' x:modelRef='d'/></x:listOfSubmodels></model>"
      "<x:listOfModelDefinitions><x:modelDefinition id='d'/></x:listOfModelDefinitions></sbml>";
  EXPECT_EQ(refusal_of(text), "m.xml:2: the package comp has the prefix x; call it comp");
}

TEST(Packages, a_flux_balance_model_is_called_one) {
  const std::string text =
      "<?xml version='1.0' encoding='UTF-8'?>\n<sbml xmlns='http://www.sbml.org/sbml/level3/version1/core' "
      "level='3' "
      "version='1' xmlns:fbc='http://www.sbml.org/sbml/level3/version1/fbc/version2' fbc:required='false'>"
      "<model id='m' fbc:strict='false'><listOfReactions>\n<reaction id='r' reversible='false' fast='false'/>"
      "</listOfReactions></model></sbml>";
  EXPECT_EQ(refusal_of(text),
            "m.xml:3: a flux balance model: reaction r has no kinetic law; give a kinetic model");
}
