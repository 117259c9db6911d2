#pragma once

#include <cstdint>

#include "core/random.hpp"

namespace kinetune::generate {

/// What a random stream of a model's seed is for: the top byte of its number, the index is the rest. The
/// numbers begin above those of other modules, so that one seed can serve a whole study.
enum class Stream : std::uint8_t {
  split = 64,   ///< which runs are held out
  weights,      ///< first weights of the networks
  order,        ///< index = epoch: the order of points
  noise,        ///< index = epoch: what a training step draws
  validation,   ///< noise of validation, the same in every epoch
  preparation,  ///< what comes before the first epoch
  search,       ///< index = trial: its options
  measure,      ///< samples and subsets that measures are taken on
  score,        ///< index = held-out point: samples beside it
};

inline core::RandomStream stream(std::uint64_t seed, Stream purpose, std::uint64_t index) {
  return {seed, static_cast<std::uint64_t>(purpose) << 56 | index};
}

}  // namespace kinetune::generate
