#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sbml/support.hpp"

using kinetune::sbml::parse_model;
using namespace kinetune;
using namespace kinetune::sbml::test;

namespace {

const std::string compartment =
    "<listOfCompartments><compartment id='c' size='4' constant='true'/></listOfCompartments>";

std::string species(const std::string& id, const std::string& attributes) {
  const auto or_default = [&](const std::string& name) {
    return attributes.find(name) == std::string::npos ? " " + name + "='false'" : "";
  };
  return "<species id='" + id + "' compartment='c' " + attributes + or_default("hasOnlySubstanceUnits") +
         or_default("boundaryCondition") + or_default("constant") + "/>";
}

/// A -> 2 B at rate k A, with k = 3, local.
const std::string reaction =
    "<listOfReactions><reaction id='r' reversible='false'>"
    "<listOfReactants><speciesReference species='A' stoichiometry='1' constant='true'/></listOfReactants>"
    "<listOfProducts><speciesReference species='B' stoichiometry='2' "
    "constant='true'/></listOfProducts>\n<kineticLaw>" +
    math("<apply><times/><ci>k</ci><ci>A</ci></apply>") +
    "<listOfLocalParameters><localParameter id='k' "
    "value='3'/></listOfLocalParameters></kineticLaw></reaction>"
    "</listOfReactions>";

std::string model_of(const std::string& a, const std::string& b, const std::string& rest = reaction) {
  return document(compartment + "<listOfSpecies>" + species("A", a) + species("B", b) + "</listOfSpecies>" +
                  rest);
}

double rate_of(const model::OdeModel& model, const std::string& id) {
  return Walk(model).value(model.state(id)->rate);
}

double initial_of(const model::OdeModel& model, const std::string& id) {
  return Walk(model).value(model.state(id)->symbol);
}

}  // namespace

TEST(Species, concentrations_are_states_and_change_by_rate_over_size) {
  const auto model = parse_model(model_of("initialConcentration='5'", "initialAmount='8'"), "m.xml");

  EXPECT_EQ(initial_of(model, "A"), 5);
  EXPECT_EQ(initial_of(model, "B"), 2);
  EXPECT_EQ(rate_of(model, "A"), -3 * 5 / 4.0);
  EXPECT_EQ(rate_of(model, "B"), 2 * 3 * 5 / 4.0);
}

TEST(Species, amounts_are_states_where_formulas_mean_amounts) {
  const std::string amounts = " hasOnlySubstanceUnits='true'";
  const auto model =
      parse_model(model_of("initialConcentration='5'" + amounts, "initialAmount='8'" + amounts), "m.xml");

  EXPECT_EQ(initial_of(model, "A"), 20);
  EXPECT_EQ(rate_of(model, "A"), -60);
  EXPECT_EQ(rate_of(model, "B"), 120);
}

TEST(Species, have_both_readings_for_outputs) {
  const auto model = parse_model(
      model_of("initialConcentration='5'", "initialAmount='8' hasOnlySubstanceUnits='true'"), "m.xml");
  Walk walk(model);

  ASSERT_EQ(model.species.size(), 2u);
  EXPECT_EQ(walk.value(model.species[0].amount), 20);
  EXPECT_EQ(walk.value(model.species[0].concentration), 5);
  EXPECT_EQ(walk.value(model.species[1].amount), 8);
  EXPECT_EQ(walk.value(model.species[1].concentration), 2);
}

TEST(Species, initial_amounts_follow_a_compartment_size_that_is_set_later) {
  auto model = parse_model(model_of("initialAmount='8'", "initialAmount='0'"), "m.xml");
  model.parameters[0].value = 16;
  EXPECT_EQ(model.parameters[0].id, "c");
  EXPECT_EQ(initial_of(model, "A"), 0.5);
}

TEST(Species, on_the_boundary_or_constant_are_parameters) {
  const auto model = parse_model(model_of("initialConcentration='5' boundaryCondition='true'",
                                          "initialAmount='8' boundaryCondition='true' constant='true'"),
                                 "m.xml");

  EXPECT_TRUE(model.states.empty());
  EXPECT_EQ(model.parameter("A")->value, 5);
  EXPECT_EQ(model.parameter("B")->value, 2);  // a concentration
}

TEST(Species, without_any_initial_value_are_not_a_number_until_something_sets_them) {
  const auto model = parse_model(model_of("", "initialAmount='8'"), "m.xml");
  EXPECT_TRUE(std::isnan(initial_of(model, "A")));
}

TEST(Species, initial_assignments_win_over_initial_values) {
  const std::string assignment = "<listOfInitialAssignments><initialAssignment symbol='A'>" +
                                 math("<apply><times/><cn>2</cn><ci>B</ci></apply>") +
                                 "</initialAssignment></listOfInitialAssignments>";
  const auto model =
      parse_model(model_of("initialConcentration='5'", "initialAmount='8'", assignment + reaction), "m.xml");
  EXPECT_EQ(initial_of(model, "A"), 4);
}

TEST(Species, in_a_growing_compartment_keep_their_amount) {
  const std::string text = document(
      "<listOfCompartments><compartment id='c' size='4' "
      "constant='false'/></listOfCompartments><listOfSpecies>" +
      species("A", "initialConcentration='5'") + species("B", "initialAmount='8'") + "</listOfSpecies>" +
      "<listOfRules><rateRule variable='c'>" + math("<cn>2</cn>") + "</rateRule></listOfRules>");
  const auto model = parse_model(text, "m.xml");
  Walk walk(model);
  walk.advance(2, 4);  // size 8

  EXPECT_EQ(model.state("A"), nullptr);
  EXPECT_DOUBLE_EQ(walk.value(model.derived_quantity("A")->symbol), 2.5);
  EXPECT_DOUBLE_EQ(walk.value(model.species[0].amount), 20);
  EXPECT_DOUBLE_EQ(walk.value(model.state("B.amount")->symbol), 8);
}

TEST(Species, a_rate_rule_is_of_the_concentration_even_while_the_compartment_grows) {
  const std::string text = document(
      "<listOfCompartments><compartment id='c' size='4' "
      "constant='false'/></listOfCompartments><listOfSpecies>" +
      species("A", "initialConcentration='5'") + "</listOfSpecies><listOfRules><rateRule variable='c'>" +
      math("<cn>2</cn>") + "</rateRule><rateRule variable='A'>" + math("<cn>3</cn>") +
      "</rateRule></listOfRules>");
  const auto model = parse_model(text, "m.xml");
  Walk walk(model);
  walk.advance(1.5, 300);

  EXPECT_NEAR(walk.value(model.derived_quantity("A")->symbol), 5 + 3 * 1.5, 1e-8);
  EXPECT_NEAR(walk.value(model.species[0].amount), (5 + 3 * 1.5) * 7, 1e-7);
}

TEST(Reactions, rates_are_quantities_and_local_parameters_belong_to_their_reaction) {
  const std::string global =
      "<listOfParameters><parameter id='k' value='99' constant='true'/></listOfParameters>";
  const auto model =
      parse_model(model_of("initialConcentration='5'", "initialAmount='8'", global + reaction), "m.xml");

  EXPECT_EQ(model.parameter("k")->value, 99);
  EXPECT_EQ(model.parameter("r.k")->value, 3);
  EXPECT_EQ(Walk(model).value(model.derived_quantity("r")->symbol), 15);
}

TEST(Reactions, a_stoichiometry_with_an_id_is_a_quantity) {
  std::string variable = reaction;
  variable.replace(variable.find("<speciesReference species='B'"), 0, "<!-- -->");
  variable.replace(variable.find("species='B' stoichiometry='2' constant='true'"), 45,
                   "id='s' species='B' stoichiometry='2' constant='false'");
  const std::string rules =
      "<listOfRules><rateRule variable='s'>" + math("<cn>1</cn>") + "</rateRule></listOfRules>";
  const auto fixed =
      parse_model(model_of("initialConcentration='5'", "initialAmount='8'", variable), "m.xml");
  const auto moving =
      parse_model(model_of("initialConcentration='5'", "initialAmount='8'", rules + variable), "m.xml");

  EXPECT_EQ(fixed.parameter("s")->value, 2);
  EXPECT_EQ(rate_of(fixed, "B"), 2 * 15 / 4.0);
  EXPECT_EQ(rate_of(moving, "s"), 1);
  EXPECT_EQ(rate_of(moving, "B"), 2 * 15 / 4.0);
}

TEST(Reactions, conversion_factors_turn_extent_into_substance) {
  const std::string parameters =
      "<listOfParameters><parameter id='own' value='10' constant='true'/>"
      "<parameter id='common' value='100' constant='true'/></listOfParameters>";
  const std::string content = compartment + "<listOfSpecies>" + species("A", "initialConcentration='5'") +
                              species("B", "initialAmount='8' conversionFactor='own'") + "</listOfSpecies>" +
                              parameters + reaction;
  const auto model = parse_model(document(content, "conversionFactor='common'"), "m.xml");

  EXPECT_EQ(rate_of(model, "A"), -100 * 15 / 4.0);
  EXPECT_EQ(rate_of(model, "B"), 10 * 2 * 15 / 4.0);
}

TEST(Reactions, of_level_2_may_compute_their_stoichiometry) {
  const std::string text =
      "<sbml xmlns='http://www.sbml.org/sbml/level2/version4' level='2' version='4'><model id='m'>"
      "<listOfCompartments><compartment id='c' size='1'/></listOfCompartments><listOfSpecies>"
      "<species id='A' compartment='c' initialAmount='3'/></listOfSpecies><listOfReactions><reaction id='r'>"
      "<listOfProducts><speciesReference species='A'><stoichiometryMath>" +
      math("<apply><plus/><ci>A</ci><cn>1</cn></apply>") +
      "</stoichiometryMath></speciesReference></listOfProducts><kineticLaw>" + math("<cn>2</cn>") +
      "</kineticLaw></reaction></listOfReactions></model></sbml>";
  EXPECT_EQ(rate_of(parse_model(text, "m.xml"), "A"), 8);
}

TEST(Reactions, of_level_1_have_fractions_for_stoichiometries_and_infix_formulas) {
  const std::string text =
      "<sbml xmlns='http://www.sbml.org/sbml/level1' level='1' version='2'><model name='m'>"
      "<listOfCompartments><compartment name='c'/></listOfCompartments><listOfSpecies>"
      "<species name='A' compartment='c' initialAmount='3'/></listOfSpecies><listOfReactions><reaction "
      "name='r'>"
      "<listOfReactants><speciesReference species='A' stoichiometry='1' denominator='4'/></listOfReactants>"
      "<kineticLaw formula='k * A^2'><listOfParameters><parameter name='k' value='2'/></listOfParameters>"
      "</kineticLaw></reaction></listOfReactions></model></sbml>";
  const auto model = parse_model(text, "m.xml");
  EXPECT_EQ(rate_of(model, "A"), -2 * 9 / 4.0);
  EXPECT_EQ(model.parameter("c")->value, 1);
}

TEST(Reactions, refuses_what_has_no_meaning) {
  const std::string free = "initialAmount='1'", fixed = "initialAmount='1' constant='true'";
  EXPECT_EQ(refusal_of(model_of(fixed, free)), "m.xml:3: reaction r changes A, which is constant");
  EXPECT_EQ(refusal_of(document(compartment + reaction)),
            "m.xml:3: reaction r refers to A, which is no quantity of the model; declare it");

  const auto start = reaction.find("<kineticLaw>");
  const std::string no_law = reaction.substr(0, start) + "</reaction></listOfReactions>";
  EXPECT_EQ(refusal_of(model_of(free, free, no_law)), "m.xml:3: reaction r has no kinetic law; give it one");

  std::string no_number = reaction;
  no_number.replace(no_number.find("stoichiometry='2'"), 17, "");
  EXPECT_EQ(refusal_of(model_of(free, free, no_number)),
            "m.xml:3: the stoichiometry of B in reaction r is missing; give it a number");

  const std::string rule =
      "<listOfRules><rateRule variable='A'>" + math("<cn>1</cn>") + "</rateRule></listOfRules>";
  EXPECT_EQ(refusal_of(model_of(free, free, rule + reaction)),
            "m.xml:3: reaction r changes A, which has a rule");
}

TEST(Reactions, fast_ones_are_refused) {
  const std::string text =
      "<sbml xmlns='http://www.sbml.org/sbml/level2/version4' level='2' version='4'><model "
      "id='m'><listOfReactions>\n"
      "<reaction id='r' fast='true'><kineticLaw>" +
      math("<cn>2</cn>") + "</kineticLaw></reaction></listOfReactions></model></sbml>";
  EXPECT_EQ(refusal_of(text), "m.xml:2: reaction r is fast: not supported; replace it by its equilibrium");
}
