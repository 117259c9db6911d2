#include <cmath>
#include <limits>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "estimate/prior.hpp"
#include "estimate/quadrature.hpp"

using namespace kinetune::estimate;
using kinetune::petab::PriorType;
using test::derivative;
using test::integral;

namespace {

struct PriorCase {
  Prior prior;
  std::string name;
};

bool is_of_parameter_scale(PriorType type) {
  return type == PriorType::parameter_scale_uniform || type == PriorType::parameter_scale_normal ||
         type == PriorType::parameter_scale_laplace;
}

class EachPrior : public testing::TestWithParam<std::tuple<PriorCase, Scale>> {
 protected:
  const Prior& prior() const { return std::get<0>(GetParam()).prior; }
  Scale scale() const { return std::get<1>(GetParam()); }

  double linear(double x) const {
    return scale() == Scale::linear ? x : scale() == Scale::log ? std::exp(x) : std::pow(10.0, x);
  }
  double on_scale(double y) const {
    return scale() == Scale::linear ? y : scale() == Scale::log ? std::log(y) : std::log10(y);
  }
  /// Where on the parameter's scale a value of what the prior is about lies; nothing where no parameter can.
  std::optional<double> place(double z) const {
    switch (prior().type) {
      case PriorType::log_normal:
      case PriorType::log_laplace:
        return on_scale(std::exp(z));
      case PriorType::uniform:
      case PriorType::normal:
      case PriorType::laplace:
        return scale() == Scale::linear || z > 0.0 ? std::optional(on_scale(z)) : std::nullopt;
      default:
        return z;
    }
  }
  double value(double x) const { return prior_term(prior(), scale(), x).value; }
};

INSTANTIATE_TEST_SUITE_P(
    Prior, EachPrior,
    testing::Combine(
        testing::Values(PriorCase{{PriorType::uniform, 0.5, 3.0}, "uniform"},
                        PriorCase{{PriorType::normal, 4.0, 0.4}, "normal"},
                        PriorCase{{PriorType::laplace, 4.0, 0.1}, "laplace"},
                        PriorCase{{PriorType::log_normal, 0.3, 0.4}, "log_normal"},
                        PriorCase{{PriorType::log_laplace, 0.3, 0.1}, "log_laplace"},
                        PriorCase{{PriorType::parameter_scale_uniform, 0.5, 3.0}, "scale_uniform"},
                        PriorCase{{PriorType::parameter_scale_normal, 0.7, 0.4}, "scale_normal"},
                        PriorCase{{PriorType::parameter_scale_laplace, 0.7, 0.4}, "scale_laplace"}),
        testing::Values(Scale::linear, Scale::log, Scale::log10)),
    [](const auto& info) {
      const Scale scale = std::get<1>(info.param);
      return std::get<0>(info.param).name + (scale == Scale::linear ? "_of_linear"
                                             : scale == Scale::log  ? "_of_log"
                                                                    : "_of_log10");
    });

}  // namespace

TEST_P(EachPrior, integrates_to_one_over_what_it_is_a_density_of) {
  const auto [type, a, b, below, above] = prior();
  const bool uniform = type == PriorType::uniform || type == PriorType::parameter_scale_uniform;
  const bool of_log = type == PriorType::log_normal || type == PriorType::log_laplace;
  const auto density = [&](double z) {
    const auto x = place(z);
    // A density of the parameter, seen along its logarithm.
    return x ? std::exp(-value(*x)) * (of_log ? std::exp(z) : 1.0) : 0.0;
  };
  const double tiny = 1e-12;  // no rounding across a uniform's ends, nor onto a kink
  const double total =
      uniform ? integral(density, a + tiny, b - tiny)
              : integral(density, a - 38 * b, a - tiny) + integral(density, a + tiny, a + 38 * b);
  EXPECT_NEAR(total, 1.0, 1e-9);
}

TEST_P(EachPrior, has_the_slope_that_finite_differences_give) {
  for (const double z : {0.55, 0.69, 0.9, 2.1}) {
    const double x = is_of_parameter_scale(prior().type) ? z : place(z).value();
    const PriorTerm term = prior_term(prior(), scale(), x);
    const double numerical = derivative([&](double at) { return value(at); }, x, 1e-4);
    EXPECT_NEAR(term.slope, numerical, 1e-7 * std::fabs(numerical) + 1e-8) << "at " << x;
  }
}

TEST_P(EachPrior, has_a_curvature_that_is_the_second_derivative_of_its_quadratic_part_and_never_negative) {
  const auto [type, a, b, below, above] = prior();
  for (const double offset : {-0.3, 0.0, 0.2}) {
    const auto x = place(a + offset);
    if (!x) continue;
    const double curvature = prior_term(prior(), scale(), *x).curvature;
    EXPECT_GE(curvature, 0.0);
    const bool quadratic = type == PriorType::normal || type == PriorType::log_normal ||
                           type == PriorType::parameter_scale_normal;
    if (!quadratic) {
      EXPECT_EQ(curvature, 0.0);
      continue;
    }
    // ((z(x) - a) / b)^2 / 2 has, without z'', the second derivative (z'(x) / b)^2.
    const auto z = [&, type = type](double at) {
      return type == PriorType::normal       ? linear(at)
             : type == PriorType::log_normal ? std::log(linear(at))
                                             : at;
    };
    const double slope = derivative(z, *x, 1e-4);
    EXPECT_NEAR(curvature, slope * slope / (b * b), 1e-8 * curvature);
  }
}

TEST_P(EachPrior, has_no_support_beyond_the_ends_of_a_uniform_one_and_everywhere_else) {
  const auto [type, a, b, below, above] = prior();
  const bool uniform = type == PriorType::uniform || type == PriorType::parameter_scale_uniform;
  for (const double z : {0.49, 3.01}) {
    const double x = is_of_parameter_scale(type) ? z : place(z).value();
    EXPECT_EQ(std::isfinite(value(x)), !uniform) << "at " << z;
  }
}

TEST(Prior, agrees_with_densities_worked_out_by_hand) {
  // Log-normal at 1 on the log10 scale (linear 10), mean log 10, deviation 1: log(sqrt(2 pi)) + log(10).
  EXPECT_NEAR(prior_term({PriorType::log_normal, std::log(10.0), 1.0}, Scale::log10, 1.0).value,
              0.5 * std::log(2 * M_PI) + std::log(10.0), 1e-12);
  // Laplace with scale 2, 3 from its location: log 4 + 3/2.
  EXPECT_NEAR(prior_term({PriorType::laplace, 1.0, 2.0}, Scale::linear, 4.0).value, std::log(4.0) + 1.5,
              1e-12);
}

TEST(Prior, has_its_bounds_in_its_support_though_they_are_rounded_on_a_scale) {
  // 10^log10(0.3) and 10^log10(0.0123) are less than 0.3 and 0.0123, e^log(10) is more than 10.
  for (const double lower : {0.3, 0.0123, 0.7, 1e-5}) {
    for (const double upper : {10.0, 3.0, 1234.5, 1e5}) {
      Prior truncated{PriorType::normal, 1.0, 2.0};
      truncated.truncated_below = lower;
      truncated.truncated_above = upper;
      for (const Prior& prior : {Prior{PriorType::uniform, lower, upper},
                                 Prior{PriorType::log_uniform, lower, upper}, truncated}) {
        for (const Scale scale : {Scale::linear, Scale::log, Scale::log10}) {
          const auto value = [&](double x) { return prior_term(prior, scale, x).value; };
          const double from = scaled(scale, lower), to = scaled(scale, upper);
          EXPECT_TRUE(std::isfinite(value(from))) << lower;
          EXPECT_TRUE(std::isfinite(value(to))) << upper;
          // As another program's logarithm may have them.
          EXPECT_TRUE(std::isfinite(value(std::nextafter(from, from - 1)))) << lower;
          EXPECT_TRUE(std::isfinite(value(std::nextafter(to, to + 1)))) << upper;
          EXPECT_TRUE(std::isinf(value(scaled(scale, lower * (1 - 1e-12))))) << lower;
          EXPECT_TRUE(std::isinf(value(scaled(scale, upper * (1 + 1e-12))))) << upper;
        }
      }
    }
  }
}

TEST(Prior, of_values_that_a_logarithmic_scale_does_not_have_ends_where_the_scale_does) {
  EXPECT_NEAR(prior_term({PriorType::uniform, -1.0, 3.0}, Scale::log10, -300.0).value, std::log(4.0), 1e-12);
  EXPECT_TRUE(std::isinf(prior_term({PriorType::uniform, -2.0, -1.0}, Scale::log10, 0.0).value));
}

TEST(Prior, of_positive_numbers_has_no_support_below_zero) {
  const auto value = [](PriorType type, double x) {
    return prior_term({type, 2.0, 1.0}, Scale::linear, x).value;
  };
  EXPECT_NEAR(value(PriorType::exponential, 0.0), std::log(2.0), 1e-12);
  EXPECT_NEAR(value(PriorType::chi_square, 0.0), std::log(2.0), 1e-12);
  for (const PriorType type :
       {PriorType::exponential, PriorType::chi_square, PriorType::gamma, PriorType::rayleigh})
    EXPECT_TRUE(std::isinf(value(type, -1e-3)));
}
