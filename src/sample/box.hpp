#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace kinetune::sample {

/// What one parameter is drawn from, by its quantiles: linear between them. Two make a uniform distribution.
struct Quantiles {
  std::vector<double> probabilities;  ///< ascending from 0 to 1
  std::vector<double> values;         ///< ascending, finite
};

/// The finite box that starts are drawn from, on the parameter scale: uniformly, or with quantiles of their
/// own.
class Box {
 public:
  /// @param lower  (n_x)
  /// @param upper  (n_x), upper[i] >= lower[i]; equal bounds fix a parameter
  /// @throws core::Error that names the parameter's index when bounds are infinite, NaN, crossed or of
  /// unequal number
  Box(std::span<const double> lower, std::span<const double> upper);

  explicit Box(std::vector<Quantiles>);

  std::size_t size() const { return quantiles_.size(); }
  const std::vector<Quantiles>& quantiles() const { return quantiles_; }

  /// Maps a point of the unit box [0, 1]^n_x; never leaves the bounds by rounding.
  std::vector<double> at(std::span<const double> unit_point) const;

 private:
  std::vector<Quantiles> quantiles_;
};

}  // namespace kinetune::sample
