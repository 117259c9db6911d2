#include <cmath>

#include <fmt/format.h>

#include "core/error.hpp"
#include "sample/designs.hpp"
#include "sample/finite_field.hpp"
#include "sample/streams.hpp"

namespace kinetune::sample {
namespace {

using Strata = std::vector<std::vector<std::uint32_t>>;  // (dimension, n)

/// base^exponent, or `limit` if that is less.
std::uint64_t power(std::uint64_t base, std::size_t exponent, std::uint64_t limit) {
  std::uint64_t result = 1;
  for (std::size_t i = 0; i < exponent && result < limit; ++i) result *= base;
  return std::min(result, limit);
}

constexpr std::uint64_t most_starts = std::uint64_t{1} << 32;

bool is_grid(std::uint64_t s, std::uint64_t n, std::size_t dimension) {
  return power(s, dimension, n + 1) == n;
}

/// Levels a dimension of the full grid of n cells; 0 if there is none.
std::uint64_t grid_levels(std::uint64_t n, std::size_t dimension) {
  const auto about = static_cast<std::uint64_t>(
      std::llround(std::pow(static_cast<double>(n), 1.0 / static_cast<double>(dimension))));
  return about >= 2 && is_grid(about, n, dimension) ? about : 0;
}

/// Levels of Bose's array of n rows; 0 if there is none.
std::uint64_t bose_levels(std::uint64_t n, std::size_t dimension) {
  const auto q = static_cast<std::uint64_t>(std::llround(std::sqrt(static_cast<double>(n))));
  const bool fits = q * q == n && q + 1 >= dimension;
  return fits && FiniteField::of_order(static_cast<std::uint32_t>(q)) ? q : 0;
}

/// The number of starts closest to n that can be laid out.
std::uint64_t nearest_feasible(std::uint64_t n, std::size_t dimension) {
  const auto feasible = [dimension](std::uint64_t m) {
    return grid_levels(m, dimension) > 0 || bose_levels(m, dimension) > 0;
  };
  for (std::uint64_t away = 1;; ++away) {
    if (away < n && feasible(n - away)) return n - away;
    if (feasible(n + away)) return n + away;
  }
}

/// One random order of the levels 0 … s-1 for each pair of dimensions, the same for all points: that is what
/// makes the jitter correlated.
std::vector<std::uint32_t> level_order(const Block& block, std::uint64_t s, std::size_t d, std::size_t k,
                                       std::size_t dimension) {
  return random_order(static_cast<std::uint32_t>(s), stratum_stream(block, d * dimension + k));
}

/// A point is a cell of the grid, its index has one digit a dimension. In dimension d the digit of d says
/// which of s slabs the point lies in, and the digits of the other dimensions, in turn, which stratum of the
/// slab.
Strata full_grid(const Block& block, std::uint64_t s, std::size_t dimension) {
  Strata strata(dimension, std::vector<std::uint32_t>(block.n));
  for (std::size_t d = 0; d < dimension; ++d) {
    for (std::size_t turn = 0; turn < dimension; ++turn) {
      const std::size_t k = (d + turn) % dimension;
      const std::uint64_t divisor = power(s, k, most_starts);
      const auto order = level_order(block, s, d, k, dimension);
      for (std::uint64_t i = 0; i < block.n; ++i)
        strata[d][i] = static_cast<std::uint32_t>(strata[d][i] * s + order[i / divisor % s]);
    }
  }
  return strata;
}

/// Bose's array: row (a, b) has the levels a, b, and a + m b for the elements m of the field of q elements
/// but 0 (Bose 1938). The q rows of one level are told apart by the digit that does not determine it.
Strata bose(const Block& block, std::uint64_t q, std::size_t dimension) {
  const FiniteField field = *FiniteField::of_order(static_cast<std::uint32_t>(q));
  Strata strata(dimension, std::vector<std::uint32_t>(block.n));
  for (std::size_t d = 0; d < dimension; ++d) {
    const auto levels = random_order(static_cast<std::uint32_t>(q), stratum_stream(block, d));
    std::vector<std::vector<std::uint32_t>> within;
    for (std::uint64_t level = 0; level < q; ++level)
      within.push_back(
          random_order(static_cast<std::uint32_t>(q), stratum_stream(block, dimension + d * q + level)));
    std::vector<std::uint32_t> multiples;  // of b = 0, 1, …
    for (std::uint32_t b = 0; d >= 2 && b < q; ++b)
      multiples.push_back(field.multiply(static_cast<std::uint32_t>(d - 1), b));
    for (std::uint64_t i = 0; i < block.n; ++i) {
      const auto a = static_cast<std::uint32_t>(i / q), b = static_cast<std::uint32_t>(i % q);
      const std::uint32_t level = d == 0 ? a : d == 1 ? b : field.add(a, multiples[b]);
      const std::uint32_t other = d == 0 ? b : a;
      strata[d][i] = static_cast<std::uint32_t>(levels[level] * q + within[level][other]);
    }
  }
  return strata;
}

}  // namespace

std::unique_ptr<const Design> make_multi_jittered(const Block& block, std::size_t dimension) {
  if (block.n < most_starts && dimension > 0) {
    if (const auto s = grid_levels(block.n, dimension))
      return make_stratified(block, full_grid(block, s, dimension));
    if (const auto q = bose_levels(block.n, dimension))
      return make_stratified(block, bose(block, q, dimension));
  }
  throw core::Error(
      {}, fmt::format("a multi-jittered design of {} starts in {} dimensions", block.n, dimension),
      fmt::format("the nearest number that can be laid out is {}: a whole number to the power of {}, or the "
                  "square of a prime's power that is not less than {}",
                  nearest_feasible(std::min(block.n, most_starts - 1), std::max<std::size_t>(dimension, 1)),
                  dimension, dimension > 0 ? dimension - 1 : 0));
}

}  // namespace kinetune::sample
