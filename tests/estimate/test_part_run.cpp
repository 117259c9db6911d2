#include <cmath>

#include <gtest/gtest.h>

#include "core/random.hpp"
#include "estimate/chain.hpp"
#include "estimate/exchange.hpp"

using namespace kinetune;
using namespace kinetune::estimate;
using namespace kinetune::estimate::test;
using optimize::Order;

namespace {

/// Objectives whose simulations go side by side, and one by one.
class InLanes : public testing::TestWithParam<std::tuple<int, Sensitivities>> {
 protected:
  void SetUp() override {
    if (width > jit::host_lanes()) GTEST_SKIP() << "this processor has no registers of " << width;
  }

  Posterior posterior(const Joined& joined, int lanes) const {
    std::vector<jit::ModelCode> codes;
    for (const auto& source : joined.sources)
      codes.push_back(jit::compile(source, {.derivatives = jit::Derivatives::second, .lanes = lanes}));
    simulate::IntegratorOptions integrator{.rtol = 1e-8, .method = simulate::Method::rodas5p};
    integrator.lanes = lanes;
    return Posterior(joined.problem, codes,
                     {.integrator = integrator, .sensitivities = std::get<1>(GetParam())});
  }

  const int width = std::get<0>(GetParam());
};
INSTANTIATE_TEST_SUITE_P(, InLanes,
                         testing::Combine(testing::Values(4, 8),
                                          testing::Values(Sensitivities::forward, Sensitivities::adjoint)));

/// Around x, some of them far away.
std::vector<std::vector<double>> points_around(const std::vector<double>& x, int n) {
  std::vector<std::vector<double>> points;
  core::RandomStream random(11, 0);
  for (int i = 0; i < n; ++i) {
    points.push_back(x);
    for (double& v : points.back()) v += (0.02 + 0.02 * (i % 5)) * (2.0 * random.uniform() - 1.0);
  }
  return points;
}

void expect_near(const optimize::Evaluation& a, const optimize::Evaluation& b) {
  EXPECT_NEAR(a.fval, b.fval, 1e-9 * (1.0 + std::fabs(b.fval)));
  ASSERT_EQ(a.gradient.size(), b.gradient.size());
  double size = 0.0;
  for (const double g : b.gradient) size = std::max(size, std::fabs(g));
  for (std::size_t i = 0; i < a.gradient.size(); ++i)
    EXPECT_NEAR(a.gradient[i], b.gradient[i], 1e-9 * (1.0 + size));
}

void expect_same(Posterior& together, Posterior& alone, const std::vector<std::vector<double>>& points) {
  for (const Order order : {Order::value, Order::gradient}) {
    const auto results = together.evaluate_all(points, order);
    ASSERT_EQ(results.size(), points.size());
    for (std::size_t i = 0; i < points.size(); ++i) {
      ASSERT_TRUE(results[i]) << results[i].error().reason;
      const auto expected = alone.evaluate(points[i], order);
      ASSERT_TRUE(expected) << expected.error().reason;
      expect_near(*results[i], *expected);
      const auto single = together.evaluate(points[i], order);  // the same bits in whatever company
      ASSERT_TRUE(single);
      EXPECT_EQ(single->fval, results[i]->fval);
      EXPECT_EQ(single->gradient, results[i]->gradient);
    }
  }
}

}  // namespace

TEST_P(InLanes, several_points_evaluate_as_one_by_one) {
  ProblemFiles files;
  write_chain(files);
  const Joined joined = files.joined();
  Posterior together = posterior(joined, width), alone = posterior(joined, 1);
  expect_same(together, alone, points_around(chain_x, 13));
}

TEST_P(InLanes, a_point_that_fails_leaves_the_others_alone) {
  ProblemFiles files;
  write_chain(files);
  const Joined joined = files.joined();
  Posterior together = posterior(joined, width);
  auto points = points_around(chain_x, 10);
  const auto healthy = together.evaluate_all(points, Order::gradient);
  points[3][0] = 400.0;  // a rate constant beyond all numbers

  const auto results = together.evaluate_all(points, Order::gradient);

  for (std::size_t i = 0; i < points.size(); ++i) {
    EXPECT_EQ(results[i].has_value(), i != 3);
    if (results[i]) {
      EXPECT_EQ(results[i]->gradient, healthy[i]->gradient);
    }
  }
}

TEST_P(InLanes, simulations_may_begin_and_end_in_steady_states_and_change_in_between) {
  ExchangeFiles files;
  files.write("parameters.tsv",
              "parameterId\tlowerBound\tupperBound\tnominalValue\testimate\nk2\t0\t10\t0.3\ttrue\n"
              "a0\t0\t10\t2\ttrue\nk_late\t0\t10\t0.8\ttrue\ndose\t0\t10\t1.5\ttrue\n");
  files.write("conditions.tsv",
              "conditionId\ttargetId\ttargetValue\nrest\tk1\t0.4\nunrest\tk1\tk_late\n"
              "start\tA\tA + dose\nlater\tk1\tk1 / 2 + 0.25\n");
  files.write("experiments.tsv",
              "experimentId\ttime\tconditionId\ne\t-inf\trest\ne\t0\tstart\ne\t10\tlater\n"
              "f\t-inf\trest\nf\t0\tlater\ng\t-inf\tunrest\ng\t0\tlater\n");
  files.write("measurements.tsv",
              "observableId\texperimentId\ttime\tmeasurement\nyA\te\t3\t1\nyA\tg\t3\t1\nyA\tf\t3\t1\n"
              "yB\te\t12\t1.5\nyB\t\t2\t0.5\nyA\te\tinf\t1\n");
  const Joined joined = files.joined();
  Posterior together = posterior(joined, width), alone = posterior(joined, 1);
  expect_same(together, alone, points_around({0.35, 1.8, 0.7, 1.4}, 7));
}

TEST_P(InLanes, shares_have_the_same_bits_in_any_company) {
  ProblemFiles files;
  write_chain(files);
  const Joined joined = files.joined();
  Posterior p = posterior(joined, width), carried = posterior(joined, width);
  carried.set_carrier([&](std::span<const double> x, Order order) {
    ShareOutcomes all;
    for (std::size_t share = 0; share < p.n_shares(); ++share) {
      auto one = p.evaluate_shares(x, order, std::vector{share});
      EXPECT_FALSE(one.failure);
      all.sums.push_back(std::move(one.sums.front()));
    }
    return all;
  });
  const auto combined = carried.assess(chain_x, Order::gradient);
  const auto whole = p.assess(chain_x, Order::gradient);
  ASSERT_TRUE(combined && whole);
  EXPECT_EQ(combined->fval(), whole->fval());
  EXPECT_EQ(combined->gradient, whole->gradient);
}
