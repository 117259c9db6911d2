#include "estimate/point_evaluation.hpp"

namespace kinetune::estimate {

PointEvaluation::PointEvaluation(const Problem& problem, std::span<const double> x, Details* details)
    : x_(x), details_(details) {
  for (std::size_t q = 0; q < x.size(); ++q) x_linear_.push_back(unscaled(problem.parameters[q].scale, x[q]));
}

void PointEvaluation::fail(std::size_t share, optimize::EvaluationFailure failure) {
  if (share > first_failed_) return;
  first_failed_ = share;
  failure_ = std::move(failure);
}

void PointEvaluation::fail(std::size_t share, const SimulationStatus& status) {
  fail(share, {status.failure, status.condition_id, status.time, status.state});
}

void PointEvaluation::add(std::size_t share, LikelihoodSums sums) {
  if (!each_.empty()) {
    each_[share] = std::move(sums);
    return;
  }
  waiting_.emplace(share, std::move(sums));
  for (auto next = waiting_.find(n_added_); next != waiting_.end(); next = waiting_.find(n_added_)) {
    if (n_added_++ == 0)
      total_ = std::move(next->second);
    else
      total_ += next->second;
    waiting_.erase(next);
  }
}

std::expected<LikelihoodSums, optimize::EvaluationFailure> PointEvaluation::take_sums() {
  if (first_failed_ < std::numeric_limits<std::size_t>::max()) return std::unexpected(std::move(failure_));
  return std::move(total_);
}

}  // namespace kinetune::estimate
