#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "sample/box.hpp"
#include "sample/design.hpp"

namespace kinetune::sample {

struct SamplerOptions {
  Method method = Method::latin_hypercube;
  std::uint64_t n_starts = 100;  ///< ids are 0 … n_starts-1
  std::uint64_t seed = 0;        ///< the study's
  /// Numbers of starts that the study had before it was given more, ascending. What is added is laid out as a
  /// design of its own, so that the starts before stay as they are.
  std::vector<std::uint64_t> extended_at = {};

  /// To that many starts in all. @throws core::Error when there are more already
  void extend(std::uint64_t n);
  /// @throws core::Error
  void validate() const;
};

/// Start vectors: a design in the unit box, mapped to the bounds. A start depends on (options, box, id)
/// alone, so any rank can compute it without the others.
class Sampler {
 public:
  /// @throws core::Error
  Sampler(const SamplerOptions&, Box);

  /// @param id  below n_starts
  /// @returns (n_x), on the scale of the box
  /// @throws core::Error when there is no such start
  std::vector<double> sample(std::uint64_t id) const;
  /// A uniformly drawn point in place of a start's own, at which the objective failed.
  /// @param attempt  from 0
  std::vector<double> redraw(std::uint64_t id, std::uint64_t attempt) const;

 private:
  SamplerOptions options_;
  Box box_;
  std::vector<std::unique_ptr<const Design>> designs_;  // by block
};

}  // namespace kinetune::sample
