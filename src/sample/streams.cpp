#include "sample/streams.hpp"

#include <cassert>

namespace kinetune::sample {

core::RandomStream random_stream(std::uint64_t seed, StreamPurpose purpose, std::uint64_t index) {
  constexpr int index_bits = 56;
  assert(index >> index_bits == 0);
  return {seed, static_cast<std::uint64_t>(purpose) << index_bits | index};
}

}  // namespace kinetune::sample
