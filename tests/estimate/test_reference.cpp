#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <sstream>
#include <stdexcept>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "core/file.hpp"
#include "core/random.hpp"
#include "estimate/problem_files.hpp"
#include "shared_folder.hpp"

using namespace kinetune;
using namespace kinetune::estimate;
using optimize::Order;

namespace {

/// Log-likelihood and gradient that another program (AMICI, tight tolerances) found at a point near the
/// published optimum.
struct Reference {
  double llh;
  std::map<std::string, double> x;         ///< on the parameters' scales
  std::map<std::string, double> gradient;  ///< of the log-likelihood
};

Reference read_reference(const std::filesystem::path& file) {
  std::istringstream text(core::read_file(file));
  Reference reference;
  std::string line, word;
  std::getline(text, line);
  std::istringstream(line) >> word >> word >> reference.llh;
  std::getline(text, line);  // the header
  while (std::getline(text, line)) {
    std::istringstream cells(line);
    std::string id;
    double x = 0, slope = 0;
    cells >> id >> x >> slope;
    reference.x[id] = x;
    reference.gradient[id] = slope;
  }
  return reference;
}

double norm(const std::vector<double>& v) {
  return std::sqrt(std::inner_product(v.begin(), v.end(), v.begin(), 0.0));
}

double distance(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return std::sqrt(sum);
}

class Benchmark : public testing::TestWithParam<std::tuple<const char*, simulate::Method>> {
 protected:
  void SetUp() override {
    const auto shared = shared_folder();
    const std::string name = std::get<0>(GetParam());
    const auto yaml = shared / "data/petab-benchmarks" / name / (name + ".yaml");
    const auto values = shared / "reference/gradients" / (name + ".tsv");
    if (!std::filesystem::exists(yaml) || !std::filesystem::exists(values)) {
      GTEST_SKIP() << "no public benchmark problems or reference values in " << shared
                   << "; KINETUNE_SHARED names their folder";
    }
    const Joined joined = test::read_joined(yaml);
    problem_ = joined.problem;
    source_ = joined.sources.front();
    code_ = jit::compile(joined.sources.front(),
                         {.derivatives = method() == simulate::Method::cvodes ? jit::Derivatives::first
                                                                              : jit::Derivatives::second});
    reference_ = read_reference(values);
    for (const auto& parameter : problem_.parameters) x_.push_back(reference_.x.at(parameter.id));
  }

  simulate::Method method() const { return std::get<1>(GetParam()); }

  Posterior posterior(Sensitivities sensitivities, simulate::IntegratorOptions options = {}) const {
    options.method = method();
    return Posterior(problem_, {code_}, {options, sensitivities});
  }

  /// Of the log-likelihood alone.
  std::vector<double> gradient(Posterior& posterior) const {
    const auto terms = posterior.assess(x_, Order::gradient);
    if (!terms) throw std::runtime_error(terms.error().reason);
    std::vector<double> gradient;
    for (std::size_t i = 0; i < x_.size(); ++i)
      gradient.push_back(terms->gradient_prior[i] - terms->gradient[i]);
    return gradient;
  }

  Problem problem_;
  jit::ModelSource source_;
  jit::ModelCode code_;
  Reference reference_;
  std::vector<double> x_;
};

const auto problems = testing::Values("Boehm_JProteomeRes2014", "Elowitz_Nature2000", "Sneyd_PNAS2002",
                                      "Rahman_MBS2016", "Bachmann_MSB2011");

std::string name_of(const testing::TestParamInfo<Benchmark::ParamType>& info) {
  return fmt::format("{}_{}", std::get<0>(info.param), simulate::name(std::get<1>(info.param)));
}

INSTANTIATE_TEST_SUITE_P(Reference, Benchmark,
                         testing::Combine(problems,
                                          testing::Values(simulate::Method::cvodes, simulate::Method::rodas5p,
                                                          simulate::Method::rodas4p2)),
                         name_of);

/// What only Rosenbrock methods can.
class RosenbrockBenchmark : public Benchmark {};
INSTANTIATE_TEST_SUITE_P(Reference, RosenbrockBenchmark,
                         testing::Combine(problems, testing::Values(simulate::Method::rodas5p,
                                                                    simulate::Method::rodas4p2)),
                         name_of);

}  // namespace

TEST_P(Benchmark, has_the_log_likelihood_that_another_program_finds) {
  Posterior p = posterior(Sensitivities::forward);
  const auto terms = p.assess(x_, Order::value);
  ASSERT_TRUE(terms) << terms.error().reason;
  EXPECT_NEAR(terms->llh, reference_.llh, 1e-5 * std::fabs(reference_.llh));
}

TEST_P(Benchmark, has_the_gradient_that_another_program_finds) {
  std::vector<double> expected;
  for (const auto& parameter : problem_.parameters) expected.push_back(reference_.gradient.at(parameter.id));
  for (const auto method : {Sensitivities::forward, Sensitivities::adjoint}) {
    Posterior p = posterior(method);
    EXPECT_LT(distance(gradient(p), expected), 1e-4 * norm(expected))
        << (method == Sensitivities::forward ? "forward" : "adjoint");
  }
}

TEST_P(Benchmark, has_forward_and_adjoint_gradients_that_agree) {
  Posterior forward = posterior(Sensitivities::forward), adjoint = posterior(Sensitivities::adjoint);
  const auto by_forward = gradient(forward);
  // Rosenbrock methods are differentiated exactly, CVODES' adjoint equations are integrated by themselves.
  const double tolerance = method() == simulate::Method::cvodes ? 1e-5 : 1e-11;
  EXPECT_LT(distance(by_forward, gradient(adjoint)), tolerance * norm(by_forward));
}

TEST_P(Benchmark, has_the_directional_derivatives_that_central_differences_give) {
  const bool is_exact = method() != simulate::Method::cvodes;  // at any tolerance, but for changes of steps
  Posterior p = posterior(Sensitivities::forward, {.rtol = is_exact ? 1e-8 : 1e-10, .max_steps = 100000});
  const auto terms = p.assess(x_, Order::gradient);
  ASSERT_TRUE(terms) << terms.error().reason;
  const auto fval = [&](const std::vector<double>& direction, double step) {
    std::vector<double> x = x_;
    for (std::size_t i = 0; i < x.size(); ++i) x[i] += step * direction[i];
    const auto value = p.evaluate(x, Order::value);
    return value ? value->fval : std::nan("");
  };
  core::RandomStream random(7, 0);
  for (int k = 0; k < 3; ++k) {
    std::vector<double> direction;
    for (std::size_t i = 0; i < x_.size(); ++i) direction.push_back(2.0 * random.uniform() - 1.0);
    const double size = norm(direction);
    for (double& d : direction) d /= size;
    const double exact = std::inner_product(direction.begin(), direction.end(), terms->gradient.begin(), 0.0);
    // Truncation falls and integration noise grows with smaller steps: the best step shows what agrees.
    double best = std::numeric_limits<double>::infinity();
    std::string study;
    for (const double step : {1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 3e-5}) {
      const double numerical = (fval(direction, step) - fval(direction, -step)) / (2.0 * step);
      const double error = std::fabs(numerical - exact) / norm(terms->gradient);
      if (error < best) best = error;
      study += fmt::format("step {}: {:.2e}\n", step, error);
    }
    EXPECT_LT(best, 1e-5) << study;
  }
}

TEST_P(RosenbrockBenchmark, has_the_same_objective_and_gradient_with_simulations_side_by_side) {
  Posterior one_by_one = posterior(Sensitivities::adjoint);
  const auto expected = one_by_one.assess(x_, Order::gradient);
  ASSERT_TRUE(expected) << expected.error().reason;
  for (const int lanes : {4, 8}) {
    if (lanes > jit::host_lanes()) continue;
    code_ = jit::compile(source_, {.derivatives = jit::Derivatives::second, .lanes = lanes});
    ASSERT_EQ(code_.lanes, lanes);
    Posterior p = posterior(Sensitivities::adjoint, {.lanes = lanes});

    const auto terms = p.assess(x_, Order::gradient);

    ASSERT_TRUE(terms) << terms.error().reason;
    EXPECT_NEAR(terms->llh, expected->llh, 1e-9 * std::fabs(expected->llh));
    EXPECT_LT(distance(terms->gradient, expected->gradient), 1e-8 * norm(expected->gradient));
  }
}
