#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace kinetune::sample {

enum class Method {
  uniform,
  latin_hypercube,  ///< one start in each of n strata of each dimension (McKay et al. 1979,
                    ///< doi:10.2307/1268522)
  maximin,          ///< a Latin hypercube whose starts keep away from each other
  sobol,            ///< Sobol's sequence, scrambled
  multi_jittered,   ///< stratified in each dimension, and in all or each two together
};

/// Some starts of a study with ids that follow each other, laid out together.
struct Block {
  std::uint64_t seed = 0;   ///< the study's
  std::uint64_t index = 0;  ///< of the block in the study
  std::uint64_t first = 0;  ///< id of its first start
  std::uint64_t n = 0;      ///< its number of starts
};

/// A set of points in the unit box, each computable alone. Immutable, so that threads may share one.
class Design {
 public:
  virtual ~Design() = default;

  /// The point of that start (n_x), in [0, 1). A function of method, block and id alone.
  /// @param id  of the block
  virtual std::vector<double> point(std::uint64_t id) const = 0;
};

/// @throws core::Error when the method cannot make that many points
std::unique_ptr<const Design> make_design(Method, const Block&, std::size_t dimension);

}  // namespace kinetune::sample
