#include "study/evaluation_batch.hpp"

#include <algorithm>
#include <exception>
#include <functional>
#include <limits>
#include <optional>
#include <utility>

namespace kinetune::study {

using optimize::Evaluation;
using optimize::EvaluationFailure;
using optimize::Order;

struct EvaluationBatch::Request {
  std::vector<double> x;
  Order order;
  double effort;  ///< as far as can be told
  std::optional<std::expected<Evaluation, EvaluationFailure>> result = {};
  std::exception_ptr thrown = {};
};

class EvaluationBatch::Seat final : public optimize::Objective {
 public:
  Seat(EvaluationBatch& batch, std::function<void()> wait) : batch_(batch), wait_(std::move(wait)) {}

  std::size_t size() const override { return batch_.objective_.size(); }
  std::span<const double> lower_bounds() const override { return batch_.objective_.lower_bounds(); }
  std::span<const double> upper_bounds() const override { return batch_.objective_.upper_bounds(); }
  std::string why_no_least_squares() const override { return batch_.objective_.why_no_least_squares(); }

  std::expected<Evaluation, EvaluationFailure> evaluate(std::span<const double> x, Order order) override {
    Request request{{x.begin(), x.end()}, order, effort_};
    batch_.requests_.push_back(&request);
    try {
      wait_();
    } catch (...) {
      std::erase(batch_.requests_, &request);
      throw;
    }
    if (request.thrown) std::rethrow_exception(request.thrown);
    if (*request.result) effort_ = (*request.result)->effort;
    return std::move(*request.result);
  }

 private:
  EvaluationBatch& batch_;
  std::function<void()> wait_;
  double effort_ = std::numeric_limits<double>::infinity();  // of the last evaluation
};

std::unique_ptr<optimize::Objective> EvaluationBatch::seat(std::function<void()> wait) {
  return std::make_unique<Seat>(*this, std::move(wait));
}

void EvaluationBatch::serve() {
  std::vector<Request*> requests = std::exchange(requests_, {});
  std::ranges::stable_sort(requests, std::ranges::greater(), &Request::effort);
  for (const Order order : {Order::value, Order::gradient, Order::gauss_newton, Order::least_squares}) {
    std::vector<Request*> alike;
    std::ranges::copy_if(requests, std::back_inserter(alike),
                         [order](const Request* request) { return request->order == order; });
    if (!alike.empty()) serve(order, alike);
  }
}

/// What the objective throws is thrown where it was asked.
void EvaluationBatch::serve(Order order, std::span<Request* const> requests) {
  std::vector<std::vector<double>> points;
  for (const Request* request : requests) points.push_back(request->x);
  try {
    auto results = objective_.evaluate_all(points, order);
    for (std::size_t i = 0; i < requests.size(); ++i) requests[i]->result = std::move(results[i]);
  } catch (...) {
    for (Request* request : requests) request->thrown = std::current_exception();
  }
}

}  // namespace kinetune::study
