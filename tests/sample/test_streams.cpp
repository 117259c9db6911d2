#include <set>

#include <gtest/gtest.h>

#include "sample/streams.hpp"

using namespace kinetune::sample;

TEST(Streams, of_different_purposes_and_indices_differ) {
  std::set<std::uint64_t> first_draws;
  for (const auto purpose : {StreamPurpose::start, StreamPurpose::stratum_order})
    for (std::uint64_t index = 0; index < 1000; ++index)
      first_draws.insert(random_stream(9, purpose, index).bits());
  EXPECT_EQ(first_draws.size(), 2000u);
}

TEST(Streams, of_starts_are_numbered_by_the_start_id) {
  EXPECT_EQ(random_stream(9, StreamPurpose::start, 5).bits(), kinetune::core::RandomStream(9, 5).bits());
}
