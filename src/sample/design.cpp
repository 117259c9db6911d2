#include "sample/design.hpp"

#include <limits>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "core/error.hpp"
#include "sample/streams.hpp"

namespace kinetune::sample {

namespace {

/// Every start draws its own numbers.
class Uniform final : public Design {
 public:
  Uniform(std::uint64_t seed, std::size_t dimension) : seed_(seed), dimension_(dimension) {}

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

/// A uniformly random order of 0 … n-1 (Fisher and Yates).
std::vector<std::uint32_t> random_order(std::uint32_t n, core::RandomStream stream) {
  std::vector<std::uint32_t> order(n);
  std::iota(order.begin(), order.end(), 0);
  for (std::uint32_t left = n; left > 1; --left) std::swap(order[left - 1], order[stream.below(left)]);
  return order;
}

/// In every dimension each of n strata holds one start (McKay et al. 1979, doi:10.2307/1268522). The order of
/// the strata is the dimension's, the place inside its stratum the start's own draw.
class LatinHypercube final : public Design {
 public:
  LatinHypercube(std::uint64_t seed, std::uint32_t n_starts, std::size_t dimension)
      : seed_(seed), width_(1.0 / n_starts) {
    for (std::size_t d = 0; d < dimension; ++d)
      strata_.push_back(random_order(n_starts, random_stream(seed, StreamPurpose::stratum_order, d)));
  }

  std::vector<double> point(std::uint64_t id) const override {
    auto stream = random_stream(seed_, StreamPurpose::start, id);
    std::vector<double> unit;
    unit.reserve(strata_.size());
    for (const auto& stratum : strata_) unit.push_back((stratum[id] + stream.uniform()) * width_);
    return unit;
  }

 private:
  std::uint64_t seed_;
  double width_;
  std::vector<std::vector<std::uint32_t>> strata_;  ///< (dimension, n_starts)
};

}  // namespace

void SamplerOptions::validate() const {
  if (n_starts == 0) throw core::Error({}, "no starts are asked for", "ask for one at least");
  if (method == Method::latin_hypercube && n_starts > std::numeric_limits<std::uint32_t>::max())
    throw core::Error({}, fmt::format("a Latin hypercube of {} starts", n_starts),
                      "use uniform starts for more than 4294967295");
}

std::unique_ptr<const Design> make_design(const SamplerOptions& options, std::size_t dimension) {
  options.validate();
  switch (options.method) {
    case Method::uniform:
      return std::make_unique<Uniform>(options.seed, dimension);
    case Method::latin_hypercube:
      return std::make_unique<LatinHypercube>(options.seed, static_cast<std::uint32_t>(options.n_starts),
                                              dimension);
  }
  std::unreachable();
}

}  // namespace kinetune::sample
