#include <gtest/gtest.h>

#include "model/ode_model.hpp"

using kinetune::model::OdeModel;

TEST(OdeModel, finds_each_quantity_among_its_own_kind_only) {
  OdeModel model;
  const auto x = model.graph->symbol("x"), k = model.graph->symbol("k");
  model.states.push_back({"x", x, -k * x, model.graph->constant(1)});
  model.parameters.push_back({"k", k, 2.0});

  EXPECT_EQ(model.state("x"), &model.states[0]);
  EXPECT_EQ(model.parameter("k"), &model.parameters[0]);
  EXPECT_EQ(model.state("k"), nullptr);
  EXPECT_EQ(model.derived_quantity("x"), nullptr);
  EXPECT_TRUE(model.has("k"));
  EXPECT_FALSE(model.has("y"));
}
