#include "study/evaluation_batch.hpp"

#include <algorithm>
#include <cmath>
#include <exception>
#include <functional>
#include <numeric>
#include <optional>
#include <utility>

#include "core/cpu_time.hpp"

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
  double cpu_seconds = 0;
};

std::size_t Seat::size() const { return batch_.objective().size(); }
std::span<const double> Seat::lower_bounds() const { return batch_.objective().lower_bounds(); }
std::span<const double> Seat::upper_bounds() const { return batch_.objective().upper_bounds(); }
std::string Seat::why_no_least_squares() const { return batch_.objective().why_no_least_squares(); }

std::expected<Evaluation, EvaluationFailure> Seat::evaluate(std::span<const double> x, Order order) {
  EvaluationBatch::Request request{{x.begin(), x.end()}, order, effort_};
  batch_.requests_.push_back(&request);
  try {
    wait_();
  } catch (...) {
    std::erase(batch_.requests_, &request);
    throw;
  }
  if (request.thrown) std::rethrow_exception(request.thrown);
  cpu_seconds_ += request.cpu_seconds;
  if (*request.result) effort_ = (*request.result)->effort;
  return std::move(*request.result);
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
  const double before = core::thread_cpu_seconds();
  try {
    auto results = objective_.evaluate_all(points, order);
    for (std::size_t i = 0; i < requests.size(); ++i) requests[i]->result = std::move(results[i]);
  } catch (...) {
    for (Request* request : requests) request->thrown = std::current_exception();
    return;
  }
  share_out(core::thread_cpu_seconds() - before, requests);
}

/// By effort; where there is none to tell, a failure counts as the last evaluation before it, or as the
/// average.
void EvaluationBatch::share_out(double cpu_seconds, std::span<Request* const> requests) {
  std::vector<double> efforts;
  double known = 0;
  int n_known = 0;
  for (const Request* request : requests) {
    const double effort = *request->result ? (*request->result)->effort : request->effort;
    efforts.push_back(effort);
    if (!(effort > 0 && std::isfinite(effort))) continue;
    known += effort;
    ++n_known;
  }
  const double average = n_known > 0 ? known / n_known : 1.0;
  for (double& effort : efforts)
    if (!(effort > 0 && std::isfinite(effort))) effort = average;
  const double total = std::accumulate(efforts.begin(), efforts.end(), 0.0);
  for (std::size_t i = 0; i < requests.size(); ++i)
    requests[i]->cpu_seconds = cpu_seconds * efforts[i] / total;
}

}  // namespace kinetune::study
