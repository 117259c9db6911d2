#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/ode_model.hpp"

using namespace kinetune;
using model::flatten;
using model::OdeModel;
using symbolic::Expr;

namespace {

/// Small models by hand.
struct Builder {
  OdeModel model;

  Expr symbol(const std::string& name) { return model.graph->symbol(name); }
  Expr number(double value) { return model.graph->constant(value); }
  void state(const std::string& id, Expr rate, Expr initial) {
    model.states.push_back({id, symbol(id), rate, initial});
  }
  void parameter(const std::string& id, double value) { model.parameters.push_back({id, symbol(id), value}); }
  void constant(const std::string& id, Expr initial) {
    model.initial_constants.push_back({id, symbol(id), initial});
  }
  void derived(const std::string& id, Expr value) {
    model.derived.push_back({id, symbol(id), value, {"m.xml", static_cast<int>(model.derived.size()) + 10}});
  }
};

std::string refusal(const OdeModel& model) {
  try {
    flatten(model);
  } catch (const core::Error& error) {
    return error.what();
  }
  return "accepted";
}

}  // namespace

TEST(Flatten, derived_quantities_disappear_from_rates_whatever_their_order) {
  Builder b;
  b.parameter("k", 2);
  b.derived("twice", 2.0 * b.symbol("once"));  // used before it is defined
  b.derived("once", b.symbol("k") * b.symbol("x"));
  b.state("x", -b.symbol("twice"), b.number(1));

  const auto flat = flatten(b.model);

  EXPECT_EQ(flat.rates[0], -2.0 * (b.symbol("k") * b.symbol("x")));
  EXPECT_EQ(flat.flatten(b.symbol("twice") + 1.0), 2.0 * (b.symbol("k") * b.symbol("x")) + 1.0);
}

TEST(Flatten, initial_values_use_other_initial_values_and_the_derived_quantities_at_the_start) {
  Builder b;
  b.parameter("k", 2);
  b.state("x", b.number(0), b.symbol("k") + 1.0);
  b.state("y", b.number(0), b.symbol("d"));
  b.derived("d", 3.0 * b.symbol("x"));

  const auto flat = flatten(b.model);

  EXPECT_EQ(flat.initials[1], 3.0 * (b.symbol("k") + 1.0));
}

TEST(Flatten, an_initial_constant_keeps_the_value_of_the_start) {
  Builder b;
  b.parameter("k", 2);
  b.constant("c", b.symbol("x") + b.model.time);
  b.state("x", b.symbol("c") * b.symbol("x"), b.symbol("k"));

  const auto flat = flatten(b.model);

  EXPECT_EQ(flat.rates[0], b.symbol("k") * b.symbol("x"));  // not x * x, and time was 0
}

TEST(Flatten, states_and_parameters_keep_their_order) {
  Builder b;
  for (const char* id : {"z", "a", "m"}) b.state(id, b.number(0), b.number(0));
  for (const char* id : {"q", "b"}) b.parameter(id, 1);

  const auto flat = flatten(b.model);

  EXPECT_THAT(flat.state_ids, testing::ElementsAre("z", "a", "m"));
  EXPECT_THAT(flat.parameter_ids, testing::ElementsAre("q", "b"));
}

TEST(Flatten, a_chain_of_definitions_may_be_of_any_length) {
  Builder b;
  constexpr int n = 200'000;
  b.parameter("d0", 0.5);
  for (int i = 1; i <= n; ++i) {
    b.derived("d" + std::to_string(i), unary(symbolic::Op::sin, b.symbol("d" + std::to_string(i - 1))));
  }
  b.state("x", b.symbol("d" + std::to_string(n)), b.number(0));

  const auto flat = flatten(b.model);

  EXPECT_EQ(flat.rates[0].op(), symbolic::Op::sin);
  EXPECT_EQ(flat.replacements.at(b.symbol("d2")),
            unary(symbolic::Op::sin, unary(symbolic::Op::sin, b.symbol("d0"))));
}

TEST(Flatten, a_shared_definition_is_expanded_once) {
  Builder b;  // without sharing, 2^60 terms
  b.parameter("d0", 1);
  for (int i = 1; i <= 60; ++i) {
    const Expr before = b.symbol("d" + std::to_string(i - 1));
    b.derived("d" + std::to_string(i), unary(symbolic::Op::sin, before) * unary(symbolic::Op::cos, before));
  }
  b.state("x", b.symbol("d60"), b.number(0));

  flatten(b.model);

  EXPECT_LT(b.model.graph->size(), 1000u);
}

TEST(Flatten, a_cycle_is_named_in_its_order_with_its_place) {
  Builder b;
  b.parameter("k", 1);
  b.derived("outside", b.symbol("a"));
  b.derived("a", b.symbol("b") + b.symbol("k"));
  b.derived("b", unary(symbolic::Op::exp, b.symbol("c")));
  b.derived("c", 2.0 * b.symbol("a"));

  EXPECT_EQ(refusal(b.model),
            "m.xml:11: quantities are defined by each other: a -> b -> c -> a; break the cycle");
}

TEST(Flatten, initial_values_that_need_each_other_are_refused) {
  Builder b;
  b.state("x", b.number(0), b.symbol("y"));
  b.state("y", b.number(0), b.symbol("x") + 1.0);
  EXPECT_EQ(refusal(b.model), "quantities are defined by each other: x -> y -> x; break the cycle");

  Builder itself;
  itself.constant("c", itself.symbol("c") + 1.0);
  EXPECT_EQ(refusal(itself.model), "quantities are defined by each other: c -> c; break the cycle");
}

TEST(Flatten, rates_may_depend_on_each_others_states) {
  Builder b;
  b.state("x", b.symbol("y"), b.number(1));
  b.state("y", -b.symbol("x"), b.number(0));

  EXPECT_EQ(refusal(b.model), "accepted");
}
