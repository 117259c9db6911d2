#include <cmath>
#include <limits>

#include <gmock/gmock.h>

#include "core/error.hpp"
#include "optimize/free_box.hpp"

using namespace kinetune::optimize;
using kinetune::core::Error;
using testing::ElementsAre;

namespace {
constexpr double infinity = std::numeric_limits<double>::infinity();
const FreeBox box(std::vector{0.0, 5.0, -1.0}, std::vector{2.0, 5.0, infinity});
}  // namespace

TEST(FreeBox, leaves_out_fixed_parameters_and_puts_them_back) {
  EXPECT_EQ(box.n_free(), 2u);
  EXPECT_THAT(box.free_vector(std::vector{1.0, 5.0, 3.0}), ElementsAre(1, 3));
  EXPECT_THAT(box.full_vector(std::vector{1.0, 3.0}), ElementsAre(1, 5, 3));
  EXPECT_THAT(box.free_matrix(std::vector<double>{1, 2, 3, 4, 5, 6, 7, 8, 9}), ElementsAre(1, 3, 7, 9));
  EXPECT_THAT(box.free_columns(std::vector<double>{1, 2, 3, 4, 5, 6}), ElementsAre(1, 3, 4, 6));
}

TEST(FreeBox, puts_what_is_outside_on_the_bound) {
  EXPECT_THAT(box.full_vector(std::vector{2.5, -1.5}), ElementsAre(2, 5, -1));
}

TEST(FreeBox, projected_gradient_counts_only_what_can_be_followed) {
  EXPECT_EQ(box.projected_gradient_norm(std::vector{0.0, 0.0}, std::vector{3.0, 0.5}),
            0.5);  // held at a bound
  EXPECT_EQ(box.projected_gradient_norm(std::vector{0.0, 0.0}, std::vector{-3.0, 0.5}),
            2.0);  // as far as the box goes
  EXPECT_EQ(box.projected_gradient_norm(std::vector{1.0, 1e20}, std::vector{0.0, 1e-7}), 1e-7);
}

TEST(FreeBox, refuses_bounds_with_nothing_between) {
  const double nan = std::nan("");
  EXPECT_THROW(FreeBox(std::vector{1.0}, std::vector{0.0}), Error);
  EXPECT_THROW(FreeBox(std::vector{nan}, std::vector{0.0}), Error);
  EXPECT_THROW(FreeBox(std::vector{0.0}, std::vector{nan}), Error);
  EXPECT_THROW(FreeBox(std::vector{infinity}, std::vector{infinity}), Error);
}
