#include <set>

#include <gtest/gtest.h>

#include "sample/finite_field.hpp"

using kinetune::sample::FiniteField;

TEST(FiniteField, has_an_order_that_is_a_power_of_a_prime) {
  for (const std::uint32_t q : {2u, 3u, 4u, 8u, 9u, 16u, 25u, 27u, 49u, 81u, 251u, 256u, 32768u})
    EXPECT_TRUE(FiniteField::of_order(q)) << q;
  for (const std::uint32_t q : {0u, 1u, 6u, 12u, 36u, 100u, 255u, 1000u})
    EXPECT_FALSE(FiniteField::of_order(q)) << q;
}

class EachField : public testing::TestWithParam<std::uint32_t> {};

INSTANTIATE_TEST_SUITE_P(Orders, EachField, testing::Values(2, 4, 5, 8, 9, 16, 25, 27));

TEST_P(EachField, satisfies_the_axioms_of_a_field) {
  const std::uint32_t q = GetParam();
  const FiniteField f = *FiniteField::of_order(q);
  for (std::uint32_t a = 0; a < q; ++a) {
    std::set<std::uint32_t> sums, products;
    EXPECT_EQ(f.add(a, 0), a);
    EXPECT_EQ(f.multiply(a, 1), a);
    EXPECT_EQ(f.multiply(a, 0), 0u);
    for (std::uint32_t b = 0; b < q; ++b) {
      sums.insert(f.add(a, b));
      products.insert(f.multiply(a, b));
      EXPECT_EQ(f.add(a, b), f.add(b, a));
      EXPECT_EQ(f.multiply(a, b), f.multiply(b, a));
      for (std::uint32_t c = 0; c < q; ++c) {
        ASSERT_EQ(f.multiply(a, f.add(b, c)), f.add(f.multiply(a, b), f.multiply(a, c)));
        ASSERT_EQ(f.multiply(a, f.multiply(b, c)), f.multiply(f.multiply(a, b), c));
      }
    }
    EXPECT_EQ(sums.size(), q) << "each element has a difference to each other";
    EXPECT_EQ(products.size(), a > 0 ? q : 1) << "and a quotient";
  }
}
