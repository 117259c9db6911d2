#pragma once

#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "optimize/objective.hpp"

namespace kinetune::study {

class EvaluationBatch;

/// What a minimisation takes for its objective. It says the same as the objective itself, exceptions
/// included.
class Seat final : public optimize::Objective {
 public:
  /// @param batch  must outlive the seat
  /// @param wait   leaves the minimisation until batch.serve() has been called; may throw to end it
  Seat(EvaluationBatch& batch, std::function<void()> wait) : batch_(batch), wait_(std::move(wait)) {}

  std::size_t size() const override;
  std::span<const double> lower_bounds() const override;
  std::span<const double> upper_bounds() const override;
  std::string why_no_least_squares() const override;
  std::expected<optimize::Evaluation, optimize::EvaluationFailure> evaluate(std::span<const double> x,
                                                                            optimize::Order) override;

  /// CPU time of its evaluations: of those made together, shares by their effort.
  double cpu_seconds() const { return cpu_seconds_; }

 private:
  EvaluationBatch& batch_;
  std::function<void()> wait_;
  double effort_ = std::numeric_limits<double>::infinity();  // of the last evaluation
  double cpu_seconds_ = 0;
};

/// Has the evaluations made together that several minimisations ask for, each written for itself: an
/// evaluation waits until serve() is called. Those of seats whose last one was most effort come first, so
/// that none is left over when all others are done.
class EvaluationBatch {
 public:
  /// @param objective  must outlive this and the seats
  explicit EvaluationBatch(optimize::Objective& objective) : objective_(objective) {}
  optimize::Objective& objective() const { return objective_; }

  /// Makes the evaluations that are waited for.
  void serve();

 private:
  friend Seat;
  struct Request;

  void serve(optimize::Order, std::span<Request* const>);
  static void share_out(double cpu_seconds, std::span<Request* const>);

  optimize::Objective& objective_;
  std::vector<Request*> requests_;  ///< of the seats that wait
};

}  // namespace kinetune::study
