#include <gtest/gtest.h>

#include "store/batch.hpp"

using namespace kinetune::store;

namespace {
const Column fval{"/results/fval", ElementType::float64, "objective"};
}

TEST(Batch, rows_of_one_column_are_joined_in_order) {
  Batch batch;
  EXPECT_TRUE(batch.empty());
  batch.append(fval);
  batch.append(fval, std::vector{1.0, 2.0});
  batch.append(fval, std::vector{3.0});
  EXPECT_FALSE(batch.empty());
  EXPECT_EQ(batch.changes().at("/results/fval").values, Values(std::vector{1.0, 2.0, 3.0}));
}

TEST(Batch, replacing_drops_what_was_pending_and_later_rows_follow_it) {
  Batch batch;
  batch.append(fval, std::vector{1.0});
  batch.replace(fval, std::vector{5.0});
  batch.append(fval, std::vector{6.0});
  const Batch::Change& change = batch.changes().at("/results/fval");
  EXPECT_EQ(change.mode, Batch::Mode::replace);
  EXPECT_EQ(change.values, Values(std::vector{5.0, 6.0}));
}
