#pragma once

#include <cstdint>

#include "core/random.hpp"

namespace kinetune::sample {

/// What a random stream of the study's seed is for. The purpose is the top byte of the stream's number and an
/// index the other 56 bits, so streams of different purposes never meet. New purposes get new numbers; a
/// number is never reused.
enum class StreamPurpose : std::uint8_t {
  start = 0,          ///< index = start id: what one start draws for itself
  stratum_order = 1,  ///< index = block << 32 | dimension: the order of a design's strata
  redraw = 2,         ///< index = start id: points that take the place of a start's first one
  exchanges = 3,      ///< index = block: the search for a maximin Latin hypercube
  scrambling = 4,     ///< index = dimension << 32 | leading digits: whether Sobol's next digit is flipped
  directions = 5,     ///< index = direction: along which gradients are checked
};

/// The stream of (study seed, purpose, index). Needs index < 2^56.
core::RandomStream random_stream(std::uint64_t seed, StreamPurpose, std::uint64_t index);

}  // namespace kinetune::sample
