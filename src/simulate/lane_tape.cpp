#include "simulate/lane_tape.hpp"

#include <algorithm>
#include <utility>

namespace kinetune::simulate {

LaneTape::LaneTape(int width, int n_states, std::size_t stages_size, std::size_t kept)
    : width_(width), step_size_((2 + n_states) * width_), stages_size_(stages_size), kept_(kept) {}

void LaneTape::begin(std::span<const LaneTask> tasks) {
  batches_.push_back({n_steps_, {}, {}});
  for (const LaneTask& task : tasks) {
    const Segment& segment = task.segment;
    batch().tasks.push_back({{segment.prelude.begin(), segment.prelude.end()},
                             {segment.active.begin(), segment.active.end()},
                             {}});
  }
}

void LaneTape::add_step(std::span<const int> owners, const double* t, const double* h, const double* x,
                        const double* stages) {
  owners_.insert(owners_.end(), owners.begin(), owners.end());
  steps_.insert(steps_.end(), t, t + width_);
  steps_.insert(steps_.end(), h, h + width_);
  steps_.insert(steps_.end(), x, x + step_size_ - 2 * width_);
  if (n_with_stages_ == n_steps_ && stages_.size() + stages_size_ <= kept_) {
    stages_.insert(stages_.end(), stages, stages + stages_size_);
    ++n_with_stages_;
  }
  ++n_steps_;
}

LaneTape::Step LaneTape::step(std::size_t i) const {
  const double* t = steps_.data() + i * step_size_;
  return {owners_.data() + i * width_, t, t + width_, t + 2 * width_,
          i < n_with_stages_ ? stages_.data() + i * stages_size_ : nullptr};
}

void LaneTape::fetch(std::size_t i) const {
  constexpr std::size_t line = 8;  // doubles
  const Step step = this->step(i);
  for (std::size_t k = 0; k < step_size_; k += line) __builtin_prefetch(step.t + k);
  if (!step.stages) return;
  for (std::size_t k = 0; k < stages_size_; k += line) __builtin_prefetch(step.stages + k);
}

LaneTape::Batch LaneTape::take_batch() {
  Batch last = std::move(batches_.back());
  batches_.pop_back();
  return last;
}

void LaneTape::clear() {
  batches_.clear();
  shorten(0);
}

void LaneTape::shorten(std::size_t n_steps) {
  n_steps_ = n_steps;
  owners_.resize(n_steps * width_);
  steps_.resize(n_steps * step_size_);
  n_with_stages_ = std::min(n_with_stages_, n_steps);
  stages_.resize(n_with_stages_ * stages_size_);
}

}  // namespace kinetune::simulate
