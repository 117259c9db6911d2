#include <gmock/gmock.h>

#include "study/progress.hpp"

using namespace kinetune;
using study::Progress;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

namespace {

store::ResultRow result(double fval, store::StartStatus status = store::StartStatus::converged) {
  store::ResultRow row;
  row.fval = fval;
  row.status = status;
  row.n_fval = 10;
  return row;
}

store::ResultRow failure(const char* reason) {
  store::ResultRow row;
  row.message = reason;
  return row;
}

/// The line that a batch log gets.
std::string drawn(Progress& progress) {
  testing::internal::CaptureStderr();  // not a terminal
  progress.finish();
  return testing::internal::GetCapturedStderr();
}

/// With standard error away from the terminal, so that the test does not depend on where it runs.
Progress make(std::uint64_t n_total, std::uint64_t n_before, double best) {
  testing::internal::CaptureStderr();
  Progress progress(n_total, n_before, best);
  testing::internal::GetCapturedStderr();
  return progress;
}

}  // namespace

TEST(Progress, counts_starts_and_keeps_the_best_fval) {
  Progress progress = make(10, 0, store::not_a_number);
  for (const double fval : {5.0, -2.5, 7.0}) progress.add(result(fval));

  EXPECT_EQ(progress.n_done(), 3u);
  EXPECT_EQ(progress.best(), -2.5);
  EXPECT_THAT(drawn(progress), AllOf(StartsWith("3/10 starts, best fval -2.5, "), HasSubstr("evaluations/s"),
                                     HasSubstr(" to go"), Not(HasSubstr("failed"))));
}

TEST(Progress, tells_failures_by_reason) {
  Progress progress = make(5, 0, store::not_a_number);
  EXPECT_THAT(drawn(progress), HasSubstr("0/5 starts, no fval yet"));
  for (const char* reason : {"too many steps", "rates are not finite", "too many steps"})
    progress.add(failure(reason));

  EXPECT_THAT(progress.failures(), testing::ElementsAre(testing::Pair("rates are not finite", 1),
                                                        testing::Pair("too many steps", 2)));
  EXPECT_THAT(drawn(progress), AllOf(HasSubstr("no fval yet"), HasSubstr("3 failed (most: too many steps)")));
}

TEST(Progress, goes_on_where_an_earlier_session_ended) {
  Progress progress = make(10, 8, 1.5);
  EXPECT_THAT(drawn(progress), AllOf(StartsWith("8/10 starts, best fval 1.5"), Not(HasSubstr("to go"))));
  progress.add(result(3.0));
  progress.add(result(1.0));
  EXPECT_EQ(progress.best(), 1.0);
  EXPECT_THAT(drawn(progress), AllOf(StartsWith("10/10 starts, best fval 1,"), Not(HasSubstr("to go"))));
}

TEST(Progress, draws_nothing_in_a_batch_log_before_its_minute_has_passed) {
  Progress progress = make(10, 0, store::not_a_number);
  testing::internal::CaptureStderr();
  progress.add(result(1.0));
  progress.tick();
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}
