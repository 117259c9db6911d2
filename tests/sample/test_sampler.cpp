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
INSTANTIATE_TEST_SUITE_P(Sampler, EachMethod,
                         testing::Values(Method::uniform, Method::latin_hypercube, Method::maximin,
                                         Method::sobol, Method::multi_jittered));

}  // namespace

TEST_P(EachMethod, stays_in_the_bounds_and_keeps_fixed_parameters) {
  const Sampler sampler({GetParam(), 512, 1},
                        Box(std::vector{-5.0, 3.0, -1e-300}, std::vector{-2.0, 3.0, 1e300}));

  for (std::uint64_t id = 0; id < 512; ++id) {
    const auto x = sampler.sample(id);
    EXPECT_GE(x[0], -5.0);
    EXPECT_LE(x[0], -2.0);
    EXPECT_EQ(x[1], 3.0);
    EXPECT_LE(x[2], 1e300);
  }
}

TEST_P(EachMethod, gives_a_start_alone_as_in_a_set) {
  const SamplerOptions options{GetParam(), 25, 7};
  const Sampler all(options, unit_square);
  std::vector<double> in_the_set;
  for (std::uint64_t id = 0; id < 25; ++id) {
    const auto x = all.sample(id);
    if (id == 13) in_the_set = x;
  }

  EXPECT_EQ(Sampler(options, unit_square).sample(13), in_the_set);
}

TEST_P(EachMethod, draws_others_with_another_seed_and_another_id) {
  const Sampler sampler({GetParam(), 25, 7}, unit_square), other({GetParam(), 25, 8}, unit_square);
  EXPECT_NE(sampler.sample(3), other.sample(3));
  EXPECT_NE(sampler.sample(3), sampler.sample(4));
}

TEST_P(EachMethod, has_the_moments_of_the_uniform_distribution) {
  const std::uint64_t n = GetParam() == Method::maximin ? 400 : 19881;  // 141^2
  const auto count = static_cast<double>(n);
  const Sampler sampler({GetParam(), n, 5}, unit_square);
  double mean = 0, square = 0, product = 0;
  for (std::uint64_t id = 0; id < n; ++id) {
    const auto x = sampler.sample(id);
    mean += (x[0] - 0.5) / count;
    square += std::pow(x[0] - 0.5, 2) / count;
    product += (x[0] - 0.5) * (x[1] - 0.5) / count;
  }
  EXPECT_NEAR(mean, 0.0, 5 * std::sqrt(1.0 / 12 / count));
  EXPECT_NEAR(square, 1.0 / 12, 5 * std::sqrt(1.0 / 180 / count));
  EXPECT_NEAR(product, 0.0, 5 * (1.0 / 12) / std::sqrt(count));
}

TEST_P(EachMethod, refuses_an_id_beyond_the_starts_and_a_study_without_any) {
  EXPECT_THROW(Sampler({GetParam(), 9, 0}, unit_square).sample(9), Error);
  EXPECT_THROW(Sampler({GetParam(), 0, 0}, unit_square), Error);
}

TEST_P(EachMethod, of_a_study_that_was_extended_leaves_the_starts_before_as_they_were) {
  SamplerOptions options{GetParam(), 25, 7};
  const Sampler before(options, unit_square);
  options.extend(34);  // by 9
  options.extend(50);  // by 16
  EXPECT_THAT(options.extended_at, testing::ElementsAre(25, 34));
  const Sampler after(options, unit_square);
  std::set<std::vector<double>> all;
  for (std::uint64_t id = 0; id < 50; ++id) {
    all.insert(after.sample(id));
    if (id < 25) {
      EXPECT_EQ(after.sample(id), before.sample(id)) << id;
    }
  }
  EXPECT_EQ(all.size(), 50u);
}

TEST_P(EachMethod, redraws_each_start_in_its_own_way) {
  const Sampler sampler({GetParam(), 25, 7}, unit_square);
  EXPECT_EQ(sampler.redraw(3, 1), sampler.redraw(3, 1));
  std::set<std::vector<double>> all{sampler.sample(3), sampler.sample(4)};
  for (const std::uint64_t id : {3, 4})
    for (const std::uint64_t attempt : {0, 1, 2}) all.insert(sampler.redraw(id, attempt));
  EXPECT_EQ(all.size(), 8u);
}

TEST(SamplerOptions, refuse_fewer_starts_and_extensions_in_disorder) {
  SamplerOptions options{Method::uniform, 10, 0};
  EXPECT_THROW(options.extend(9), Error);
  options.extend(10);
  EXPECT_TRUE(options.extended_at.empty());
  for (const std::vector<std::uint64_t>& at : {std::vector<std::uint64_t>{0}, {10}, {5, 5}, {6, 3}}) {
    options.extended_at = at;
    EXPECT_THROW(options.validate(), Error);
  }
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

TEST(Box, follows_the_quantiles_of_a_parameter_that_has_its_own) {
  const Box box({{{0.0, 0.25, 1.0}, {-1.0, 1.0, 4.0}}, {{0.0, 1.0}, {2.0, 2.0}}});
  EXPECT_THAT(box.at(std::vector{0.0, 0.3}), testing::ElementsAre(-1.0, 2.0));
  EXPECT_THAT(box.at(std::vector{0.125, 0.3}), testing::ElementsAre(0.0, 2.0));
  EXPECT_THAT(box.at(std::vector{0.25, 0.3}), testing::ElementsAre(1.0, 2.0));
  EXPECT_THAT(box.at(std::vector{0.5, 0.3}), testing::ElementsAre(2.0, 2.0));
}

TEST(Box, names_the_parameter_whose_bounds_cannot_be_sampled) {
  const double infinity = std::numeric_limits<double>::infinity(), nan = std::nan("");
  EXPECT_THAT(message_of_box({0, 0}, {1, infinity}), HasSubstr("parameter 1"));
  EXPECT_THAT(message_of_box({-infinity, 0}, {1, 1}), HasSubstr("parameter 0"));
  EXPECT_THAT(message_of_box({0, 0, nan}, {1, 1, 1}), HasSubstr("parameter 2"));
  EXPECT_THAT(message_of_box({0, 2}, {1, 1}), HasSubstr("parameter 1"));
  EXPECT_THAT(message_of_box({0, 2}, {1}), HasSubstr("2 lower bounds and 1 upper"));
}
