#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace kinetune::sample {

enum class Method { uniform, latin_hypercube };

struct SamplerOptions {
  Method method = Method::latin_hypercube;
  std::uint64_t n_starts = 100;  ///< ids are 0 … n_starts-1; a Latin hypercube has that many strata
  std::uint64_t seed = 0;        ///< the study's

  /// @throws core::Error
  void validate() const;
};

/// A set of points in the unit box, each computable alone. Immutable, so that threads may share one.
class Design {
 public:
  virtual ~Design() = default;

  /// The point of that id (n_x), in [0, 1). A function of the options and the id alone.
  virtual std::vector<double> point(std::uint64_t id) const = 0;
};

/// @throws core::Error when the method cannot make that many points
std::unique_ptr<const Design> make_design(const SamplerOptions&, std::size_t dimension);

}  // namespace kinetune::sample
