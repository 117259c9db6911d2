#pragma once

#include <span>
#include <vector>

namespace kinetune::generate {

/// How an objective value becomes the label that a model is conditioned on; 0 is the best seen, 1 the worst.
enum class LabelTransform {
  rank,     ///< share of values that are smaller: labels are spread evenly whatever the values are
  min_max,  ///< log(fval - min + 1) over its maximum: keeps the distances between good values
};

/// The transform as fitted to some values. Values between those it has seen are interpolated, values beyond
/// get 0 or 1, NaN and infinity get 1.
class LabelMap {
 public:
  LabelMap() = default;
  /// @param fvals  in any order; those that are not finite are left out, one must be left
  LabelMap(LabelTransform, std::span<const double> fvals);
  /// Of what `reference()` told before.
  static LabelMap restored(LabelTransform, std::vector<double> reference);

  double operator()(double fval) const;
  std::vector<double> operator()(std::span<const double> fvals) const;

  /// Distinct values, ascending, each followed by its label.
  const std::vector<double>& reference() const { return reference_; }

 private:
  LabelTransform transform_ = LabelTransform::rank;
  std::vector<double> reference_;
};

}  // namespace kinetune::generate
