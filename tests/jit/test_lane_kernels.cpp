#include <cmath>
#include <functional>
#include <vector>

#include <gtest/gtest.h>

#include "core/random.hpp"
#include "jit/compiled_model.hpp"

using namespace kinetune;
using symbolic::binary;
using symbolic::Expr;
using symbolic::Op;
using symbolic::pow;
using symbolic::unary;

namespace {

/// Every smooth function stands in a rate, and a branch that a parameter chooses.
model::OdeModel zoo() {
  model::OdeModel ode;
  const Expr x = ode.graph->symbol("x"), y = ode.graph->symbol("y"), k = ode.graph->symbol("k"),
             n = ode.graph->symbol("n");
  Expr sum = pow(x, n) / (pow(k, n) + pow(x, n)) + binary(Op::xlogy, x, y) + pow(y, 2.5) + pow(x * y, -0.5) +
             pow(y, -3.0) + unary(Op::acosh, x + 1.5);
  for (const Op op : {Op::exp, Op::log, Op::sin, Op::cos, Op::tan, Op::asin, Op::acos, Op::atan, Op::sinh,
                      Op::cosh, Op::tanh, Op::asinh, Op::atanh}) {
    sum = sum + unary(op, k * x * y);
  }
  ode.parameters = {{"k", k, 0.7}, {"n", n, 2.5}};
  ode.states = {{"x", x, sum * unary(Op::sin, ode.time), k},
                {"y", y, select(binary(Op::less, k, ode.graph->constant(0.6)), x * y, -x / (k + y) / n), n}};
  return ode;
}

class LaneKernels : public testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    if (width > jit::host_lanes()) GTEST_SKIP() << "this processor has no registers of " << width;
  }

  jit::CompiledModel compile(int operations = 600) const {
    return jit::CompiledModel(
        jit::compile({model::flatten(zoo()), {}, {}, {0, 1}}, {.max_operations_per_function = operations,
                                                               .derivatives = jit::Derivatives::second,
                                                               .lanes = width}));
  }

  const int width = GetParam();
};
INSTANTIATE_TEST_SUITE_P(, LaneKernels, testing::Values(4, 8));

/// A point at which the zoo has values.
struct Point {
  double t;
  std::vector<double> x, prelude;

  Point(const jit::CompiledModel& model, std::uint64_t seed) {
    core::RandomStream random(seed, 0);
    t = random.uniform();
    x = {0.2 + 0.6 * random.uniform(), 0.2 + 0.6 * random.uniform()};
    const std::vector<double> parameters{0.3 + 0.6 * random.uniform(), 0.5 + 2.0 * random.uniform()};
    prelude.resize(model.code().n_prelude);
    model.prelude(parameters.data(), prelude.data());
  }
};

using Call =
    std::function<void(const jit::RateKernels&, const double*, const double*, const double*, double*)>;

struct Named {
  const char* name;
  int size;
  Call call;
};

std::vector<Named> kernels(const jit::ModelCode& code) {
  using K = jit::RateKernels;
  const int n = code.n_states, n_jacobian = code.jacobian.n_nonzeros();
  return {{"rates", n, &K::rates},
          {"jacobian", n_jacobian, &K::jacobian},
          {"all", n + n_jacobian + code.rates_by_parameter.n_nonzeros(), &K::rates_and_derivatives},
          {"by time", static_cast<int>(code.curvature.rates_by_time.size()), &K::rates_by_time},
          {"second", code.curvature.n_values, &K::second_derivatives}};
}

std::vector<double> of_one(const jit::CompiledModel& model, const Named& kernel, const Point& p) {
  std::vector<double> out(kernel.size);
  kernel.call(model.of_one_point(), &p.t, p.x.data(), p.prelude.data(), out.data());
  return out;
}

/// The lanes' results, one lane after the other.
std::vector<std::vector<double>> of_lanes(const jit::CompiledModel& model, const Named& kernel,
                                          const std::vector<Point>& points) {
  const std::size_t width = points.size();
  std::vector<double> t(width), x(width * 2), prelude(width * model.code().n_prelude),
      out(width * kernel.size);
  for (std::size_t lane = 0; lane < width; ++lane) {
    t[lane] = points[lane].t;
    for (std::size_t i = 0; i < 2; ++i) x[i * width + lane] = points[lane].x[i];
    for (std::size_t i = 0; i < points[lane].prelude.size(); ++i)
      prelude[i * width + lane] = points[lane].prelude[i];
  }
  kernel.call(model.of_lanes(), t.data(), x.data(), prelude.data(), out.data());
  std::vector<std::vector<double>> results(width);
  for (std::size_t e = 0; e < out.size(); ++e) results[e % width].push_back(out[e]);
  return results;
}

}  // namespace

TEST_P(LaneKernels, each_lane_computes_what_the_kernel_for_one_point_does) {
  for (const int operations : {600, 3}) {  // whole, and cut into many functions
    const auto model = compile(operations);
    ASSERT_EQ(model.code().lanes, width);
    std::vector<Point> points;
    for (int lane = 0; lane < width; ++lane) points.emplace_back(model, lane);
    for (const Named& kernel : kernels(model.code())) {
      const auto side_by_side = of_lanes(model, kernel, points);
      for (int lane = 0; lane < width; ++lane) {
        const auto alone = of_one(model, kernel, points[lane]);
        for (std::size_t e = 0; e < alone.size(); ++e) {
          EXPECT_NEAR(side_by_side[lane][e], alone[e], 2e-13 * (1 + std::fabs(alone[e])))
              << kernel.name << " " << e << " in lane " << lane;
        }
      }
    }
  }
}

TEST_P(LaneKernels, a_lane_has_the_same_bits_whatever_its_place_and_neighbours) {
  const auto model = compile();
  const Point subject(model, 100);
  for (const Named& kernel : kernels(model.code())) {
    const auto expected = of_lanes(model, kernel, std::vector<Point>(width, subject)).front();
    for (int lane = 0; lane < width; ++lane) {
      std::vector<Point> points;
      for (int k = 0; k < width; ++k) points.emplace_back(model, k);
      points[(lane + 1) % width].x = {std::nan(""), -1.0};  // no values there
      points[lane] = subject;
      EXPECT_EQ(of_lanes(model, kernel, points)[lane], expected) << kernel.name;
    }
  }
}

TEST_P(LaneKernels, models_in_which_something_jumps_have_none) {
  auto ode = zoo();
  const Expr x = ode.states[0].symbol;
  ode.states[0].rate = select(binary(Op::less, x, ode.states[1].symbol), x, -x);
  const auto code = jit::compile({model::flatten(ode), {}, {}, {0, 1}},
                                 {.derivatives = jit::Derivatives::second, .lanes = width});
  EXPECT_EQ(code.lanes, 1);
}
