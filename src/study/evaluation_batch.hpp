#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "optimize/objective.hpp"

namespace kinetune::study {

/// Has the evaluations made together that several minimisations ask for, each written for itself: an
/// evaluation waits until serve() is called. Those of seats whose last one was most effort come first, so
/// that none is left over when all others are done.
class EvaluationBatch {
 public:
  /// @param objective  must outlive this and the seats
  explicit EvaluationBatch(optimize::Objective& objective) : objective_(objective) {}

  /// What a minimisation takes for its objective. It says the same as the objective itself, exceptions
  /// included.
  /// @param wait  leaves the minimisation until serve() has been called; may throw to end it
  std::unique_ptr<optimize::Objective> seat(std::function<void()> wait);

  /// Makes the evaluations that are waited for.
  void serve();

 private:
  class Seat;
  struct Request;

  void serve(optimize::Order, std::span<Request* const>);

  optimize::Objective& objective_;
  std::vector<Request*> requests_;  ///< of the seats that wait
};

}  // namespace kinetune::study
