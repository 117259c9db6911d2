#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "core/random.hpp"
#include "generate/condition.hpp"
#include "generate/data.hpp"
#include "generate/options.hpp"

namespace kinetune::generate {

/// Which points count as near a label, by the rules of Ding et al. (ICLR 2021, supplementary S.4): labels are
/// perturbed with sigma = (4 sd^5 / (3 n))^(1/5), and kappa is a multiple of the largest gap between
/// neighbouring labels. On isolated labels that gap is enormous; the distance to the k-th nearest label is
/// the other choice. Points that failed are near only to conditions that failed.
class Vicinities {
 public:
  /// @param labels (n) in [0, 1]   @param outcomes (n)
  Vicinities(std::span<const double> labels, std::span<const Outcome> outcomes, const GeneratorOptions&);

  double sigma() const { return sigma_; }
  /// Around a label. With the largest-gap rule the same everywhere.
  double kappa(Condition) const;
  /// Half width of the labels that soft weights above 1e-3 reach, or kappa for hard ones.
  double reach(double kappa) const;
  /// 1 for hard vicinity, exp(-(distance / kappa)^2) for soft.
  double weight(double distance, double kappa) const;
  double distance(double a, double b) const;

  /// The label moved by sigma; back on the axis where it left it.
  double perturbed(double label, core::RandomStream&) const;
  /// Uniform within reach of the label, on the axis.
  double near_label(double label, double kappa, core::RandomStream&) const;
  /// A row within reach, each with the same probability; the nearest if there is none.
  std::size_t near_row(Condition, double kappa, core::RandomStream&) const;

 private:
  struct Group {
    std::vector<double> labels;  ///< ascending; on a circle once more at -1 and +1
    std::vector<std::size_t> rows;
  };
  const Group& group(Outcome) const;
  double on_axis(double label) const;

  LabelAxis axis_;
  Vicinity kind_;
  VicinityRule rule_;
  std::size_t neighbours_;
  double sigma_, largest_gap_kappa_;
  std::array<Group, 2> groups_;  ///< by outcome
};

}  // namespace kinetune::generate
