#include "simulate/rest_probe.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "simulate/step_control.hpp"

namespace kinetune::simulate {
namespace {

// What grows by so much at an unstable rest does so as a sensitivity, too, unless that is 0.
constexpr double beyond_use = 1e200;

// Of the tolerance: with such errors steps would more than double.
constexpr double hardly_any = 1e-2;

/// Displacements of unlike sizes, so that no mode is left out by symmetry.
double displacement(int state) {
  constexpr double golden_ratio = 1.618033988749895;
  const double turns = state * golden_ratio;
  return 1.0 + (turns - std::floor(turns));
}

}  // namespace

RestProbe::RestProbe(RosenbrockStages& stages)
    : stages_(stages),
      start_(stages.rates_at_start().size()),
      end_(start_.size()),
      values_(stages.size()),
      largest_(start_.size()) {}

void RestProbe::begin(int lane) {
  is_under_way_ &= ~(1u << lane);
  has_given_up_ &= ~(1u << lane);
}

void RestProbe::start(int lane, double h, double horizon) {
  const int width = stages_.width(), n = static_cast<int>(start_.size()) / width;
  PackVector& fresh = end_;  // of no use before the step
  for (int k = 0; k < n; ++k) {
    for (int l = 0; l < width; ++l) fresh[k * width + l] = displacement(k) / (h * stages_.scheme().gamma);
  }
  if (h <= horizon) {
    stages_.matrix().solve(fresh.data());  // damps modes that are over within the step
  } else {
    for (double& value : fresh) value *= h * stages_.scheme().gamma;
  }
  for (int k = 0; k < n; ++k) {
    start_[k * width + lane] = fresh[k * width + lane];
    largest_[k * width + lane] = std::fabs(fresh[k * width + lane]);
  }
  is_under_way_ |= 1u << lane;
}

/// How many states of the lane stay where they are over a step.
int RestProbe::count_resting(int lane, const IntegratorOptions& options, const double* start,
                             const double* end) const {
  int n_resting = 0;
  for (std::size_t at = lane; at < start_.size(); at += stages_.width()) {
    const double none = 1e-3 * options.rtol * std::fabs(start[at]) + 0.1 * options.atol;
    if (std::fabs(end[at] - start[at]) <= none) ++n_resting;
  }
  return n_resting;
}

void RestProbe::add_errors(LaneBits lanes, const double* h, const double* horizon,
                           const IntegratorOptions& options, const double* x, const double* end,
                           double* errors) {
  const int n = static_cast<int>(start_.size()) / stages_.width();
  // A step with this error is followed by one of 1.5 times its length.
  const double growing = std::pow(StepControl::safety / 1.5, stages_.scheme().order);
  double most[8];
  was_tried_ = 0;
  for (int lane = 0; lane < stages_.width(); ++lane) {
    const bool is_easy = has_lane(lanes & ~has_given_up_, lane) && errors[lane] < hardly_any;
    const int n_resting = is_easy ? count_resting(lane, options, x, end) : 0;
    if (n_resting > 0) {
      was_tried_ |= 1u << lane;
      // Where others move, the Jacobian does, and what that makes of stiff displacements is no error.
      most[lane] = n_resting == n ? std::numeric_limits<double>::infinity() : growing;
      if (!has_lane(is_under_way_, lane)) start(lane, h[lane], horizon[lane]);
    } else {
      is_under_way_ &= ~(1u << lane);
    }
  }
  if (was_tried_ == 0) return;
  stages_.displace(start_.data(), values_.data(), end_.data());
  for (int lane = 0; lane < stages_.width(); ++lane) {
    if (!has_lane(was_tried_, lane)) continue;
    if (is_bounded(lane))
      errors[lane] = std::max(errors[lane], std::min(error(lane, options.rtol), most[lane]));
    else
      has_given_up_ |= 1u << lane;
  }
}

bool RestProbe::is_bounded(int lane) const {
  for (std::size_t at = lane; at < end_.size(); at += stages_.width()) {
    if (!(std::fabs(end_[at]) < beyond_use)) return false;
  }
  return true;
}

/// Relative to the largest displacement so far of each state, whatever its unit.
double RestProbe::error(int lane, double rtol) const {
  const int width = stages_.width(), n = static_cast<int>(start_.size()) / width;
  const double* last = values_.data() + (stages_.scheme().n_stages - 1) * stages_.stride();
  // Derivatives need not be as good as states; at loose tolerances they must not be much worse.
  const double tolerance = std::pow(rtol, 0.75);
  double worst = 0.0;
  for (int k = 0; k < n; ++k) {
    const int at = k * width + lane;
    const double size = std::max(largest_[at], std::fabs(end_[at]));
    worst = std::max(worst, std::fabs(last[at]) / (tolerance * size + std::numeric_limits<double>::min()));
  }
  return worst;
}

void RestProbe::accept(LaneBits taken) {
  const int width = stages_.width();
  for (int lane = 0; lane < width; ++lane) {
    if (!has_lane(taken & was_tried_, lane)) continue;
    for (std::size_t at = lane; at < start_.size(); at += width) {
      start_[at] = end_[at];
      largest_[at] = std::max(largest_[at], std::fabs(end_[at]));
    }
  }
}

}  // namespace kinetune::simulate
