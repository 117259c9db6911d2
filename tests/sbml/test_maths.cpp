// MathML, evaluated as the value of a parameter with an assignment rule.
#include <cmath>
#include <numbers>

#include <gtest/gtest.h>

#include "sbml/support.hpp"

using kinetune::sbml::parse_model;
using namespace kinetune::sbml::test;

namespace {

/// p is the parameter under test, a = 2.5, b = -7, n = 5.
std::string model_of(const std::string& mathml, const std::string& functions = "") {
  return document(
      functions +
      "<listOfParameters><parameter id='p' constant='false'/><parameter id='a' value='2.5' constant='true'/>"
      "<parameter id='b' value='-7' constant='true'/><parameter id='n' value='5' constant='true'/>"
      "</listOfParameters>\n<listOfRules><assignmentRule variable='p'>" +
      math(mathml) + "</assignmentRule></listOfRules>");
}

double value_of(const std::string& mathml, const std::string& functions = "") {
  const auto model = parse_model(model_of(mathml, functions), "m.xml");
  return Walk(model).value(model.derived_quantity("p")->symbol);
}

std::string applied(const std::string& function, const std::string& args) {
  return "<apply><" + function + "/>" + args + "</apply>";
}

const std::string a = "<ci>a</ci>", b = "<ci>b</ci>", n = "<ci>n</ci>";
std::string number(double value) { return "<cn>" + std::to_string(value) + "</cn>"; }
std::string csymbol(const std::string& name) {
  return "<csymbol encoding='text' definitionURL='http://www.sbml.org/sbml/symbols/" + name + "'>" + name +
         "</csymbol>";
}
std::string function(const std::string& id, const std::string& args, const std::string& body) {
  std::string bvars;
  for (const char c : args) bvars += "<bvar><ci>" + std::string(1, c) + "</ci></bvar>";
  return "<functionDefinition id='" + id + "'>" + math("<lambda>" + bvars + body + "</lambda>") +
         "</functionDefinition>";
}
std::string functions(const std::string& all) {
  return "<listOfFunctionDefinitions>" + all + "</listOfFunctionDefinitions>";
}

}  // namespace

TEST(Maths, reads_every_way_to_write_a_number) {
  EXPECT_EQ(value_of("<cn type='integer'> 42 </cn>"), 42);
  EXPECT_EQ(value_of("<cn type='rational'> 3 <sep/> 8 </cn>"), 0.375);
  EXPECT_EQ(value_of("<cn type='e-notation'> 2.5 <sep/> -3 </cn>"), 2.5e-3);
  EXPECT_EQ(value_of("<pi/>"), std::numbers::pi);
  EXPECT_EQ(value_of("<exponentiale/>"), std::numbers::e);
  EXPECT_EQ(value_of("<true/>"), 1);
  EXPECT_EQ(value_of("<infinity/>"), INFINITY);
  EXPECT_TRUE(std::isnan(value_of("<notanumber/>")));
  EXPECT_EQ(value_of(csymbol("avogadro")), 6.02214179e23);
}

TEST(Maths, sums_and_products_take_any_number_of_arguments) {
  EXPECT_EQ(value_of(applied("plus", "")), 0);
  EXPECT_EQ(value_of(applied("times", "")), 1);
  EXPECT_EQ(value_of(applied("plus", a + b + n)), 0.5);
  EXPECT_EQ(value_of(applied("times", a + b)), -17.5);
  EXPECT_EQ(value_of(applied("minus", a)), -2.5);
  EXPECT_EQ(value_of(applied("minus", a + b)), 9.5);
  EXPECT_EQ(value_of(applied("max", a + b + n)), 5);
  EXPECT_EQ(value_of(applied("min", a + b + n)), -7);
}

TEST(Maths, powers_roots_and_logarithms_have_their_defaults) {
  EXPECT_DOUBLE_EQ(value_of(applied("power", a + n)), std::pow(2.5, 5));
  EXPECT_DOUBLE_EQ(value_of(applied("root", a)), std::sqrt(2.5));
  EXPECT_DOUBLE_EQ(value_of("<apply><root/><degree>" + n + "</degree>" + a + "</apply>"), std::pow(2.5, 0.2));
  EXPECT_DOUBLE_EQ(value_of(applied("ln", a)), std::log(2.5));
  EXPECT_DOUBLE_EQ(value_of(applied("log", a)), std::log10(2.5));
  EXPECT_DOUBLE_EQ(value_of("<apply><log/><logbase>" + n + "</logbase>" + a + "</apply>"),
                   std::log(2.5) / std::log(5));
}

TEST(Maths, the_rarer_trigonometric_functions_are_inverse_to_each_other) {
  const std::string x = number(0.5), y = number(1.5);
  EXPECT_DOUBLE_EQ(value_of(applied("sec", x)), 1 / std::cos(0.5));
  EXPECT_DOUBLE_EQ(value_of(applied("coth", x)), 1 / std::tanh(0.5));
  for (const auto* name : {"sec", "csc", "cot", "csch", "coth"}) {
    EXPECT_DOUBLE_EQ(value_of(applied("arc" + std::string(name), applied(name, x))), 0.5) << name;
  }
  EXPECT_DOUBLE_EQ(value_of(applied("sech", applied("arcsech", x))), 0.5);
  EXPECT_DOUBLE_EQ(value_of(applied("arccosh", y)), std::acosh(1.5));
}

TEST(Maths, quotient_and_remainder_cut_towards_zero) {
  EXPECT_EQ(value_of(applied("quotient", b + number(2))), -3);
  EXPECT_EQ(value_of(applied("rem", b + number(2))), -1);
  EXPECT_EQ(value_of(applied("quotient", number(7) + number(-2))), -3);
  EXPECT_EQ(value_of(applied("rem", number(7) + number(-2))), 1);
}

TEST(Maths, factorials_are_those_of_whole_numbers) {
  EXPECT_EQ(value_of(applied("factorial", n)), 120);
  EXPECT_EQ(value_of(applied("factorial", number(0))), 1);
  EXPECT_DOUBLE_EQ(value_of(applied("factorial", number(170))), std::tgamma(171.0));
  EXPECT_TRUE(std::isnan(value_of(applied("factorial", a))));
  EXPECT_TRUE(std::isnan(value_of(applied("factorial", b))));
}

TEST(Maths, comparisons_chain_and_logic_takes_numbers_for_truth) {
  EXPECT_EQ(value_of(applied("lt", b + a + n)), 1);
  EXPECT_EQ(value_of(applied("lt", b + n + a)), 0);
  EXPECT_EQ(value_of(applied("geq", n + n + b)), 1);
  EXPECT_EQ(value_of(applied("neq", n + a)), 1);
  EXPECT_EQ(value_of(applied("eq", n + n + n)), 1);
  EXPECT_EQ(value_of(applied("and", "")), 1);
  EXPECT_EQ(value_of(applied("or", "")), 0);
  EXPECT_EQ(value_of(applied("xor", "")), 0);
  EXPECT_EQ(value_of(applied("xor", n + a)), 0);  // two truths, though different numbers
  EXPECT_EQ(value_of(applied("xor", n + a + "<true/>")), 1);
  EXPECT_EQ(value_of(applied("implies", "<true/><false/>")), 0);
  EXPECT_EQ(value_of(applied("not", number(0))), 1);
}

TEST(Maths, piecewise_takes_the_first_piece_that_holds_and_is_undefined_where_none_does) {
  const auto piece = [](const std::string& value, const std::string& condition) {
    return "<piece>" + value + condition + "</piece>";
  };
  const std::string always = "<true/>", never = "<false/>";
  EXPECT_EQ(value_of("<piecewise>" + piece(a, never) + piece(b, always) + piece(n, always) + "</piecewise>"),
            -7);
  EXPECT_EQ(value_of("<piecewise>" + piece(a, never) + "<otherwise>" + n + "</otherwise></piecewise>"), 5);
  EXPECT_TRUE(std::isnan(value_of("<piecewise>" + piece(a, never) + "</piecewise>")));
}

TEST(Maths, functions_are_inlined_with_arguments_that_hide_global_names) {
  const std::string square = function("square", "a", applied("times", "<ci>a</ci><ci>a</ci>"));
  EXPECT_EQ(value_of("<apply><ci>square</ci>" + n + "</apply>", functions(square)), 25);
  const std::string twice =
      function("twice", "b", "<apply><ci>square</ci><apply><ci>square</ci><ci>b</ci></apply></apply>");
  EXPECT_EQ(value_of("<apply><ci>twice</ci>" + n + "</apply>", functions(twice + square)), 625);
}

TEST(Maths, a_quantity_called_time_is_not_the_time) {
  const auto model = parse_model(
      document("<listOfParameters><parameter id='time' value='3' constant='true'/><parameter id='p' "
               "constant='false'/>"
               "</listOfParameters><listOfRules><assignmentRule variable='p'>" +
               math(applied("plus", "<ci>time</ci>" + csymbol("time"))) + "</assignmentRule></listOfRules>"),
      "m.xml");
  Walk walk(model);
  walk.advance(2, 1);
  EXPECT_EQ(walk.value(model.derived_quantity("p")->symbol), 5);
}

TEST(Maths, a_delay_is_an_entry_of_the_model_with_its_line_and_the_same_delay_is_one_entry) {
  const std::string delayed = "<apply>" + csymbol("delay") + a + number(3) + "</apply>";
  const auto model = parse_model(model_of("<apply><plus/>" + delayed + delayed + "</apply>"), "m.xml");
  ASSERT_EQ(model.delays.size(), 1u);
  EXPECT_EQ(model.delays[0].value, *model.symbol("a"));
  EXPECT_TRUE(model.delays[0].lag.is_constant(3));
  EXPECT_EQ(model.delays[0].where.line, 4);
}

TEST(Maths, refuses_what_it_cannot_mean_with_its_line) {
  EXPECT_EQ(refusal_of(model_of("<ci>nothing</ci>")),
            "m.xml:4: unknown symbol nothing, in the assignment rule of p; declare it");
  EXPECT_EQ(refusal_of(model_of("<apply><ci>f</ci>" + a + "</apply>")),
            "m.xml:4: unknown function f, in the assignment rule of p; define it");
  EXPECT_EQ(refusal_of(model_of("<apply>" + csymbol("rateOf") + number(1) + "</apply>")),
            "m.xml:4: rateOf() needs the id of a quantity as its argument, in the assignment rule of p");
}

TEST(Maths, refuses_wrong_numbers_of_arguments) {
  for (const auto* name : {"sin", "exp", "not", "abs", "factorial"}) {
    EXPECT_NE(refusal_of(model_of(applied(name, a + b))), "accepted") << name;
  }
  for (const auto* name : {"divide", "power", "quotient", "implies", "minus", "neq"}) {
    EXPECT_NE(refusal_of(model_of(applied(name, a + b + n))), "accepted") << name;
    EXPECT_NE(refusal_of(model_of(applied(name, ""))), "accepted") << name;
  }
  EXPECT_NE(refusal_of(model_of(applied("max", ""))), "accepted");
}

TEST(Maths, refuses_functions_that_call_themselves_or_use_what_is_outside) {
  const std::string call = "<apply><ci>f</ci>" + a + "</apply>";
  const std::string f_calls_g = function("f", "x", "<apply><ci>g</ci><ci>x</ci></apply>");
  const std::string g_calls_f = function("g", "x", "<apply><ci>f</ci><ci>x</ci></apply>");
  EXPECT_EQ(refusal_of(model_of(call, functions(f_calls_g + g_calls_f))), "m.xml:3: function f calls itself");
  EXPECT_EQ(refusal_of(model_of(call, functions(function("f", "x", "<ci>a</ci>")))),
            "m.xml:4: function f uses a, which is not among its arguments, in the assignment rule of p");
  EXPECT_EQ(refusal_of(model_of(call, functions(function("f", "xy", "<ci>x</ci>")))),
            "m.xml:4: function f takes 2 arguments, not 1, in the assignment rule of p");
}

TEST(Maths, functions_that_double_at_every_call_are_refused_before_they_fill_the_memory) {
  std::string all = function("f0", "x", applied("sin", "<ci>x</ci>"));
  for (int i = 1; i < 60; ++i) {
    const std::string inner = "<ci>f" + std::to_string(i - 1) + "</ci>";
    all += function("f" + std::to_string(i), "x",
                    "<apply>" + inner + "<apply>" + inner + "<ci>x</ci></apply></apply>");
  }
  EXPECT_NE(refusal_of(model_of("<apply><ci>f59</ci>" + a + "</apply>", functions(all))), "accepted");
}
