#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/fiber.hpp"
#include "study/evaluation_batch.hpp"

using namespace kinetune;
using namespace kinetune::study;
using optimize::Evaluation;
using optimize::EvaluationFailure;
using optimize::Order;
using testing::ElementsAre;

namespace {

/// fval = x, no value below 0, an exception above 100. Notes what it is asked for together.
class Line final : public optimize::Objective {
 public:
  std::size_t size() const override { return 1; }
  std::span<const double> lower_bounds() const override { return lower_; }
  std::span<const double> upper_bounds() const override { return upper_; }
  std::expected<Evaluation, EvaluationFailure> evaluate(std::span<const double> x, Order order) override {
    if (x[0] > 100) throw std::runtime_error("too far");
    if (x[0] < 0) return std::unexpected(EvaluationFailure{"below", {}});
    Evaluation result{x[0], std::vector<double>(order >= Order::gradient ? 1 : 0, 1.0), {}};
    result.effort = x[0];
    return result;
  }
  std::vector<std::expected<Evaluation, EvaluationFailure>> evaluate_all(
      std::span<const std::vector<double>> points, Order order) override {
    sizes.push_back(points.size());
    firsts.push_back(points.front()[0]);
    return Objective::evaluate_all(points, order);
  }

  std::vector<std::size_t> sizes;
  std::vector<double> firsts;

 private:
  std::vector<double> lower_{-10}, upper_{1000};
};

/// Evaluates at some points, one after the other.
class Caller {
 public:
  Caller(EvaluationBatch& batch, std::vector<double> points, Order order = Order::value)
      : fiber_([this, &batch, points, order](const core::Fiber::Pause& pause) {
          Seat seat(batch, pause);
          for (const double x : points) {
            try {
              const auto result = seat.evaluate(std::vector{x}, order);
              said += result ? std::to_string(static_cast<int>(result->fval)) +
                                   std::string(result->gradient.size(), '\'')
                             : result.error().reason;
            } catch (const std::runtime_error& error) {
              said += error.what();
            }
            said += ' ';
          }
          cpu_seconds = seat.cpu_seconds();
        }) {}
  Caller(const Caller&) = delete;

  void go_on() {
    if (!fiber_.has_ended()) fiber_.resume();
  }
  std::string said;
  double cpu_seconds = 0;

 private:
  core::Fiber fiber_;
};

}  // namespace

TEST(EvaluationBatch, makes_evaluations_together_and_gives_each_caller_its_own) {
  Line line;
  EvaluationBatch batch(line);
  Caller a(batch, {1, 2, 3}), b(batch, {-4, 5}), c(batch, {6});
  for (int round = 0; round < 4; ++round) {
    for (Caller* caller : {&a, &b, &c}) caller->go_on();
    batch.serve();
  }
  EXPECT_EQ(a.said, "1 2 3 ");
  EXPECT_EQ(b.said, "below 5 ");
  EXPECT_EQ(c.said, "6 ");
  EXPECT_THAT(line.sizes, ElementsAre(3, 2, 1));
}

TEST(EvaluationBatch, keeps_orders_apart) {
  Line line;
  EvaluationBatch batch(line);
  Caller a(batch, {1}), b(batch, {2}, Order::gradient), c(batch, {3});
  for (int round = 0; round < 2; ++round) {
    for (Caller* caller : {&a, &b, &c}) caller->go_on();
    batch.serve();
  }
  EXPECT_EQ(a.said + b.said + c.said, "1 2' 3 ");
  EXPECT_THAT(line.sizes, ElementsAre(2, 1));
}

TEST(EvaluationBatch, begins_with_the_seat_whose_last_evaluation_was_most_effort_or_is_not_known) {
  Line line;
  EvaluationBatch batch(line);
  Caller a(batch, {1, 9, 2}), b(batch, {8, 3, 4}), late(batch, {5});
  for (int round = 0; round < 2; ++round) {
    for (Caller* caller : {&a, &b}) caller->go_on();
    batch.serve();
  }
  for (Caller* caller : {&a, &b, &late}) caller->go_on();
  batch.serve();
  for (Caller* caller : {&a, &b, &late}) caller->go_on();  // to their ends
  EXPECT_THAT(line.firsts, ElementsAre(1, 3, 5));
}

TEST(EvaluationBatch, shares_processor_time_out_by_effort) {
  Line line;
  EvaluationBatch batch(line);
  Caller a(batch, {1}), b(batch, {3}), failing(batch, {-2});
  for (int round = 0; round < 2; ++round) {
    for (Caller* caller : {&a, &b, &failing}) caller->go_on();
    batch.serve();
  }
  ASSERT_GT(a.cpu_seconds, 0.0);
  EXPECT_DOUBLE_EQ(b.cpu_seconds, 3 * a.cpu_seconds);
  EXPECT_DOUBLE_EQ(failing.cpu_seconds, 2 * a.cpu_seconds) << "the average";
}

TEST(EvaluationBatch, throws_what_the_objective_throws_where_it_was_asked) {
  Line line;
  EvaluationBatch batch(line);
  Caller a(batch, {101, 7});
  for (int round = 0; round < 3; ++round) {
    a.go_on();
    batch.serve();
  }
  EXPECT_EQ(a.said, "too far 7 ");
}

TEST(EvaluationBatch, forgets_an_evaluation_whose_wait_was_broken_off) {
  Line line;
  EvaluationBatch batch(line);
  Seat seat(batch, [] { throw std::logic_error("broken off"); });
  EXPECT_THROW((void)seat.evaluate(std::vector{1.0}, Order::value), std::logic_error);
  batch.serve();
  EXPECT_TRUE(line.sizes.empty());
}
