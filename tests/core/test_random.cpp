#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "core/random.hpp"

using kinetune::core::RandomStream;

TEST(RandomStream, is_philox_as_its_authors_publish_it) {
  // Random123's kat_vectors: philox4x64 10, counter 0, key 0, answers 16554d9eca36314c db20fe9d672d0fdc
  // d7e772cee186176b 7e68b68aec7ba23b
  RandomStream stream(0, 0);
  EXPECT_EQ(stream.bits(), 0x7e68b68aec7ba23bu);
  EXPECT_EQ(stream.bits(), 0xd7e772cee186176bu);
  EXPECT_EQ(stream.bits(), 0xdb20fe9d672d0fdcu);
  EXPECT_EQ(stream.bits(), 0x16554d9eca36314cu);
}

TEST(RandomStream, streams_of_one_seed_differ_and_repeat) {
  RandomStream a(7, 1), again(7, 1), b(7, 2);
  const auto first = a.bits();
  EXPECT_EQ(first, again.bits());
  EXPECT_NE(first, b.bits());
}

TEST(RandomStream, moments_are_those_of_the_distributions) {
  RandomStream stream(3, 4);
  constexpr int n = 200000;
  double uniform = 0, normal = 0, square = 0;
  for (int i = 0; i < n; ++i) {
    uniform += stream.uniform();
    const double z = stream.normal();
    normal += z;
    square += z * z;
  }
  EXPECT_NEAR(uniform / n, 0.5, 5 * std::sqrt(1.0 / 12 / n));
  EXPECT_NEAR(normal / n, 0.0, 5 / std::sqrt(n));
  EXPECT_NEAR(square / n, 1.0, 5 * std::sqrt(2.0 / n));
}

TEST(RandomStream, below_covers_its_range_evenly) {
  RandomStream stream(5, 6);
  std::vector<int> counts(3);
  for (int i = 0; i < 30000; ++i) ++counts[stream.below(3)];
  for (const int count : counts) EXPECT_NEAR(count, 10000, 5 * std::sqrt(10000 * 2.0 / 3));
}
