#include <cmath>
#include <string>

#include <gtest/gtest.h>

#include "estimate/noise.hpp"
#include "estimate/quadrature.hpp"

using namespace kinetune::estimate;
using kinetune::petab::NoiseDistribution;
using kinetune::petab::Scale;
using test::derivative;
using test::integral;

namespace {

struct Case {
  NoiseDistribution distribution;
  Scale transformation;
  std::string name;
};

class EachNoise : public testing::TestWithParam<Case> {
 protected:
  /// The linear value of a transformed one, and its derivative.
  double linear(double z) const {
    if (GetParam().transformation == Scale::linear) return z;
    return GetParam().transformation == Scale::log ? std::exp(z) : std::pow(10.0, z);
  }
  double linear_slope(double z) const {
    if (GetParam().transformation == Scale::linear) return 1.0;
    return GetParam().transformation == Scale::log ? std::exp(z) : std::log(10.0) * std::pow(10.0, z);
  }
  double transformed(double y) const {
    if (GetParam().transformation == Scale::linear) return y;
    return GetParam().transformation == Scale::log ? std::log(y) : std::log10(y);
  }

  NoiseTerm term(double measurement, double value, double sigma) const {
    return noise_term(GetParam().distribution, GetParam().transformation, measurement, value, sigma);
  }

  /// Expectation of g(term) over all measurements, each half of the density by itself: Laplace's has a kink.
  template <class Function>
  double expectation(Function&& g, double value, double sigma) const {
    const double middle = transformed(value);
    const auto weighted = [&](double z) {
      const NoiseTerm t = term(linear(z), value, sigma);
      return g(t) * std::exp(-t.nllh) * linear_slope(z);
    };
    const double gap = 1e-12 * sigma;  // at the kink itself Laplace has no derivative
    return integral(weighted, middle - 40 * sigma, middle - gap) +
           integral(weighted, middle + gap, middle + 40 * sigma);
  }

  const double value_ = 1.7, sigma_ = 0.3;
};
INSTANTIATE_TEST_SUITE_P(Noise, EachNoise,
                         testing::Values(Case{NoiseDistribution::normal, Scale::linear, "normal"},
                                         Case{NoiseDistribution::normal, Scale::log, "log_normal"},
                                         Case{NoiseDistribution::normal, Scale::log10, "log10_normal"},
                                         Case{NoiseDistribution::laplace, Scale::linear, "laplace"},
                                         Case{NoiseDistribution::laplace, Scale::log, "log_laplace"},
                                         Case{NoiseDistribution::laplace, Scale::log10, "log10_laplace"}),
                         [](const auto& info) { return info.param.name; });

}  // namespace

TEST_P(EachNoise, has_a_density_of_the_linear_measurement_that_integrates_to_one) {
  EXPECT_NEAR(expectation([](const NoiseTerm&) { return 1.0; }, value_, sigma_), 1.0, 1e-9);
  EXPECT_NEAR(expectation([](const NoiseTerm&) { return 1.0; }, 0.02, 1.1), 1.0, 1e-9);
}

TEST_P(EachNoise, has_its_median_at_the_simulated_value) {
  const auto above = [](const NoiseTerm& t) { return t.residual > 0.0 ? 1.0 : 0.0; };
  EXPECT_NEAR(expectation(above, value_, sigma_), 0.5, 1e-9);
}

TEST_P(EachNoise, has_sigma_as_the_spread_of_its_residuals) {
  const bool normal = GetParam().distribution == NoiseDistribution::normal;
  const auto spread = [&](const NoiseTerm& t) {
    return normal ? t.residual * t.residual : std::fabs(t.residual);
  };
  EXPECT_NEAR(expectation(spread, value_, sigma_), 1.0, 1e-9);
}

TEST_P(EachNoise, has_the_derivatives_that_finite_differences_give) {
  for (const double measurement : {0.4, 1.69, 5.0}) {
    const NoiseTerm t = term(measurement, value_, sigma_);
    const auto of_value = [&](double v) { return term(measurement, v, sigma_).nllh; };
    const auto of_sigma = [&](double s) { return term(measurement, value_, s).nllh; };
    EXPECT_NEAR(t.by_value, derivative(of_value, value_, 1e-3), 1e-8 * std::fabs(t.by_value) + 1e-9);
    EXPECT_NEAR(t.by_noise, derivative(of_sigma, sigma_, 1e-4), 1e-8 * std::fabs(t.by_noise) + 1e-9);
  }
}

TEST_P(EachNoise, has_as_information_the_expected_product_of_its_derivatives) {
  const NoiseTerm t = term(2.0, value_, sigma_);
  const auto squared = [](double x) { return x * x; };
  const double by_value =
      expectation([&](const NoiseTerm& m) { return squared(m.by_value); }, value_, sigma_);
  const double by_noise =
      expectation([&](const NoiseTerm& m) { return squared(m.by_noise); }, value_, sigma_);
  const double mixed =
      expectation([](const NoiseTerm& m) { return m.by_value * m.by_noise; }, value_, sigma_);
  EXPECT_NEAR(t.information_of_value / by_value, 1.0, 1e-8);
  EXPECT_NEAR(t.information_of_noise / by_noise, 1.0, 1e-8);
  EXPECT_NEAR(mixed, 0.0, 1e-8 * std::sqrt(by_value * by_noise));
}

TEST_P(EachNoise, has_no_finite_density_without_a_positive_sigma_or_a_logarithm) {
  EXPECT_FALSE(std::isfinite(term(2.0, value_, 0.0).nllh));
  EXPECT_FALSE(std::isfinite(term(2.0, value_, -0.1).nllh));
  EXPECT_FALSE(std::isfinite(term(2.0, std::nan(""), sigma_).nllh));
  if (GetParam().transformation == Scale::linear) return;
  EXPECT_FALSE(std::isfinite(term(2.0, -1.0, sigma_).nllh));
  EXPECT_FALSE(std::isfinite(term(2.0, 0.0, sigma_).nllh));
}

TEST(Noise, agrees_with_densities_worked_out_by_hand) {
  // Normal, sigma 0.5, one sigma off: log(sqrt(2 pi) 0.5) + 1/2.
  EXPECT_NEAR(noise_term(NoiseDistribution::normal, Scale::linear, 2.5, 2.0, 0.5).nllh, 0.7257913526, 1e-9);
  // Log10-normal, a decade off at sigma 0.5, measurement 10: the above with 4/2, and log(10 ln 10).
  EXPECT_NEAR(noise_term(NoiseDistribution::normal, Scale::log10, 10.0, 1.0, 0.5).nllh,
              -0.5 * std::log(2.0) + 0.5 * std::log(M_PI) + 2.0 + std::log(10.0 * std::log(10.0)), 1e-12);
  // Log-Laplace, scale 2, value e times the measurement 3: log(4) + log(3) + 1/2.
  EXPECT_NEAR(noise_term(NoiseDistribution::laplace, Scale::log, 3.0, 3.0 * M_E, 2.0).nllh,
              std::log(12.0) + 0.5, 1e-12);
}
