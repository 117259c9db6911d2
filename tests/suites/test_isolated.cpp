#include <cstdlib>

#include <gtest/gtest.h>

#include "suites/isolated.hpp"

using namespace kinetune::suites;

TEST(Isolated, a_result_comes_back_as_it_was) {
  const auto result = run_isolated("a", 60, [] {
    return CaseResult{"a", Verdict::refused, "a reason", "Tag1, Tag2"};
  });
  EXPECT_EQ(result.name, "a");
  EXPECT_EQ(result.verdict, Verdict::refused);
  EXPECT_EQ(result.reason, "a reason");
  EXPECT_EQ(result.tags, "Tag1, Tag2");
}

TEST(Isolated, a_crash_is_a_failure_of_the_case) {
  const auto result = run_isolated("a", 60, []() -> CaseResult { std::abort(); });
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_EQ(result.reason, "crashed");
}

TEST(Isolated, a_case_without_end_is_ended) {
  const auto result = run_isolated("a", 1, []() -> CaseResult {
    for (volatile bool on = true; on;) continue;
    return {};
  });
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_EQ(result.reason, "ended after 1 s");
}
