#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace kinetune::sample {

/// The finite box that starts are drawn from, on the parameter scale.
class Box {
 public:
  /// @param lower  (n_x)
  /// @param upper  (n_x), upper[i] >= lower[i]; equal bounds fix a parameter
  /// @throws core::Error that names the parameter's index when bounds are infinite, NaN, crossed or of
  /// unequal number
  Box(std::span<const double> lower, std::span<const double> upper);

  std::size_t size() const { return lower_.size(); }

  /// Maps a point of the unit box [0, 1]^n_x linearly; never leaves the bounds by rounding.
  std::vector<double> at(std::span<const double> unit_point) const;

 private:
  std::vector<double> lower_, upper_;
};

}  // namespace kinetune::sample
