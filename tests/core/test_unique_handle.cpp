#include <gtest/gtest.h>

#include "core/unique_handle.hpp"

namespace {

int destroyed = 0;

struct Policy {
  using type = int;
  static type null() noexcept { return -1; }
  static void destroy(type) noexcept { ++destroyed; }
};
using Handle = kinetune::core::UniqueHandle<Policy>;

}  // namespace

TEST(UniqueHandle, destroys_exactly_once_through_moves) {
  destroyed = 0;
  {
    Handle a(1);
    Handle b(std::move(a));
    Handle c(2);
    c = std::move(b);
    EXPECT_EQ(destroyed, 1);  // what c held
    EXPECT_EQ(c.get(), 1);
    EXPECT_FALSE(a);
    c = std::move(c);
    EXPECT_EQ(destroyed, 1);
  }
  EXPECT_EQ(destroyed, 2);
}

TEST(UniqueHandle, released_is_not_destroyed) {
  destroyed = 0;
  { EXPECT_EQ(Handle(5).release(), 5); }
  EXPECT_EQ(destroyed, 0);
}
