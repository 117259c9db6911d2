#include <cmath>

#include <gtest/gtest.h>

#include "model/ode_model.hpp"

using namespace kinetune;
using model::OdeModel;
using model::solve_algebraic;
using symbolic::Expr;

namespace {

/// Parameters x = 1, y = 2, which equations may determine, and k = 3, which they may not.
struct Equations {
  OdeModel model;
  Expr x = model.graph->symbol("x"), y = model.graph->symbol("y"), k = model.graph->symbol("k");

  Equations() {
    model.parameters = {{"x", x, 1}, {"y", y, 2}, {"k", k, 3}};
    model.algebraic_unknowns = {x, y};
  }
  void equation(Expr residual) { model.algebraic.push_back({residual, {"m.xml", 7}}); }

  /// With k = 3, time 0.
  double value(Expr e) {
    const auto flat = model::flatten(model);
    return symbolic::evaluate(flat.flatten(e), [&](Expr symbol) {
      EXPECT_EQ(symbol, k);
      return 3.0;
    });
  }
};

}  // namespace

TEST(Algebraic, linear_equations_are_solved_together) {
  Equations e;  // 2 x + y = 12, x - y = k
  e.equation(2.0 * e.x + e.y - 12.0);
  e.equation(e.x - e.y - e.k);
  solve_algebraic(e.model);
  EXPECT_EQ(e.value(e.x), 5);
  EXPECT_EQ(e.value(e.y), 2);
}

TEST(Algebraic, equations_look_through_derived_quantities) {
  Equations e;
  const Expr twice = e.model.graph->symbol("twice");
  e.model.derived.push_back({"twice", twice, 2.0 * e.x});
  e.equation(twice - e.k);
  solve_algebraic(e.model);
  EXPECT_EQ(e.value(e.x), 1.5);
}

TEST(Algebraic, what_events_set_is_left_to_them) {
  Equations e;
  e.model.parameters.erase(e.model.parameters.begin());
  e.model.states.push_back({"x", e.x, e.model.graph->constant(0), e.model.graph->constant(1)});
  model::Event event;
  event.trigger = e.model.graph->constant(0);
  event.assignments = {{e.x, e.k}};
  e.model.events = {event};
  e.equation(e.x + e.y - e.k);
  solve_algebraic(e.model);
  EXPECT_TRUE(e.model.state("x"));
  EXPECT_TRUE(e.model.derived_quantity("y"));
}

TEST(Algebraic, what_is_not_linear_becomes_a_state_with_a_constraint) {
  Equations e;  // y^3 + y = 10 x = 10 z, z' = 2 from k = 3: y = 3, y' = 20 / (3 y^2 + 1)
  const Expr z = e.model.graph->symbol("z");
  e.model.states.push_back({"z", z, e.model.graph->constant(2), e.k});
  e.equation(e.y * e.y * e.y + e.y - 10.0 * e.x);
  e.equation(e.x - z);
  solve_algebraic(e.model);
  const auto flat = model::flatten(e.model);
  ASSERT_EQ(flat.state_ids, (std::vector<std::string>{"z", "y"}));
  EXPECT_TRUE(flat.initials[1].is_constant(2));  // the model's value, where the solution is looked for
  EXPECT_TRUE(e.model.constraint("y"));
  EXPECT_FALSE(e.model.constraint("z"));
  ASSERT_EQ(flat.constraints.size(), 1);
  EXPECT_EQ(flat.constraints[0].state, 1);
  const auto later = [&](Expr symbol) { return symbol == e.y ? 3.0 : symbol == z ? 5.0 : std::nan(""); };
  EXPECT_NEAR(symbolic::evaluate(flat.constraints[0].residual, later), 30.0 / 10.0 - 5.0, 1e-12);
  EXPECT_NEAR(symbolic::evaluate(flat.rates[1], later), 20.0 / 28.0, 1e-12);
}

TEST(Algebraic, initial_values_that_depend_on_the_solution_of_a_constraint_are_refused_with_its_line) {
  Equations e;
  e.model.algebraic_unknowns = {e.y};
  e.model.states.push_back({"z", e.model.graph->symbol("z"), e.k, 2.0 * e.y});
  e.equation(e.y * e.y - e.k);
  solve_algebraic(e.model);
  try {
    model::flatten(e.model);
    FAIL();
  } catch (const core::Error& error) {
    EXPECT_EQ(error.where().line, 7);
    EXPECT_NE(std::string(error.what()).find("depends on y"), std::string::npos);
  }
}

TEST(Algebraic, what_is_not_linear_in_two_unknowns_is_refused_with_its_line) {
  Equations e;
  e.equation(e.x * e.x + e.y * e.y - e.k);
  try {
    solve_algebraic(e.model);
    FAIL();
  } catch (const core::Error& error) {
    EXPECT_EQ(error.where().line, 7);
  }
}

TEST(Algebraic, more_equations_than_unknowns_are_refused) {
  Equations e;
  e.equation(e.x - e.k);
  e.equation(e.y - e.k);
  e.equation(e.x - e.y - e.k);
  EXPECT_THROW(solve_algebraic(e.model), core::Error);
}
