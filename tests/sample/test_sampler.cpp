#include <cmath>
#include <limits>
#include <set>
#include <string>

#include <gmock/gmock.h>

#include "core/error.hpp"
#include "sample/sampler.hpp"

using namespace kinetune::sample;
using kinetune::core::Error;
using testing::HasSubstr;

namespace {

const Box unit_square(std::vector{0.0, 0.0}, std::vector{1.0, 1.0});

std::string message_of_box(std::vector<double> lower, std::vector<double> upper) {
  try {
    Box box(lower, upper);
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

class EachMethod : public testing::TestWithParam<Method> {};
INSTANTIATE_TEST_SUITE_P(Sampler, EachMethod, testing::Values(Method::uniform, Method::latin_hypercube));

}  // namespace

TEST_P(EachMethod, stays_in_the_bounds_and_keeps_fixed_parameters) {
  const Sampler sampler({GetParam(), 500, 1},
                        Box(std::vector{-5.0, 3.0, -1e-300}, std::vector{-2.0, 3.0, 1e300}));

  for (std::uint64_t id = 0; id < 500; ++id) {
    const auto x = sampler.sample(id);
    EXPECT_GE(x[0], -5.0);
    EXPECT_LE(x[0], -2.0);
    EXPECT_EQ(x[1], 3.0);
    EXPECT_LE(x[2], 1e300);
  }
}

TEST_P(EachMethod, gives_a_start_alone_as_in_a_set) {
  const SamplerOptions options{GetParam(), 20, 7};
  const Sampler all(options, unit_square);
  std::vector<double> in_the_set;
  for (std::uint64_t id = 0; id < 20; ++id) {
    const auto x = all.sample(id);
    if (id == 13) in_the_set = x;
  }

  EXPECT_EQ(Sampler(options, unit_square).sample(13), in_the_set);
}

TEST_P(EachMethod, draws_others_with_another_seed_and_another_id) {
  const Sampler sampler({GetParam(), 20, 7}, unit_square), other({GetParam(), 20, 8}, unit_square);
  EXPECT_NE(sampler.sample(3), other.sample(3));
  EXPECT_NE(sampler.sample(3), sampler.sample(4));
}

TEST_P(EachMethod, has_the_moments_of_the_uniform_distribution) {
  constexpr int n = 20000;
  const Sampler sampler({GetParam(), n, 5}, unit_square);
  double mean = 0, square = 0, product = 0;
  for (int id = 0; id < n; ++id) {
    const auto x = sampler.sample(id);
    mean += (x[0] - 0.5) / n;
    square += std::pow(x[0] - 0.5, 2) / n;
    product += (x[0] - 0.5) * (x[1] - 0.5) / n;
  }
  EXPECT_NEAR(mean, 0.0, 5 * std::sqrt(1.0 / 12 / n));
  EXPECT_NEAR(square, 1.0 / 12, 5 * std::sqrt(1.0 / 180 / n));
  EXPECT_NEAR(product, 0.0, 5 * (1.0 / 12) / std::sqrt(n));
}

TEST_P(EachMethod, refuses_an_id_beyond_the_starts_and_a_study_without_any) {
  EXPECT_THROW(Sampler({GetParam(), 10, 0}, unit_square).sample(10), Error);
  EXPECT_THROW(Sampler({GetParam(), 0, 0}, unit_square), Error);
}

TEST(LatinHypercube, puts_one_start_into_each_stratum_of_each_dimension) {
  constexpr std::uint64_t n = 97;
  const std::vector<double> lower(5, -3.0), upper(5, 2.0);
  const Sampler sampler({Method::latin_hypercube, n, 11}, Box(lower, upper));

  std::vector<std::set<int>> strata(5);
  for (std::uint64_t id = 0; id < n; ++id) {
    const auto x = sampler.sample(id);
    for (int d = 0; d < 5; ++d) strata[d].insert(static_cast<int>((x[d] + 3.0) / 5.0 * n));
  }

  for (const auto& hit : strata) {
    EXPECT_EQ(hit.size(), n);
    EXPECT_EQ(*hit.begin(), 0);
    EXPECT_EQ(*hit.rbegin(), static_cast<int>(n) - 1);
  }
}

TEST(LatinHypercube, of_three_starts_takes_each_order_equally_often) {
  std::vector<int> counts(6);
  for (std::uint64_t seed = 0; seed < 6000; ++seed) {
    const Sampler sampler({Method::latin_hypercube, 3, seed}, Box(std::vector{0.0}, std::vector{3.0}));
    const int first = static_cast<int>(sampler.sample(0)[0]), second = static_cast<int>(sampler.sample(1)[0]);
    ++counts[2 * first +
             (second > 3 - first - second)];  // which is first, and whether the higher of the others follows
  }
  for (const int count : counts) EXPECT_NEAR(count, 1000, 5 * std::sqrt(1000 * 5.0 / 6));
}

TEST(Box, names_the_parameter_whose_bounds_cannot_be_sampled) {
  const double infinity = std::numeric_limits<double>::infinity(), nan = std::nan("");
  EXPECT_THAT(message_of_box({0, 0}, {1, infinity}), HasSubstr("parameter 1"));
  EXPECT_THAT(message_of_box({-infinity, 0}, {1, 1}), HasSubstr("parameter 0"));
  EXPECT_THAT(message_of_box({0, 0, nan}, {1, 1, 1}), HasSubstr("parameter 2"));
  EXPECT_THAT(message_of_box({0, 2}, {1, 1}), HasSubstr("parameter 1"));
  EXPECT_THAT(message_of_box({0, 2}, {1}), HasSubstr("2 lower bounds and 1 upper"));
}
