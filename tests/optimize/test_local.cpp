#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <set>
#include <stdexcept>
#include <thread>

#include <gmock/gmock.h>

#include "core/error.hpp"
#include "core/random.hpp"
#include "optimize/local.hpp"
#include "optimize/problems.hpp"

using namespace kinetune::optimize;
using kinetune::core::Error;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

LeastSquares rosenbrock_in(std::vector<double> lower, std::vector<double> upper) {
  return {std::move(lower), std::move(upper), rosenbrock};
}

/// r = exp(x) - 2: the minimum is at log 2.
LeastSquares exponential() {
  return {{-3}, {3}, [](auto x) { return Residuals{{std::exp(x[0]) - 2}, {std::exp(x[0])}}; }};
}

/// Three decays of rates 0.1, 1 and 2: fval is 0 at the truth.
LeastSquares sloppy_decays() {
  return {std::vector(6, -2.0), std::vector(6, 2.0), decays({0, -1, 0.3, 0, 0, 0.3})};
}
const std::vector decays_start{0.5, -0.5, 0.0, 0.5, -0.5, -0.2};

bool was_asked(const LeastSquares& problem, const std::vector<double>& x) {
  return std::ranges::find(problem.asked, x) != problem.asked.end();
}

/// Records the iterates; stops at a given one.
class Recorder final : public Observer {
 public:
  explicit Recorder(std::int64_t stop_at = 1'000'000) : stop_at_(stop_at) {}

  Verdict observe(const Iterate& iterate) override {
    iterates.push_back(iterate);
    points.emplace_back(iterate.x.begin(), iterate.x.end());
    return iterate.iteration == stop_at_ ? Verdict::stop : Verdict::proceed;
  }

  std::vector<Iterate> iterates;  ///< their x are gone; see points
  std::vector<std::vector<double>> points;

 private:
  std::int64_t stop_at_;
};

class EachMethod : public testing::TestWithParam<Method> {
 protected:
  EachMethod() { options.method = GetParam(); }

  Optimum minimum(Objective& problem, const std::vector<double>& x0, Observer* observer = nullptr) const {
    return minimize(problem, x0, options, observer).value();
  }

  LocalOptions options;
};
INSTANTIATE_TEST_SUITE_P(Minimize, EachMethod, testing::ValuesIn(methods),
                         [](const auto& info) { return std::string(name(info.param)); });

}  // namespace

TEST_P(EachMethod, follows_rosenbrocks_valley_to_its_end) {
  auto problem = rosenbrock_in({-2, -2}, {2, 2});
  const auto optimum = minimum(problem, {-1.2, 1});

  EXPECT_TRUE(is_converged(optimum.termination)) << name(optimum.termination);
  EXPECT_NEAR(optimum.x[0], 1, 1e-5);
  EXPECT_NEAR(optimum.x[1], 1, 1e-5);
  EXPECT_DOUBLE_EQ(optimum.fval_start, 24.2 / 2);  // the textbook's 24.2 is r·r
}

TEST_P(EachMethod, needs_no_bounds) {
  auto problem = rosenbrock_in({-infinity, -infinity}, {infinity, infinity});
  EXPECT_NEAR(minimum(problem, {-1.2, 1}).fval, 0, 1e-8);
}

TEST_P(EachMethod, finds_the_minimum_on_an_active_bound) {
  auto problem = rosenbrock_in({-2, -2}, {0.8, 2});  // there x_1 = x_0^2 and fval = (1 - 0.8)^2 / 2
  const auto optimum = minimum(problem, {-1.2, 1});

  EXPECT_EQ(optimum.x[0], 0.8);
  EXPECT_NEAR(optimum.x[1], 0.64, 1e-6);
  EXPECT_NEAR(optimum.fval, 0.02, 1e-12);
  EXPECT_LE(optimum.gradient_norm, options.gradient_tolerance);
}

TEST_P(EachMethod, leaves_the_corners_that_it_starts_in) {
  for (const double corner : {-2.0, 2.0}) {
    auto problem = rosenbrock_in({-2, -2}, {2, 2});
    EXPECT_NEAR(minimum(problem, {corner, corner}).fval, 0, 1e-8);
  }
}

TEST_P(EachMethod, never_asks_outside_the_bounds_nor_twice_at_one_point) {
  auto problem = rosenbrock_in({-1.5, -0.3, -2, -2}, {0.7, 2, 2, 0.5});
  minimum(problem, {-1.2, 1, 2, -2});

  for (const auto& x : problem.asked)
    for (std::size_t i = 0; i < x.size(); ++i) {
      EXPECT_GE(x[i], problem.lower_bounds()[i]);
      EXPECT_LE(x[i], problem.upper_bounds()[i]);
    }
  EXPECT_EQ(std::set(problem.asked.begin(), problem.asked.end()).size(), problem.asked.size());
}

TEST_P(EachMethod, keeps_parameters_with_equal_bounds) {
  auto problem =
      rosenbrock_in({-2, 0.25, -2, -2}, {2, 0.25, 2, 2});  // given x_1 the first pair's best is near 0.5
  const auto optimum = minimum(problem, {0, 0.25, -1.2, 1});

  EXPECT_EQ(optimum.x[1], 0.25);
  EXPECT_NEAR(optimum.x[2], 1, 1e-4);
  const double a = optimum.x[0];
  EXPECT_NEAR(-200 * a * (0.25 - a * a) - (1 - a), 0, 1e-4);  // d fval / d x_0
}

TEST_P(EachMethod, has_nothing_to_do_when_all_parameters_are_fixed) {
  auto problem = rosenbrock_in({3, 4}, {3, 4});
  const auto optimum = minimum(problem, {3, 4});

  EXPECT_EQ(optimum.termination, Termination::gradient);
  EXPECT_THAT(optimum.x, ElementsAre(3, 4));
  EXPECT_EQ(optimum.n_fval, 1);
}

TEST_P(EachMethod, minimises_over_one_parameter) {
  auto problem = exponential();
  EXPECT_NEAR(minimum(problem, {-2.9}).x[0], std::numbers::ln2, 1e-6);
}

TEST_P(EachMethod, copes_with_a_direction_that_nothing_depends_on) {
  LeastSquares problem({-3, -3}, {3, 3}, [](auto x) {
    const double e = std::exp(x[0] + x[1]);
    return Residuals{{e - 2}, {e, e}};
  });
  const auto optimum = minimum(problem, {-2, 1});
  EXPECT_NEAR(optimum.x[0] + optimum.x[1], std::numbers::ln2, 1e-6);
}

TEST_P(EachMethod, fits_a_sloppy_sum_of_decays) {
  auto problem = sloppy_decays();
  const auto optimum = minimum(problem, decays_start);
  // Those that hardly remember curvature crawl here and are stopped by their fval tolerance.
  const bool crawls = GetParam() == Method::bncg || GetParam() == Method::bqnkls;
  EXPECT_LT(optimum.fval, crawls ? 1e-6 : 1e-8);
  EXPECT_GT(optimum.fval_start, 1);
}

TEST_P(EachMethod, backs_off_where_the_objective_fails) {
  auto problem = rosenbrock_in({-2, -2}, {2, 2});
  problem.fails = [](auto x) {
    return x[1] < x[0] * x[0] - 0.05;
  };  // one side of the valley, close to its floor
  const auto optimum = minimum(problem, {-1.2, 1.5});

  EXPECT_NEAR(optimum.fval, 0, 1e-8);
  EXPECT_GT(optimum.n_failed, 0);
}

TEST_P(EachMethod, returns_a_point_that_has_a_value_when_the_minimum_has_none) {
  auto problem = rosenbrock_in({-2, -2}, {2, 2});
  problem.fails = [](auto x) { return x[0] > 0.5; };
  const auto optimum = minimum(problem, {-1.2, 1});

  EXPECT_TRUE(was_asked(problem, optimum.x));
  EXPECT_LE(optimum.x[0], 0.5);
  EXPECT_GT(optimum.x[0], 0.3);  // most of the way along the valley
  EXPECT_DOUBLE_EQ(optimum.fval, problem.evaluate(optimum.x, Order::value)->fval);
  EXPECT_FALSE(optimum.termination == Termination::gradient);
}

TEST_P(EachMethod, takes_a_gradient_that_is_not_finite_for_a_failure) {
  auto problem = rosenbrock_in({-2, -2}, {2, 2});
  problem.is_nan = [](auto x) { return x[1] < x[0] * x[0] - 0.05; };
  const auto optimum = minimum(problem, {-1.2, 1.5});

  EXPECT_NEAR(optimum.fval, 0, 1e-8);
  EXPECT_GT(optimum.n_failed, 0);
}

TEST_P(EachMethod, reports_a_start_without_a_value_as_what_the_objective_says) {
  auto problem = rosenbrock_in({-2, -2}, {2, 2});
  problem.fails = [](auto x) { return x[0] < 0; };
  const auto result = minimize(problem, std::vector{-1.2, 1.0}, options);

  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().why.reason, "too many steps");
  EXPECT_EQ(result.error().why.condition, "condition_1");
  EXPECT_EQ(result.error().why.time, 12.5);
  EXPECT_EQ(problem.asked.size(), 1u);
}

TEST_P(EachMethod, counts_what_it_asked_for) {
  auto problem = rosenbrock_in({-2, -2}, {2, 2});
  const auto optimum = minimum(problem, {-1.2, 1});

  const auto n_asked = static_cast<std::int64_t>(problem.asked.size());
  const Order asked = order(GetParam());
  EXPECT_EQ(optimum.n_fval, n_asked);
  EXPECT_EQ(optimum.n_gradient, n_asked);
  EXPECT_EQ(optimum.n_hessian, asked >= Order::gauss_newton ? n_asked : 0);
  EXPECT_THAT(problem.orders, Each(asked));
}

TEST_P(EachMethod, tells_the_observer_of_every_iterate) {
  auto problem = rosenbrock_in({-2, -2}, {2, 2});
  Recorder recorder;
  const auto optimum = minimum(problem, {-1.2, 1}, &recorder);

  ASSERT_EQ(std::ssize(recorder.iterates), optimum.n_iterations + 1);
  EXPECT_THAT(recorder.points.front(), ElementsAre(-1.2, 1));
  EXPECT_EQ(recorder.points.back(), optimum.x);
  for (std::size_t i = 1; i < recorder.iterates.size(); ++i) {
    EXPECT_EQ(recorder.iterates[i].iteration, static_cast<std::int64_t>(i));
    EXPECT_LE(recorder.iterates[i].fval, recorder.iterates[i - 1].fval);
    EXPECT_GE(recorder.iterates[i].n_fval, recorder.iterates[i - 1].n_fval);
    EXPECT_TRUE(was_asked(problem, recorder.points[i]));
  }
  EXPECT_LE(recorder.iterates.back().gradient_norm, options.gradient_tolerance);
}

TEST_P(EachMethod, stops_when_the_observer_says_so) {
  for (const std::int64_t stop_at : {0, 3}) {
    auto problem = rosenbrock_in({-2, -2}, {2, 2});
    Recorder recorder(stop_at);
    const auto optimum = minimum(problem, {-1.2, 1}, &recorder);
    EXPECT_EQ(optimum.termination, Termination::observer);
    EXPECT_EQ(optimum.n_iterations, stop_at);
  }
}

TEST_P(EachMethod, stops_after_the_evaluation_in_which_the_observer_interrupts) {
  class Interrupter final : public Observer {
   public:
    explicit Interrupter(const LeastSquares& problem) : problem_(problem) {}
    Verdict observe(const Iterate&) override { return Verdict::proceed; }
    bool interrupts() override { return problem_.asked.size() >= 4; }

   private:
    const LeastSquares& problem_;
  };
  auto problem = rosenbrock_in({-2, -2}, {2, 2});
  Interrupter interrupter(problem);
  EXPECT_EQ(minimum(problem, {-1.2, 1}, &interrupter).termination, Termination::observer);
  EXPECT_EQ(problem.asked.size(), 4u);
}

TEST_P(EachMethod, passes_on_what_the_observer_throws) {
  class Thrower final : public Observer {
    Verdict observe(const Iterate& iterate) override {
      if (iterate.iteration == 2) throw std::runtime_error("disk full");
      return Verdict::proceed;
    }
  } thrower;
  auto problem = rosenbrock_in({-2, -2}, {2, 2});
  EXPECT_THROW(minimum(problem, {-1.2, 1}, &thrower), std::runtime_error);
}

TEST_P(EachMethod, passes_on_what_the_objective_throws_and_asks_no_more) {
  auto problem = rosenbrock_in({-2, -2}, {2, 2});
  problem.fails = [&](auto) { return problem.asked.size() == 5 ? throw std::runtime_error("bug") : false; };
  EXPECT_THROW(minimum(problem, {-1.2, 1}), std::runtime_error);
  EXPECT_EQ(problem.asked.size(), 5u);
}

TEST_P(EachMethod, never_exceeds_the_number_of_evaluations) {
  for (const std::int64_t limit : {1, 2, 7, 9}) {
    auto problem = rosenbrock_in({-2, -2}, {2, 2});
    options.max_evaluations = limit;
    const auto optimum = minimum(problem, {-1.2, 1});
    EXPECT_EQ(optimum.termination, Termination::max_evaluations);
    EXPECT_EQ(std::ssize(problem.asked), limit);
    EXPECT_LE(optimum.fval, optimum.fval_start);
    EXPECT_TRUE(was_asked(problem, optimum.x));
  }
}

TEST_P(EachMethod, stops_after_the_number_of_iterations) {
  auto problem = rosenbrock_in({-2, -2}, {2, 2});
  options.max_iterations = 4;
  const auto optimum = minimum(problem, {-1.2, 1});
  EXPECT_EQ(optimum.termination, Termination::max_iterations);
  EXPECT_EQ(optimum.n_iterations, 4);
}

TEST_P(EachMethod, stops_when_its_time_is_over) {
  auto problem = rosenbrock_in({-2, -2}, {2, 2});
  problem.fails = [](auto) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    return false;
  };
  options.max_seconds = 1e-3;
  const auto optimum = minimum(problem, {-1.2, 1});
  EXPECT_EQ(optimum.termination, Termination::max_time);
  EXPECT_EQ(optimum.n_fval, 1);
  EXPECT_GE(optimum.seconds, 2e-3);
}

TEST_P(EachMethod, stops_where_fval_falls_no_more) {
  auto problem = sloppy_decays();
  options.fval_tolerance = 1e-2;
  options.fval_window = 2;
  EXPECT_EQ(minimum(problem, decays_start).termination, Termination::fval_change);
}

TEST_P(EachMethod, stops_at_a_small_step_when_asked_to) {
  auto problem = sloppy_decays();
  options.step_tolerance = 1e-2;
  EXPECT_EQ(minimum(problem, decays_start).termination, Termination::step);
}

TEST_P(EachMethod, admits_that_there_is_no_descent_along_a_wrong_gradient) {
  class Liar final : public Objective {
   public:
    std::size_t size() const override { return 1; }
    std::span<const double> lower_bounds() const override { return lower_; }
    std::span<const double> upper_bounds() const override { return upper_; }
    std::expected<Evaluation, EvaluationFailure> evaluate(std::span<const double> x, Order) override {
      // 0 at the start: More and Thuente's search in TAO takes rises by 1e-10 |fval| for rounding and would
      // creep.
      return Evaluation{
          x[0] * x[0] - 1, {-2 * x[0]}, {2}, {std::numbers::sqrt2 * x[0]}, {-std::numbers::sqrt2}};
    }
    std::string why_no_least_squares() const override { return {}; }

   private:
    std::vector<double> lower_{-5}, upper_{5};
  } liar;
  const auto optimum = minimum(liar, {1});

  EXPECT_EQ(optimum.termination, Termination::no_descent);
  EXPECT_FALSE(is_converged(optimum.termination));
  EXPECT_EQ(optimum.fval, 0);
}

TEST_P(EachMethod, refuses_a_start_outside_the_bounds_before_it_evaluates) {
  auto problem = rosenbrock_in({-2, -2}, {2, 2});
  for (const auto& x0 : {std::vector{0.0, 2.1}, {0.0, std::nan("")}, {0.0}})
    EXPECT_THROW(minimum(problem, x0), Error);
  EXPECT_TRUE(problem.asked.empty());
  try {
    minimum(problem, {0, 2.1});
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("parameter 1 starts at 2.1"));
  }
}

TEST_P(EachMethod, gives_the_same_result_again) {
  auto first = rosenbrock_in({-2, -2}, {2, 2}), second = rosenbrock_in({-2, -2}, {2, 2});
  minimum(first, {-1.2, 1});
  minimum(second, {-1.2, 1});
  EXPECT_EQ(first.asked, second.asked);
}

TEST(Bntr, takes_few_evaluations_on_least_squares) {
  // The bounds are loose. Over 50 starts like these 67 evaluations a start were measured, 52 with a trust
  // region whose subproblem is solved exactly (by eigenvalues), 126 with TAO's own rule for the radius.
  std::int64_t n_fval = 0;
  int n_reached = 0;
  for (std::uint64_t start = 0; start < 20; ++start) {
    auto problem = sloppy_decays();
    kinetune::core::RandomStream stream(11, start);
    std::vector<double> x0(6);
    for (double& x : x0) x = -2 + 4 * stream.uniform();
    const auto optimum = minimize(problem, x0, {.method = Method::bntr}).value();
    n_fval += optimum.n_fval;
    n_reached += optimum.fval < 1e-8;
  }
  EXPECT_LT(n_fval / 20, 100);
  EXPECT_GE(n_reached, 17);
}

TEST(Bntr, an_overflow_inside_petsc_is_a_status) {
  LeastSquares problem({-2, -2}, {2, 2}, [](auto x) {
    return Residuals{{1e153 * x[0], 1e153 * x[1]}, {1e153, 0, 0, 1e153}};  // the Hessian squared overflows
  });
  const auto optimum = minimize(problem, std::vector{1.0, 1.5}, {.method = Method::bntr}).value();
  EXPECT_EQ(optimum.termination, Termination::solver_error);
  EXPECT_THAT(optimum.detail, HasSubstr("PETSc error"));
  EXPECT_THAT(optimum.x, ElementsAre(1.0, 1.5));
}

TEST(Brgn, follows_fval_though_it_sees_the_residuals_alone) {
  auto problem = sloppy_decays();
  problem.constant = -1000;
  const auto optimum = minimize(problem, decays_start, {.method = Method::brgn}).value();
  EXPECT_NEAR(optimum.fval, -1000, 1e-7);
  EXPECT_DOUBLE_EQ(optimum.fval, problem.evaluate(optimum.x, Order::value)->fval);
}

TEST(Brgn, refuses_an_objective_that_is_no_sum_of_squares_before_it_evaluates) {
  class Cosine final : public Objective {
   public:
    std::size_t size() const override { return 1; }
    std::span<const double> lower_bounds() const override { return lower_; }
    std::span<const double> upper_bounds() const override { return upper_; }
    std::expected<Evaluation, EvaluationFailure> evaluate(std::span<const double>, Order) override {
      throw std::logic_error("was asked");
    }

   private:
    std::vector<double> lower_{-5}, upper_{5};
  } cosine;
  try {
    minimize(cosine, std::vector{1.0}, {.method = Method::brgn}).value();
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("brgn fits residuals"));
  }
}

TEST(LocalOptions, are_refused_when_they_make_no_sense) {
  const auto nan = std::nan("");
  for (const LocalOptions& options : {LocalOptions{.gradient_tolerance = -1},
                                      {.fval_tolerance = nan},
                                      {.fval_window = 0},
                                      {.step_tolerance = infinity},
                                      {.max_iterations = -1},
                                      {.max_evaluations = 0},
                                      {.max_seconds = 0},
                                      {.max_seconds = nan},
                                      {.initial_radius = 0}})
    EXPECT_THROW(options.validate(), Error);
  EXPECT_NO_THROW(LocalOptions{}.validate());
}
