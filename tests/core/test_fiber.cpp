#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/fiber.hpp"

using kinetune::core::Fiber;

TEST(Fiber, goes_on_where_it_paused) {
  std::string said;
  Fiber fiber([&](const Fiber::Pause& pause) {
    for (int i = 0; i < 3; ++i) {
      said += static_cast<char>('a' + i);
      pause();
    }
    said += '!';
  });
  for (int i = 0; i < 3; ++i) {
    fiber.resume();
    said += ' ';
    EXPECT_FALSE(fiber.has_ended());
  }
  fiber.resume();
  EXPECT_TRUE(fiber.has_ended());
  EXPECT_EQ(said, "a b c !");
}

TEST(Fiber, several_of_them_take_turns_and_keep_what_is_theirs) {
  constexpr int n = 50;
  std::vector<double> results(n);
  std::vector<Fiber> fibers;
  for (int i = 0; i < n; ++i) {
    fibers.emplace_back([&results, i](const Fiber::Pause& pause) {
      double sum = 0;
      for (int k = 1; k <= 10; ++k) {
        sum += std::sqrt(i * k);
        pause();
      }
      results[i] = sum;
    });
  }
  for (int round = 0; round <= 10; ++round) {
    for (Fiber& fiber : fibers) fiber.resume();
  }
  for (int i = 0; i < n; ++i) {
    double sum = 0;
    for (int k = 1; k <= 10; ++k) sum += std::sqrt(i * k);
    EXPECT_TRUE(fibers[i].has_ended());
    EXPECT_EQ(results[i], sum);
  }
}

TEST(Fiber, may_catch_what_is_thrown_in_it) {
  bool caught = false;
  Fiber fiber([&](const Fiber::Pause& pause) {
    try {
      pause();
      throw 1;
    } catch (int) {
      caught = true;
    }
  });
  fiber.resume();
  fiber.resume();
  EXPECT_TRUE(caught);
}
