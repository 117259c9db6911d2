#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "sbml/read_model.hpp"
#include "sbml/support.hpp"

using kinetune::sbml::test::refusal_of;

namespace {

std::string repeated(const std::string& text, int n) {
  std::string all;
  for (int i = 0; i < n; ++i) all += text;
  return all;
}

std::string level1_rule(const std::string& formula) {
  return R"(<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="http://www.sbml.org/sbml/level1" level="1" version="2"><model name="m">
<listOfCompartments><compartment name="c"/></listOfCompartments>
<listOfParameters><parameter name="p"/></listOfParameters>
<listOfRules><parameterRule name="p" formula=")" +
         formula + R"("/></listOfRules></model></sbml>)";
}

}  // namespace

TEST(XmlGuard, refuses_what_is_no_xml) {
  EXPECT_EQ(refusal_of("k1 = 3"), "m.xml:1: not an XML file; give an SBML file, encoded as UTF-8");
  EXPECT_EQ(refusal_of(""), "m.xml:1: not an XML file; give an SBML file, encoded as UTF-8");
  EXPECT_EQ(refusal_of(std::string("<sbml>\0</sbml>", 14)),
            "m.xml: not a text file: it contains a byte of value 0; give an SBML file, encoded as UTF-8");
}

TEST(XmlGuard, calls_a_web_page_one) {
  EXPECT_EQ(refusal_of("\n<!DocType HTML>\n<html><head/></html>"),
            "m.xml:2: a web page, not an SBML file; get the model file itself");
}

TEST(XmlGuard, files_of_all_systems_read_the_same) {
  const std::string text =
      "<?xml version='1.0' encoding='UTF-8'?>\n"
      "<sbml xmlns='http://www.sbml.org/sbml/level3/version1/core' level='3' version='1'>\n"
      "<model id='m' name='Abbau \xCE\xB2 \xE2\x86\x92 \xF0\x9F\xA7\xAC'><listOfParameters>\n"
      "<parameter id='p' value='2' constant='true'/></listOfParameters></model></sbml>";
  std::string windows;
  for (const char c : text) windows += c == '\n' ? "\r\n" : std::string(1, c);
  for (const std::string& written : {text, text + "\n", windows, "\xEF\xBB\xBF" + windows}) {
    const auto model = kinetune::sbml::parse_model(written, "m.xml");
    ASSERT_EQ(model.parameters.size(), 1u);
    EXPECT_EQ(model.parameters[0].value, 2);
  }
}

TEST(XmlGuard, numbers_that_no_double_holds_are_called_that) {
  const auto refusal_with = [](const std::string& value) {
    return refusal_of(
        "<sbml xmlns='http://www.sbml.org/sbml/level3/version1/core' level='3' version='1'><model id='m'>\n"
        "<listOfParameters><parameter id='p' constant='true' " +
        value);
  };
  EXPECT_THAT(refusal_with("value='1e999'/></listOfParameters></model></sbml>"),
              testing::AllOf(testing::StartsWith("m.xml:2: "), testing::HasSubstr("a double can hold")));
  EXPECT_THAT(
      refusal_with("/></listOfParameters><listOfInitialAssignments><initialAssignment symbol='p'>\n"
                   "<math xmlns='http://www.w3.org/1998/Math/MathML'><cn type='e-notation'>1<sep/>99999</cn>"
                   "</math></initialAssignment></listOfInitialAssignments></model></sbml>"),
      testing::AllOf(testing::StartsWith("m.xml:3: "), testing::HasSubstr("exponential value")));
}

TEST(XmlGuard, elements_of_another_level_are_an_error_although_libsbml_throws) {
  const std::string text =
      "<sbml xmlns='http://www.sbml.org/sbml/level2/version5' level='2'><model id='m'><listOfReactions>"
      "<reaction id='r'><listOfProducts><speciesReference species='S'><stoichiometryMath/></speciesReference>"
      "</listOfProducts></reaction></listOfReactions></model></sbml>";
  EXPECT_EQ(refusal_of(text).find("m.xml"), 0u) << refusal_of(text);
}

TEST(XmlGuard, names_the_line_where_xml_breaks) {
  EXPECT_EQ(refusal_of("<?xml version='1.0' encoding='UTF-8'?>\n<sbml>\n<model></sbml>"),
            "m.xml:3: not well-formed XML");
  EXPECT_EQ(refusal_of("<sbml>\n<model></sbml>"), "m.xml:2: not well-formed XML");
}

TEST(XmlGuard, refuses_deep_nesting_before_libsbml_recurses_into_it) {
  const std::string deep = repeated("<apply><sin/>\n", 300'000) + repeated("</apply>", 300'000);
  EXPECT_EQ(refusal_of("<math>" + deep + "</math>"),
            "m.xml:250: elements are nested more than 250 deep; split the formula by rules");
}

TEST(XmlGuard, counts_no_tags_in_comments_data_and_attributes) {
  const std::string text = "<a><!-- " + repeated("<b>", 300) + " --><![CDATA[" + repeated("<b>", 300) +
                           "]]><?php " + repeated("<b>", 300) + "?><c d='" + repeated("<b>", 300) + "'/></a>";
  EXPECT_EQ(refusal_of(text).find("nested"), std::string::npos);
}

TEST(XmlGuard, refuses_entity_declarations) {
  EXPECT_EQ(refusal_of("<?xml version='1.0'?>\n<!DOCTYPE sbml [<!ENTITY a 'aa'>]>\n<sbml/>"),
            "m.xml:2: document type declarations are not supported; remove it");
}

TEST(XmlGuard, bounds_the_formulas_of_level_1) {
  EXPECT_EQ(refusal_of(level1_rule(repeated("(", 100'000))),
            "m.xml:5: a formula is too long; keep it below 10000 characters");
  EXPECT_NE(refusal_of(level1_rule(repeated("-(", 4000) + "1" + repeated(")", 4000))), "accepted");
  EXPECT_NE(refusal_of(level1_rule("1" + repeated("^(1", 2000) + repeated(")", 2000))), "accepted");
}

TEST(XmlGuard, truncated_documents_are_refused_wherever_they_end) {
  const std::string whole = level1_rule("1 + 2 * p");
  for (std::size_t length = 0; length + 1 < whole.size(); length += 7) {
    EXPECT_NE(refusal_of(whole.substr(0, length)), "accepted") << length;
  }
}
