#include <cstdint>

#include <boost/random/sobol.hpp>
#include <fmt/format.h>

#include "core/error.hpp"
#include "sample/designs.hpp"
#include "sample/streams.hpp"

namespace kinetune::sample {
namespace {

constexpr std::size_t most_dimensions = 3667;  // that Boost has direction numbers for
constexpr int n_digits = 32;

class Sobol final : public Design {
 public:
  Sobol(std::uint64_t seed, std::size_t dimension) : seed_(seed), dimension_(dimension) {}

  std::vector<double> point(std::uint64_t id) const override {
    auto stream = random_stream(seed_, StreamPurpose::start, id);
    std::vector<double> unit(dimension_);
    const auto digits = digits_of(id);
    for (std::size_t d = 0; d < dimension_; ++d)
      unit[d] = (static_cast<double>(scrambled(digits[d], d)) + stream.uniform()) * 0x1p-32;
    return unit;
  }

 private:
  /// Boost leaves out the first point, which is 0.
  std::vector<std::uint32_t> digits_of(std::uint64_t id) const {
    std::vector<std::uint32_t> digits(dimension_);
    if (id == 0 || dimension_ == 0) return digits;
    boost::random::sobol sequence(dimension_);
    sequence.discard((id - 1) * dimension_);
    for (std::uint32_t& d : digits) d = static_cast<std::uint32_t>(sequence() >> n_digits);
    return digits;
  }

  /// Each digit is flipped or not depending on all digits before it.
  std::uint32_t scrambled(std::uint32_t digits, std::size_t dimension) const {
    std::uint64_t before = 1;  // with a leading one, so that prefixes of different lengths differ
    std::uint32_t result = 0;
    for (int k = n_digits - 1; k >= 0; --k) {
      const std::uint32_t digit = digits >> k & 1u;
      auto flips = random_stream(seed_, StreamPurpose::scrambling,
                                 static_cast<std::uint64_t>(dimension) << n_digits | before);
      result = result << 1 | (digit ^ static_cast<std::uint32_t>(flips.bits() & 1u));
      before = before << 1 | digit;
    }
    return result;
  }

  std::uint64_t seed_;
  std::size_t dimension_;
};

}  // namespace

std::unique_ptr<const Design> make_sobol(const Block& block, std::size_t dimension) {
  if (dimension > most_dimensions)
    throw core::Error({}, fmt::format("a Sobol sequence in {} dimensions", dimension),
                      fmt::format("there are direction numbers for {}; use lhs", most_dimensions));
  if (block.first + block.n > std::uint64_t{1} << n_digits)
    throw core::Error({}, fmt::format("a Sobol sequence of {} starts", block.first + block.n),
                      "use uniform starts for more than 4294967296");
  return std::make_unique<Sobol>(block.seed, dimension);
}

}  // namespace kinetune::sample
