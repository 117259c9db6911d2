#include "simulate/lane_backward.hpp"

#include <algorithm>
#include <cmath>
#include <set>

namespace kinetune::simulate {
namespace {

bool all_finite(std::span<const double> values) {
  return std::ranges::all_of(values, [](double v) { return std::isfinite(v); });
}

/// Gives lanes that are not among `lanes` back what they had.
void undo(LaneBits lanes, int width, const PackVector& before, PackVector& values) {
  for (int lane = 0; lane < width; ++lane) {
    if (has_lane(lanes, lane)) continue;
    for (std::size_t i = lane; i < values.size(); i += width) values[i] = before[i];
  }
}

}  // namespace

LaneBackward::LaneBackward(RosenbrockStages& stages)
    : stages_(stages),
      adjoint_(stages),
      n_(stages.model().n_states()),
      width_(stages.width()),
      loaded_(width_),
      prelude_(static_cast<std::size_t>(stages.model().code().n_prelude) * width_),
      lambda_(static_cast<std::size_t>(n_) * width_),
      stage_values_(stages.size()),
      end_(lambda_.size()) {}

void LaneBackward::run(LaneTape& tape, std::span<LaneReturn> returns) {
  const LaneTape::Batch batch = tape.take_batch();
  const Way way{batch, returns};
  for (LaneReturn& back : returns) {
    if (!all_finite(back.adjoint))
      back.done = std::unexpected(IntegrationFailure{IntegrationError::not_finite, 0.0});
  }
  choose_columns(batch);
  stages_.begin(prelude_.data(), RosenbrockStages::With::derivatives);
  adjoint_.begin(columns_);
  std::ranges::fill(loaded_, -1);
  auto cotangent = batch.cotangents.rbegin();
  for (std::size_t i = tape.n_steps(); i-- > batch.first_step;) {
    if (i > batch.first_step) tape.fetch(i - 1);
    const LaneTape::Step step = tape.step(i);
    const LaneBits counting = lanes_that_count(way, step);
    for (int lane = 0; lane < width_; ++lane) {
      if (!has_lane(counting, lane) || loaded_[lane] == step.owners[lane]) continue;
      unload(lane, way);
      load(lane, step.owners[lane], way);
    }
    for (; cotangent != batch.cotangents.rend() && cotangent->step == i; ++cotangent) {
      if (has_lane(counting, cotangent->lane))
        adjoint_.add_cotangent(DenseWeights(stages_.scheme(), cotangent->theta), cotangent->value,
                               cotangent->lane);
    }
    if (counting != 0) step_back(way, step);
  }
  for (int lane = 0; lane < width_; ++lane) unload(lane, way);
  for (std::size_t i = 0; i < returns.size(); ++i) {
    if (!way.counts(static_cast<int>(i))) continue;
    for (const auto& value : batch.tasks[i].at_start) {
      for (int k = 0; k < n_; ++k) returns[i].adjoint[k] += value[k];
    }
    if (!all_finite(returns[i].gradient))
      returns[i].done = std::unexpected(IntegrationFailure{IntegrationError::not_finite, 0.0});
  }
  tape.shorten(batch.first_step);
}

void LaneBackward::choose_columns(const LaneTape::Batch& batch) {
  std::set<int> all;
  for (const LaneTape::Task& task : batch.tasks) all.insert(task.active.begin(), task.active.end());
  all.erase(-1);
  columns_.assign(all.begin(), all.end());
  gradient_.assign(columns_.size() * width_, 0.0);
}

LaneBits LaneBackward::lanes_that_count(const Way& way, const LaneTape::Step& step) const {
  LaneBits counting = 0;
  for (int lane = 0; lane < width_; ++lane) counting |= way.counts(step.owners[lane]) ? 1u << lane : 0u;
  return counting;
}

/// Has the stages hold a taped step again; notes where that fails.
const double* LaneBackward::restore(const Way& way, const LaneTape::Step& step) {
  LaneBits restored;
  const double* values = step.stages;
  if (values) {
    restored = stages_.restore(step.t, step.h, step.x, values);
  } else {
    values = stage_values_.data();
    restored = stages_.set_start(step.t, step.x) & stages_.step(step.h, stage_values_.data(), end_.data());
  }
  for (int lane = 0; lane < width_; ++lane) {
    if (has_lane(restored, lane) || !way.counts(step.owners[lane])) continue;
    way.returns[step.owners[lane]].done =
        std::unexpected(IntegrationFailure{IntegrationError::singular_matrix, step.t[lane]});
  }
  return values;
}

void LaneBackward::step_back(const Way& way, const LaneTape::Step& step) {
  const double* values = restore(way, step);
  const LaneBits counting = lanes_that_count(way, step);
  const bool all_count = counting == all_lanes(width_);
  if (!all_count) {
    lambda_before_ = lambda_;
    gradient_before_ = gradient_;
  }
  adjoint_.step_back({step.t, step.h, step.x, values}, prelude_.data(), stages_, lambda_, gradient_);
  if (!all_count) {
    undo(counting, width_, lambda_before_, lambda_);
    undo(counting, width_, gradient_before_, gradient_);
  }
  for (int lane = 0; lane < width_; ++lane) {
    if (has_lane(counting, lane)) ++way.returns[step.owners[lane]].statistics.backward_steps;
  }
}

void LaneBackward::load(int lane, int task, const Way& way) {
  loaded_[lane] = task;
  const std::vector<double>& prelude = way.batch.tasks[task].prelude;
  for (int other = 0; other < width_; ++other) {
    if (other != lane && loaded_[other] >= 0) continue;  // what waits computes with numbers that have values
    for (std::size_t i = 0; i < prelude.size(); ++i) prelude_[i * width_ + other] = prelude[i];
  }
  for (int k = 0; k < n_; ++k) lambda_[k * width_ + lane] = way.returns[task].adjoint[k];
  for (std::size_t c = 0; c < columns_.size(); ++c) gradient_[c * width_ + lane] = 0.0;
}

void LaneBackward::unload(int lane, const Way& way) {
  const int task = loaded_[lane];
  if (task < 0) return;
  LaneReturn& back = way.returns[task];
  for (int k = 0; k < n_; ++k) back.adjoint[k] = lambda_[k * width_ + lane];
  const std::vector<int>& active = way.batch.tasks[task].active;
  for (std::size_t c = 0; c < active.size(); ++c) {
    if (active[c] < 0) continue;
    const auto column = std::ranges::lower_bound(columns_, active[c]) - columns_.begin();
    back.gradient[c] += gradient_[column * width_ + lane];
  }
}

}  // namespace kinetune::simulate
