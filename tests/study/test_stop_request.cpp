#include <csignal>
#include <string>

#include <gtest/gtest.h>

#include "study/stop_request.hpp"

using kinetune::study::StopRequest;

TEST(StopRequest, is_not_there_at_first) {
  const StopRequest stop;
  EXPECT_FALSE(stop.requested());
  EXPECT_STREQ(stop.reason(), "");
}

TEST(StopRequest, comes_with_each_of_the_signals_that_batch_systems_send) {
  for (const int signal : {SIGINT, SIGTERM, SIGUSR1}) {
    const StopRequest stop;
    std::raise(signal);
    EXPECT_TRUE(stop.requested());
    EXPECT_STREQ(stop.reason(), "signal");
  }
}

TEST(StopRequest, of_one_study_is_not_that_of_the_next) {
  {
    const StopRequest stop;
    std::raise(SIGTERM);
    EXPECT_TRUE(stop.requested());
  }
  const StopRequest next;
  EXPECT_FALSE(next.requested());
}

TEST(StopRequest, comes_when_the_time_is_up) {
  const StopRequest stop(0.0);
  EXPECT_TRUE(stop.requested());
  EXPECT_STREQ(stop.reason(), "time limit");
}

TEST(StopRequestDeathTest, lets_a_second_signal_end_the_process) {
  const auto twice = [] {
    const StopRequest stop;
    std::raise(SIGTERM);
    std::raise(SIGTERM);
  };
  EXPECT_EXIT(twice(), testing::KilledBySignal(SIGTERM), "");
}

TEST(StopRequestDeathTest, leaves_signals_as_they_were) {
  { const StopRequest stop; }
  EXPECT_EXIT(std::raise(SIGUSR1), testing::KilledBySignal(SIGUSR1), "");
}
