#include "sample/design.hpp"

#include <limits>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "core/error.hpp"
#include "sample/designs.hpp"
#include "sample/streams.hpp"

namespace kinetune::sample {

namespace {

/// Every start draws its own numbers.
class Uniform final : public Design {
 public:
  Uniform(const Block& block, std::size_t dimension) : seed_(block.seed), dimension_(dimension) {}

  std::vector<double> point(std::uint64_t id) const override {
    auto stream = random_stream(seed_, StreamPurpose::start, id);
    std::vector<double> unit(dimension_);
    for (double& u : unit) u = stream.uniform();
    return unit;
  }

 private:
  std::uint64_t seed_;
  std::size_t dimension_;
};

/// The place inside its stratum is the start's own draw.
class Stratified final : public Design {
 public:
  Stratified(const Block& block, std::vector<std::vector<std::uint32_t>> strata)
      : block_(block), width_(1.0 / static_cast<double>(block.n)), strata_(std::move(strata)) {}

  std::vector<double> point(std::uint64_t id) const override {
    auto stream = random_stream(block_.seed, StreamPurpose::start, id);
    std::vector<double> unit;
    unit.reserve(strata_.size());
    for (const auto& stratum : strata_)
      unit.push_back((stratum[id - block_.first] + stream.uniform()) * width_);
    return unit;
  }

 private:
  Block block_;
  double width_;
  std::vector<std::vector<std::uint32_t>> strata_;  ///< (dimension, n)
};

/// The order of the strata is each dimension's own.
std::unique_ptr<const Design> make_latin_hypercube(const Block& block, std::size_t dimension) {
  if (block.n > std::numeric_limits<std::uint32_t>::max())
    throw core::Error({}, fmt::format("a Latin hypercube of {} starts", block.n),
                      "use uniform starts for more than 4294967295");
  std::vector<std::vector<std::uint32_t>> strata;
  for (std::size_t d = 0; d < dimension; ++d)
    strata.push_back(random_order(static_cast<std::uint32_t>(block.n), stratum_stream(block, d)));
  return make_stratified(block, std::move(strata));
}

}  // namespace

core::RandomStream stratum_stream(const Block& block, std::size_t dimension) {
  return random_stream(block.seed, StreamPurpose::stratum_order, block.index << 32 | dimension);
}

std::vector<std::uint32_t> random_order(std::uint32_t n, core::RandomStream stream) {
  std::vector<std::uint32_t> order(n);
  std::iota(order.begin(), order.end(), 0);
  for (std::uint32_t left = n; left > 1; --left) std::swap(order[left - 1], order[stream.below(left)]);
  return order;
}

std::unique_ptr<const Design> make_stratified(const Block& block,
                                              std::vector<std::vector<std::uint32_t>> strata) {
  return std::make_unique<Stratified>(block, std::move(strata));
}

std::unique_ptr<const Design> make_design(Method method, const Block& block, std::size_t dimension) {
  switch (method) {
    case Method::uniform:
      return std::make_unique<Uniform>(block, dimension);
    case Method::latin_hypercube:
      return make_latin_hypercube(block, dimension);
    case Method::maximin:
      return make_maximin(block, dimension);
    case Method::sobol:
      return make_sobol(block, dimension);
    case Method::multi_jittered:
      return make_multi_jittered(block, dimension);
  }
  std::unreachable();
}

}  // namespace kinetune::sample
