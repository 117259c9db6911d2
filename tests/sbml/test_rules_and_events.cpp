#include <cmath>

#include <gtest/gtest.h>

#include "core/file.hpp"
#include "sbml/support.hpp"

using kinetune::sbml::parse_model;
using namespace kinetune;
using namespace kinetune::sbml::test;

namespace {

std::string parameters(const std::string& attributes_of_p, const std::string& rest) {
  return document("<listOfParameters><parameter id='p' " + attributes_of_p +
                  "/><parameter id='q' value='2' constant='false'/></listOfParameters>\n" + rest);
}
std::string rule(const std::string& kind, const std::string& variable, const std::string& mathml) {
  return "<" + kind + "Rule variable='" + variable + "'>" + math(mathml) + "</" + kind + "Rule>";
}
std::string rules(const std::string& all) { return "<listOfRules>" + all + "</listOfRules>"; }
std::string initial_assignment(const std::string& mathml) {
  return "<listOfInitialAssignments><initialAssignment symbol='p'>" + math(mathml) +
         "</initialAssignment></listOfInitialAssignments>";
}
std::string assign(const std::string& variable, const std::string& mathml) {
  return "<eventAssignment variable='" + variable + "'>" + math(mathml) + "</eventAssignment>";
}
std::string event(const std::string& attributes, const std::string& inside, const std::string& assignments) {
  return "<listOfEvents><event " + attributes + " useValuesFromTriggerTime='false'>" + inside +
         "<listOfEventAssignments>" + assignments + "</listOfEventAssignments></event></listOfEvents>";
}
const std::string trigger = "<trigger initialValue='false' persistent='false'>" +
                            math("<apply><gt/><ci>q</ci><cn>1</cn></apply>") + "</trigger>";
const std::string fixed = "value='1' constant='true'", loose = "value='1' constant='false'";
const std::string q_squared = "<apply><times/><ci>q</ci><ci>q</ci></apply>";
std::string rate_of(const std::string& id) {
  return "<apply><csymbol encoding='text' "
         "definitionURL='http://www.sbml.org/sbml/symbols/rateOf'>rateOf</csymbol><ci>" +
         id + "</ci></apply>";
}

}  // namespace

TEST(Rules, what_nothing_changes_is_a_parameter_and_an_initial_assignment_makes_it_an_initial_constant) {
  EXPECT_EQ(parse_model(parameters(loose, ""), "m.xml").parameter("p")->value, 1);
  EXPECT_TRUE(std::isnan(parse_model(parameters("constant='true'", ""), "m.xml").parameter("p")->value));

  const auto model = parse_model(parameters(fixed, initial_assignment(q_squared)), "m.xml");
  EXPECT_EQ(model.parameter("p"), nullptr);
  EXPECT_EQ(Walk(model).value(model.initial_constant("p")->symbol), 4);
}

TEST(Rules, an_assignment_rule_makes_a_derived_quantity) {
  const auto model = parse_model(parameters(loose, rules(rule("assignment", "p", q_squared))), "m.xml");
  EXPECT_EQ(Walk(model).value(model.derived_quantity("p")->symbol), 4);
}

TEST(Rules, a_rate_rule_makes_a_state_that_an_initial_assignment_may_start) {
  const auto model = parse_model(
      parameters(loose, initial_assignment("<cn>7</cn>") + rules(rule("rate", "p", q_squared))), "m.xml");
  Walk walk(model);
  EXPECT_EQ(walk.value(model.state("p")->symbol), 7);
  walk.advance(2, 2);
  EXPECT_EQ(walk.value(model.state("p")->symbol), 15);
}

TEST(Rules, rates_of_derived_quantities_follow_the_chain_rule) {
  const auto model = parse_model(
      document("<listOfParameters><parameter id='p' constant='false'/><parameter id='q' value='2' "
               "constant='false'/>"
               "<parameter id='dp' constant='false'/><parameter id='k' value='5' constant='true'/>"
               "<parameter id='dk' constant='false'/></listOfParameters>" +
               rules(rule("assignment", "dp", rate_of("p")) + rule("assignment", "p", q_squared) +
                     rule("rate", "q", "<cn>3</cn>") + rule("assignment", "dk", rate_of("k")))),
      "m.xml");
  EXPECT_EQ(Walk(model).value(model.derived_quantity("dp")->symbol), 2 * 2 * 3);
  EXPECT_EQ(Walk(model).value(model.derived_quantity("dk")->symbol), 0);
}

TEST(Rules, algebraic_ones_determine_a_quantity_in_which_they_are_linear) {
  const std::string difference = "<apply><minus/><ci>p</ci>" + q_squared + "</apply>";
  const auto model = parse_model(
      parameters(loose, rules("<algebraicRule>" + math(difference) + "</algebraicRule>")), "m.xml");
  ASSERT_TRUE(model.derived_quantity("p"));
  EXPECT_FALSE(model.parameter("p"));
  EXPECT_EQ(Walk(model).value(model.derived_quantity("p")->symbol), 4);
}

TEST(Rules, algebraic_ones_that_are_not_linear_hold_at_all_times) {
  const std::string difference = "<apply><minus/>" + q_squared + "<ci>p</ci></apply>",
                    at_solution = "value='4' constant='false'";
  const auto model =
      parse_model(parameters(at_solution, rules(rule("rate", "p", "<cn>3</cn>") + "<algebraicRule>" +
                                                math(difference) + "</algebraicRule>")),
                  "m.xml");
  EXPECT_TRUE(model.constraint("q"));
  Walk walk(model);  // p = 4 + 3 t
  EXPECT_EQ(walk.value(model.state("q")->symbol), 2);
  walk.advance(4, 1000);
  EXPECT_NEAR(walk.value(model.state("q")->symbol), 4, 1e-9);
}

TEST(Rules, algebraic_ones_that_leave_more_than_one_quantity_open_are_refused_with_their_line) {
  const std::string product =
      "<apply><minus/><apply><times/>" + q_squared + "<ci>p</ci><ci>p</ci></apply><cn>3</cn></apply>";
  EXPECT_EQ(refusal_of(parameters(loose, rules("<algebraicRule>" + math(product) + "</algebraicRule>"))),
            "m.xml:4: the algebraic rule is not linear in any quantity that it may determine, and the others "
            "do not "
            "leave just one to it; solve it for one of them by an assignment rule");
}

TEST(Rules, without_maths_have_no_effect) {
  const auto model = parse_model(parameters(loose, rules("<rateRule variable='p'/>")), "m.xml");
  EXPECT_EQ(model.parameter("p")->value, 1);
}

TEST(Rules, refuses_contradictions) {
  const std::string one = "<cn>1</cn>";
  EXPECT_EQ(refusal_of(parameters(fixed, rules(rule("rate", "p", one)))),
            "m.xml:4: a rule changes p, which is constant");
  EXPECT_EQ(refusal_of(parameters(loose, rules(rule("rate", "p", one) + rule("assignment", "p", one)))),
            "m.xml:4: p has two rules");
  EXPECT_EQ(refusal_of(parameters(loose, rules(rule("rate", "x", one)))),
            "m.xml:4: a rule refers to x, which is no quantity of the model; declare it");
  EXPECT_EQ(refusal_of(parameters(loose, initial_assignment(one) + rules(rule("assignment", "p", one)))),
            "m.xml:4: p has an assignment rule and an initial assignment");
}

TEST(Rules, cycles_are_named_with_their_line) {
  EXPECT_EQ(refusal_of(parameters(loose, rules(rule("assignment", "p", "<ci>q</ci>") + "\n" +
                                               rule("assignment", "q", "<ci>p</ci>")))),
            "m.xml:4: quantities are defined by each other: p -> q -> p; break the cycle");
}

TEST(Constraints, are_not_watched_and_a_warning_says_so) {
  const std::filesystem::path file = std::filesystem::path(testing::TempDir()) / "kinetune_constraints.xml";
  kinetune::core::write_file_atomically(
      file, document("<listOfParameters><parameter id='p' value='1' constant='true'/></listOfParameters>\n"
                     "<listOfConstraints><constraint>" +
                     math("<apply><gt/><ci>p</ci><cn>2</cn></apply>") + "</constraint></listOfConstraints>"));

  testing::internal::CaptureStderr();
  (void)kinetune::sbml::read_model(file);

  EXPECT_NE(testing::internal::GetCapturedStderr().find(
                "kinetune_constraints.xml:4: 1 constraint of the model is not watched"),
            std::string::npos);
}

TEST(Declarations, ids_are_unique_over_all_kinds) {
  EXPECT_EQ(
      refusal_of(document("<listOfCompartments><compartment id='p' constant='true'/></listOfCompartments>\n"
                          "<listOfParameters><parameter id='p' constant='true'/></listOfParameters>")),
      "m.xml:4: duplicate id p; line 3 has it too, rename one");
  EXPECT_NE(refusal_of(document("<listOfParameters><parameter constant='true'/></listOfParameters>")),
            "accepted");
  EXPECT_NE(
      refusal_of(document("<listOfParameters><parameter id='a b' constant='true'/></listOfParameters>")),
      "accepted");
}

TEST(Events, what_only_events_change_is_a_state_at_rest) {
  const auto model =
      parse_model(parameters(loose, event("id='e'", trigger, assign("p", q_squared))), "m.xml");

  EXPECT_TRUE(model.state("p")->rate.is_constant(0));
  ASSERT_EQ(model.events.size(), 1u);
  const model::Event& only = model.events[0];
  EXPECT_EQ(only.id, "e");
  EXPECT_EQ(only.where.line, 4);
  EXPECT_FALSE(only.initially_true);
  EXPECT_FALSE(only.persistent);
  EXPECT_FALSE(only.values_from_trigger_time);
  EXPECT_FALSE(only.delay);
  ASSERT_EQ(only.assignments.size(), 1u);
  EXPECT_EQ(only.assignments[0].target, model.state("p")->symbol);
  EXPECT_EQ(Walk(model).value(only.assignments[0].value), 4);
  EXPECT_EQ(Walk(model).value(only.trigger), 1);
}

TEST(Events, of_level_2_have_its_defaults) {
  const std::string text =
      "<sbml xmlns='http://www.sbml.org/sbml/level2/version3' level='2' version='3'><model "
      "id='m'><listOfParameters>"
      "<parameter id='p' value='1' constant='false'/></listOfParameters><listOfEvents><event><trigger>" +
      math("<true/>") + "</trigger><delay>" + math("<cn>3</cn>") + "</delay><listOfEventAssignments>" +
      assign("p", "<cn>2</cn>") + "</listOfEventAssignments></event></listOfEvents></model></sbml>";
  const auto model = parse_model(text, "m.xml");
  const model::Event& only = model.events[0];
  EXPECT_EQ(only.id, "event#1");
  EXPECT_TRUE(only.initially_true);
  EXPECT_TRUE(only.persistent);
  EXPECT_TRUE(only.values_from_trigger_time);
  EXPECT_EQ(Walk(model).value(*only.delay), 3);
}

TEST(Events, that_set_a_concentration_in_a_changing_compartment_set_the_amount) {
  const std::string text = document(
      "<listOfCompartments><compartment id='c' size='4' "
      "constant='false'/></listOfCompartments><listOfSpecies>"
      "<species id='A' compartment='c' initialConcentration='5' hasOnlySubstanceUnits='false' "
      "boundaryCondition='false' constant='false'/></listOfSpecies><listOfEvents><event id='e' "
      "useValuesFromTriggerTime='true'><trigger initialValue='true' persistent='true'>" +
      math("<true/>") + "</trigger><listOfEventAssignments>" + assign("A", "<cn>3</cn>") +
      assign("c", "<cn>2</cn>") + "</listOfEventAssignments></event></listOfEvents>");
  const auto model = parse_model(text, "m.xml");
  const auto& assignments = model.events[0].assignments;
  EXPECT_EQ(assignments[0].target, model.state("A.amount")->symbol);
  EXPECT_EQ(assignments[0].factor, model.state("c")->symbol);
  EXPECT_FALSE(assignments[1].factor);
}

TEST(Events, refuses_targets_that_cannot_be_set) {
  EXPECT_EQ(refusal_of(parameters(fixed, event("id='e'", trigger, assign("p", q_squared)))),
            "m.xml:4: an event changes p, which is constant");
  EXPECT_EQ(refusal_of(parameters(loose, rules(rule("assignment", "p", q_squared)) +
                                             event("id='e'", trigger, assign("p", q_squared)))),
            "m.xml:4: an event changes p, which has an assignment rule");
  EXPECT_EQ(refusal_of(
                parameters(loose, event("id='e'", trigger, assign("p", q_squared) + assign("p", q_squared)))),
            "m.xml:4: p is assigned twice in event e");
  EXPECT_EQ(refusal_of(parameters(loose, event("id='e'",
                                               "<trigger initialValue='true' persistent='true'>" +
                                                   math("<ci>x</ci>") + "</trigger>",
                                               assign("p", q_squared)))),
            "m.xml:4: unknown symbol x, in the trigger of event e; declare it");
}
