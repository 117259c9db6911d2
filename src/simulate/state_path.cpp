#include "simulate/state_path.hpp"

#include <algorithm>

namespace kinetune::simulate {

void StatePath::clear() {
  times_.clear();
  x_.clear();
  slopes_.clear();
  step_ = 0;
}

void StatePath::add(double t, std::span<const double> x, std::span<const double> slopes) {
  times_.push_back(t);
  x_.insert(x_.end(), x.begin(), x.end());
  slopes_.insert(slopes_.end(), slopes.begin(), slopes.end());
  step_ = times_.size() - 1;
}

const double* StatePath::at(double t) {
  while (step_ + 1 < times_.size() && times_[step_] < t) ++step_;
  while (step_ > 1 && times_[step_ - 1] >= t) --step_;
  if (step_ == 0) return x_.data();  // nothing but a start
  const double from = times_[step_ - 1], h = times_[step_] - from;
  const double s = h > 0.0 ? (t - from) / h : 1.0;
  const double at_left = (1.0 + 2.0 * s) * (1.0 - s) * (1.0 - s), at_right = s * s * (3.0 - 2.0 * s);
  const double by_left = h * s * (1.0 - s) * (1.0 - s), by_right = h * s * s * (s - 1.0);
  const double *left = x_.data() + (step_ - 1) * n_, *right = left + n_;
  const double *left_slope = slopes_.data() + (step_ - 1) * n_, *right_slope = left_slope + n_;
  for (std::size_t i = 0; i < n_; ++i) {
    result_[i] =
        at_left * left[i] + at_right * right[i] + by_left * left_slope[i] + by_right * right_slope[i];
  }
  return result_.data();
}

}  // namespace kinetune::simulate
