#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "generate/condition.hpp"
#include "generate/data.hpp"

/// Data sets whose truth is known, and how far samples are from it.
namespace toys {

/// Ding et al. (ICLR 2021), section 5.1: Gaussians of sd 0.02 whose means are on the unit circle at 120
/// angles, 10 points each. The label is the angle as a share of the turn. The plane from -1.5 to 1.5 is the
/// box.
namespace circle {
inline constexpr double sd = 0.02;
inline constexpr int n_conditions = 120, n_points = 10;
/// Conditions at which models are judged: none of them was seen.
inline constexpr int n_judged = 360, n_samples = 100;

kinetune::generate::DataSet data(std::uint64_t seed);
/// Angles of the judged conditions as labels.
double judged_label(int i);

/// Of n_samples vectors (unit box) at each judged condition, or few of them where a test must be quick.
struct Quality {
  double share_within_4_sd = 0;  ///< of all samples
  double modes_recovered = 0;    ///< share of conditions with one such sample
  double squared_w2 = 0;         ///< between Gaussians with the samples' and the true moments; mean
  double sample_sd = 0;          ///< root of the mean variance of a coordinate at a condition
};
class Judge {
 public:
  void add(double label, std::span<const double> x);
  Quality quality() const;

 private:
  double n_ = 0, n_near_ = 0, n_conditions_ = 0, n_recovered_ = 0, w2_ = 0, variance_ = 0;
};
}  // namespace circle

/// Two basins in 4 dimensions at every condition, 3 to 1, that narrow as the label falls.
namespace basins {
inline constexpr double major_share = 0.75;
kinetune::generate::DataSet data(std::uint64_t seed);
struct Quality {
  double in_basins = 0;     ///< share of samples within 5 sd (of this condition) of a basin's centre
  double major_share = 0;   ///< of those, in the larger one; true: 0.75
  double sd_over_true = 0;  ///< root mean square distance from the centre a dimension, of those
};
Quality judge(std::span<const double> x, double label);
}  // namespace basins

/// A curved valley in 20 dimensions: a curve of one parameter t, each coordinate a wave of its own, and
/// Gaussian noise that falls with the label.
namespace valley {
inline constexpr int n_x = 20;
kinetune::generate::DataSet data(std::uint64_t seed);
struct Quality {
  double distance_over_true = 0;  ///< rms distance from the curve over that of true points
  double covered = 0;             ///< share of 20 equal pieces of t with a sample within 3 true distances
  double unevenness = 0;          ///< total variation distance of those pieces' shares from even ones
};
Quality judge(std::span<const double> x, double label);
}  // namespace valley

}  // namespace toys
