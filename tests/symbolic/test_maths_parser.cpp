#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include "symbolic/maths_parser.hpp"

namespace fs = std::filesystem;
using namespace kinetune::symbolic;
using kinetune::core::Error;
using testing::HasSubstr;

namespace {

using Values = std::map<std::string, double>;

double value_of(const std::string& formula, const Values& values = {}) {
  Graph graph;
  return evaluate(parse_maths(graph, formula), [&](Expr symbol) { return values.at(symbol.name()); });
}

std::string message_for(const std::string& formula) {
  Graph graph;
  try {
    parse_maths(graph, formula, {"observables.tsv", 3});
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

fs::path shared_folder() {
  const char* given = std::getenv("KINETUNE_SHARED");
  return given ? fs::path(given) : fs::path(KINETUNE_SOURCE_DIR) / ".." / "shared";
}

}  // namespace

TEST(MathsParser, agrees_with_every_case_of_petabs_test_suite) {
  const fs::path file = shared_folder() / "data/petab-test-suite/v2.0.0/math_tests.yaml";
  if (!fs::exists(file)) GTEST_SKIP() << "the PEtab test suite is not here";
  const Values values{{"a", 3.0}, {"b", 5.0}};

  int n_cases = 0;
  for (const auto& entry : YAML::LoadFile(file.string())["cases"]) {
    const auto formula = entry["expression"].as<std::string>();
    const auto expected = value_of(entry["expected"].as<std::string>(), values);
    const auto found = value_of(formula, values);
    if (std::isinf(expected)) {
      EXPECT_EQ(found, expected) << formula;
    } else {
      EXPECT_NEAR(found, expected, 1e-14 * std::max(1.0, std::fabs(expected))) << formula;
    }
    ++n_cases;
  }
  EXPECT_GT(n_cases, 90);
}

TEST(MathsParser, powers_bind_from_the_right_and_before_signs) {
  EXPECT_EQ(value_of("2^3^2"), 512);
  EXPECT_EQ(value_of("-3^2"), -9);
  EXPECT_EQ(value_of("(-3)^2"), 9);
  EXPECT_EQ(value_of("2^-1^2*8"), 4);
}

TEST(MathsParser, quotients_and_differences_bind_from_the_left) {
  EXPECT_EQ(value_of("24 / 4 / 3 * 2"), 4);
  EXPECT_EQ(value_of("10 - 4 - 3 + 1"), 4);
  EXPECT_EQ(value_of("2 / 3"), 2.0 / 3.0);
}

TEST(MathsParser, not_binds_before_comparisons) {
  EXPECT_EQ(value_of("!2 < 3"), 1);  // (!2) < 3
  EXPECT_EQ(value_of("!(2 < 3)"), 0);
}

TEST(MathsParser, names_become_symbols_of_the_graph) {
  Graph graph;
  const Expr formula = parse_maths(graph, "scale_1 * (A + time)");
  EXPECT_EQ(free_symbols(formula).size(), 3u);
  EXPECT_EQ(parse_maths(graph, "A + time"), graph.symbol("A") + graph.symbol("time"));
}

TEST(MathsParser, a_function_name_without_arguments_is_a_symbol) {
  EXPECT_EQ(value_of("sec * exp(min)", {{"sec", 2.0}, {"min", 0.0}}), 2);
}

TEST(MathsParser, numbers_come_in_every_usual_form) {
  EXPECT_EQ(value_of("1.5E-3"), 1.5e-3);
  EXPECT_EQ(value_of(".5"), 0.5);
  EXPECT_EQ(value_of("2."), 2);
  EXPECT_EQ(value_of("\t1 +\r\n 2 "), 3);
  EXPECT_TRUE(std::isnan(value_of("nan")));
}

TEST(MathsParser, logarithms_take_a_base_as_second_argument) {
  EXPECT_NEAR(value_of("log(8, 2)"), 3, 1e-15);
  EXPECT_NEAR(value_of("log2(8) + log10(1000) + ln(exp(2))"), 8, 1e-14);
}

TEST(MathsParser, reads_back_what_to_string_writes) {
  Graph graph;
  const std::string formula =
      "piecewise(asinh(x) - 2.5 * y^-2, x < 1 && !(y == 2), max(x, -y), y <= 3, floor(y) / ceil(x + 0.5))";
  const Expr written = parse_maths(graph, formula);
  const Expr read = parse_maths(graph, to_string(written));
  for (const double x : {0.5, 1.5}) {
    for (const double y : {2.0, 2.7, 3.5}) {
      const auto values = [&](Expr symbol) { return symbol.name() == "x" ? x : y; };
      EXPECT_DOUBLE_EQ(evaluate(read, values), evaluate(written, values)) << x << " " << y;
    }
  }
}

TEST(MathsParser, errors_tell_the_place_what_stands_there_and_what_was_expected) {
  EXPECT_EQ(message_for("k1 * + "),
            "observables.tsv:3: formula 'k1 * + ', column 8: found the end of the formula; "
            "expected a number, a name, a function or '('");
  EXPECT_THAT(message_for("2 x"), HasSubstr("column 3: found 'x'; expected an operator"));
  EXPECT_THAT(message_for("(a + b"), HasSubstr("column 7: found the end of the formula; expected ')'"));
  EXPECT_THAT(message_for("µ + 1 $"), HasSubstr("column 1: found 'µ'"));
  EXPECT_THAT(message_for("a1 + 1 $"), HasSubstr("column 8: found '$'"));
  EXPECT_THAT(message_for("a ** 2"), HasSubstr("expected '^' for a power"));
  EXPECT_THAT(message_for("1 < x < 2"), HasSubstr("column 7: found '<'"));
  EXPECT_THAT(message_for("1e999"), HasSubstr("double precision"));
  EXPECT_THAT(message_for(""), HasSubstr("column 1: found the end of the formula"));
  EXPECT_THAT(message_for("x == True"),
              HasSubstr("column 6: found the reserved name 'True'; expected 'true'"));
}

TEST(MathsParser, calls_that_no_function_takes_are_errors) {
  EXPECT_THAT(message_for("1 + foo(x)"), HasSubstr("column 5: found 'foo('"));
  EXPECT_THAT(message_for("exp(x, y)"), HasSubstr("found 2 argument(s) of 'exp'; expected 1 argument"));
  EXPECT_THAT(message_for("pow(x)"), HasSubstr("expected 2 arguments"));
  EXPECT_THAT(message_for("log()"), HasSubstr("found 0 argument(s) of 'log'"));
  EXPECT_THAT(message_for("piecewise(1, x > 0)"),
              HasSubstr("expected piecewise(value, condition, ..., otherwise)"));
}

TEST(MathsParser, hostile_nesting_is_refused_before_the_stack_ends) {
  const std::size_t deep = 300'000;
  EXPECT_THAT(message_for(std::string(deep, '(')), HasSubstr("nested too deeply"));
  EXPECT_THAT(message_for(std::string(deep, '-') + "1"), HasSubstr("nested too deeply"));
  std::string tower = "x";
  for (int i = 0; i < 100'000; ++i) tower += "^x";
  EXPECT_THAT(message_for(tower), HasSubstr("nested too deeply"));
  EXPECT_THAT(message_for(std::string(2'000'000, ' ') + "1"), HasSubstr("refused"));
}

TEST(MathsParser, a_long_sum_is_one_node) {
  std::string formula = "s0";
  for (int i = 1; i < 20'000; ++i) formula += " + s" + std::to_string(i);
  Graph graph;
  EXPECT_EQ(parse_maths(graph, formula).args().size(), 20'000u);
}

TEST(MathsParser, identifiers_are_letters_digits_and_underscores) {
  for (const char* good : {"a", "_1", "observable_A1", "Z9_"}) EXPECT_TRUE(is_identifier(good)) << good;
  for (const char* bad : {"", "1a", "a b", "a-b", "ä", "a "}) EXPECT_FALSE(is_identifier(bad)) << bad;
}
