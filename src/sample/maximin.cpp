#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "core/error.hpp"
#include "sample/designs.hpp"
#include "sample/streams.hpp"

namespace kinetune::sample {
namespace {

constexpr std::uint64_t most_starts = 2000;  // the distances of all pairs are kept
constexpr int exchanges_per_start = 200;     // tried; more bring little

/// A Latin hypercube of whole numbers, in search of one whose points are far from each other.
class Search {
 public:
  Search(const Block& block, std::size_t dimension)
      : n_(static_cast<std::uint32_t>(block.n)), distance2_(std::size_t{n_} * n_) {
    for (std::size_t d = 0; d < dimension; ++d) strata_.push_back(random_order(n_, stratum_stream(block, d)));
    for (std::uint32_t i = 0; i < n_; ++i)
      for (std::uint32_t j = 0; j < n_; ++j) distance2_[i * n_ + j] = squared_distance(i, j);
  }

  /// Exchanges strata of one of the two points that are closest with those of others while that helps.
  void improve(core::RandomStream random) {
    const std::uint64_t n_tries = std::uint64_t{n_} * exchanges_per_start;
    for (std::uint64_t k = 0; k < n_tries && n_ > 2; ++k) {
      const std::uint32_t i = one_of_the_closest(random), j = static_cast<std::uint32_t>(random.below(n_));
      const std::size_t d = random.below(strata_.size());
      if (i != j) exchange_if_better(i, j, strata_[d]);
    }
  }

  std::vector<std::vector<std::uint32_t>> take_strata() { return std::move(strata_); }

 private:
  std::int64_t squared_distance(std::uint32_t i, std::uint32_t j) const {
    std::int64_t sum = 0;
    for (const auto& stratum : strata_) {
      const std::int64_t difference = std::int64_t{stratum[i]} - stratum[j];
      sum += difference * difference;
    }
    return sum;
  }

  /// The nearest neighbours of a few points drawn at random are close enough to the closest of all.
  std::uint32_t one_of_the_closest(core::RandomStream& random) const {
    constexpr int n_drawn = 8;
    std::uint32_t best = 0;
    std::int64_t least = std::numeric_limits<std::int64_t>::max();
    for (int k = 0; k < n_drawn; ++k) {
      const auto i = static_cast<std::uint32_t>(random.below(n_));
      const std::int64_t distance2 = nearest(i);
      if (distance2 < least) {
        least = distance2;
        best = i;
      }
    }
    return best;
  }

  std::int64_t nearest(std::uint32_t i) const {
    std::int64_t least = std::numeric_limits<std::int64_t>::max();
    for (std::uint32_t j = 0; j < n_; ++j)
      if (j != i) least = std::min(least, distance2_[i * n_ + j]);
    return least;
  }

  /// Better: the smaller of the two points' distances to their neighbours grows. Integers, so that every rank
  /// finds the same.
  void exchange_if_better(std::uint32_t i, std::uint32_t j, std::vector<std::uint32_t>& stratum) {
    const std::int64_t before = std::min(nearest(i), nearest(j));
    exchange(i, j, stratum);
    if (std::min(nearest(i), nearest(j)) < before) exchange(i, j, stratum);
  }

  void exchange(std::uint32_t i, std::uint32_t j, std::vector<std::uint32_t>& stratum) {
    const auto square = [](std::int64_t a, std::int64_t b) { return (a - b) * (a - b); };
    for (std::uint32_t k = 0; k < n_; ++k) {
      if (k == i || k == j) continue;
      const std::int64_t change = square(stratum[j], stratum[k]) - square(stratum[i], stratum[k]);
      distance2_[k * n_ + i] = distance2_[i * n_ + k] += change;
      distance2_[k * n_ + j] = distance2_[j * n_ + k] -= change;
    }
    std::swap(stratum[i], stratum[j]);
  }

  std::uint32_t n_;
  std::vector<std::vector<std::uint32_t>> strata_;  ///< (dimension, n)
  std::vector<std::int64_t> distance2_;             ///< (n, n)
};

}  // namespace

std::unique_ptr<const Design> make_maximin(const Block& block, std::size_t dimension) {
  if (block.n > most_starts)
    throw core::Error({}, fmt::format("a maximin Latin hypercube of {} starts", block.n),
                      fmt::format("use {} at most, or sobol, or lhs", most_starts));
  Search search(block, dimension);
  if (dimension > 0) search.improve(random_stream(block.seed, StreamPurpose::exchanges, block.index));
  return make_stratified(block, search.take_strata());
}

}  // namespace kinetune::sample
