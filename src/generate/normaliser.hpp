#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace kinetune::generate {

/// Takes vectors of the unit box to what networks work on, and back. A dimension without spread is no matter
/// for a network: it is left out, and comes back as the value it always had.
class Normaliser {
 public:
  enum class Scale {
    unit,      ///< as it is
    standard,  ///< mean 0 and sd 1
    logit,     ///< logit of the box shrunk by a hundredth to its middle, then mean 0 and sd 1
  };

  Normaliser() = default;
  /// @param x  (n, n_x), row-major, unit box
  Normaliser(Scale, std::span<const double> x, std::size_t n_x);
  static Normaliser restored(Scale, std::vector<double> mean, std::vector<double> spread);

  std::size_t n_x() const { return mean_.size(); }
  std::size_t n_active() const { return active_.size(); }
  /// Dimensions that networks see, ascending.
  const std::vector<std::size_t>& active() const { return active_; }
  /// Of every dimension on the scale, before the division by `spread()`, which is 0 where there is none.
  const std::vector<double>& mean() const { return mean_; }
  const std::vector<double>& spread() const { return spread_; }

  std::vector<float> forward(std::span<const double> x) const;   ///< (n, n_x) to (n, n_active)
  std::vector<double> backward(std::span<const float> z) const;  ///< (n, n_active) to (n, n_x), in the box

 private:
  void find_active();

  Scale scale_ = Scale::unit;
  std::vector<double> mean_, spread_;
  std::vector<std::size_t> active_;
};

}  // namespace kinetune::generate
