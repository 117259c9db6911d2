#include <gtest/gtest.h>

#include "core/checksum.hpp"

using kinetune::core::checksum;

TEST(Checksum, of_nothing_is_the_published_value) {
  EXPECT_EQ(checksum(""),
            "99aa06d3014798d86001c324468d497f");  // xxhash's specification, XXH3-128 with seed 0
}

TEST(Checksum, tells_one_changed_byte) { EXPECT_NE(checksum("k1 = 1.0"), checksum("k1 = 1.1")); }
