#include "simulate/rest_probe.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace kinetune::simulate {
namespace {

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

void RestProbe::begin(int lane) { is_under_way_ &= ~(1u << lane); }

void RestProbe::start(int lane, double h, double horizon) {
  const int width = stages_.width(), n = static_cast<int>(start_.size()) / width;
  PackVector fresh(start_.size());
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

/// Whether a state of the lane stays where it is over a step.
bool RestProbe::has_resting_state(int lane, const IntegratorOptions& options, const double* start,
                                  const double* end) const {
  for (std::size_t at = lane; at < start_.size(); at += stages_.width()) {
    const double none = 1e-3 * options.rtol * std::fabs(start[at]) + 0.1 * options.atol;
    if (std::fabs(end[at] - start[at]) <= none) return true;
  }
  return false;
}

void RestProbe::add_errors(LaneBits lanes, const double* h, const double* horizon,
                           const IntegratorOptions& options, const double* x, const double* end,
                           double* errors) {
  was_tried_ = 0;
  for (int lane = 0; lane < stages_.width(); ++lane) {
    if (has_lane(lanes, lane) && errors[lane] < hardly_any && has_resting_state(lane, options, x, end)) {
      was_tried_ |= 1u << lane;
      if (!has_lane(is_under_way_, lane)) start(lane, h[lane], horizon[lane]);
    } else {
      begin(lane);
    }
  }
  if (was_tried_ == 0) return;
  stages_.displace(start_.data(), values_.data(), end_.data());
  for (int lane = 0; lane < stages_.width(); ++lane) {
    if (has_lane(was_tried_, lane)) errors[lane] = std::max(errors[lane], error(lane, options.rtol));
  }
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
      if (!std::isfinite(end_[at])) begin(lane);
    }
  }
}

}  // namespace kinetune::simulate
