#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "sample/box.hpp"
#include "sample/design.hpp"

namespace kinetune::sample {

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

 private:
  std::uint64_t n_starts_;
  Box box_;
  std::unique_ptr<const Design> design_;
};

}  // namespace kinetune::sample
