#include "simulate/step_control.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace kinetune::simulate {
namespace {

constexpr double most_growth = 6.0, most_shrinkage = 0.2;

/// Root of the mean square of v in units of the tolerance at x.
double norm(std::span<const double> v, std::span<const double> x, const IntegratorOptions& options) {
  double sum = 0.0;
  for (std::size_t i = 0; i < v.size(); ++i) {
    const double relative = v[i] / (options.rtol * std::fabs(x[i]) + options.atol);
    sum += relative * relative;
  }
  return std::sqrt(sum / static_cast<double>(std::max<std::size_t>(v.size(), 1)));
}

}  // namespace

StepControl::StepControl(int order, double start, double end, double longest)
    : order_(order), start_(start), end_(end), longest_(longest) {}

void StepControl::begin(const IntegratorOptions& options, std::span<const double> x,
                        std::span<const double> rates) {
  const double size = norm(x, x, options), speed = norm(rates, x, options);
  // A tenth of the time in which the states change by themselves, shortened as the order asks; or that in
  // which they change by one tolerance.
  const double share = 0.1 * std::pow(options.rtol, 1.0 / order_) * size;
  step_ = speed > 0.0 ? std::max(share, 1.0) / speed : end_ - start_;
}

double StepControl::next(double t) {
  if (longest_ > 0.0) step_ = std::min(step_, longest_);
  const double left = end_ - t;
  is_last_ = step_ > 0.9999 * left;
  tried_ = is_last_ ? left : std::min(step_, 0.5 * left);
  return tried_;
}

bool StepControl::accepts(double error) {
  const double ideal = error > 0.0 ? safety * std::pow(error, -1.0 / order_) : most_growth;
  const double factor = std::isnan(ideal) ? most_shrinkage : std::clamp(ideal, most_shrinkage, most_growth);
  const bool accepted = error <= 1.0;
  if (accepted)
    step_ = std::max(tried_ < step_ ? step_ : 0.0, tried_ * (was_rejected_ ? std::min(factor, 1.0) : factor));
  else
    step_ = tried_ * std::min(factor, safety);
  was_rejected_ = !accepted;
  why_ = std::isfinite(error) ? IntegrationError::error_test : IntegrationError::not_finite;
  return accepted;
}

bool StepControl::is_stuck(double t) const {
  constexpr double rounding = 8 * std::numeric_limits<double>::epsilon();
  return step_ <= rounding * std::max(std::fabs(t), 1e-6 * (end_ - start_));
}

}  // namespace kinetune::simulate
