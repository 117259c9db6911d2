#include <gtest/gtest.h>

#include "core/error.hpp"

using kinetune::core::Error;

TEST(Error, reads_file_line_what_and_suggestion) {
  const Error error({"model.xml", 12}, "species S1 has no compartment", "add one");
  EXPECT_STREQ(error.what(), "model.xml:12: species S1 has no compartment; add one");
}

TEST(Error, leaves_out_what_is_not_known) {
  EXPECT_STREQ(Error({"model.xml", 0}, "no such file").what(), "model.xml: no such file");
  EXPECT_STREQ(Error({}, "unknown option --foo", "see --help").what(), "unknown option --foo; see --help");
}
