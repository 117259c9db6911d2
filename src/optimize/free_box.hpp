#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace kinetune::optimize {

/// The bounds of a problem, less the parameters that they fix. A minimiser sees the free part alone; the rest
/// stays at its bound. "full" vectors are (n_x), "free" ones (n_free).
class FreeBox {
 public:
  /// @throws core::Error that names the parameter's index when bounds are NaN, crossed or leave nothing
  /// between them
  FreeBox(std::span<const double> lower, std::span<const double> upper);

  std::size_t size() const { return full_lower_.size(); }
  std::size_t n_free() const { return free_.size(); }
  std::span<const double> lower() const { return lower_; }  ///< (n_free)
  std::span<const double> upper() const { return upper_; }  ///< (n_free)

  /// @throws core::Error that names the parameter's index when a full vector is outside, or of the wrong size
  void require_inside(std::span<const double> full) const;

  std::vector<double> free_vector(std::span<const double> full) const;
  std::vector<double> free_matrix(
      std::span<const double> full) const;  ///< row-major (n_x, n_x) to (n_free, n_free)
  std::vector<double> free_columns(
      std::span<const double> full) const;  ///< row-major (n_rows, n_x) to (n_rows, n_free)
  /// The full vector of a free one. Components outside by rounding are put on the bound.
  std::vector<double> full_vector(std::span<const double> free) const;

  /// max_i |x_i - clamp(x_i - gradient_i)|; free vectors
  double projected_gradient_norm(std::span<const double> x, std::span<const double> gradient) const;

 private:
  std::vector<double> full_lower_, full_upper_;
  std::vector<std::size_t> free_;  ///< indices, ascending
  std::vector<double> lower_, upper_;
};

}  // namespace kinetune::optimize
