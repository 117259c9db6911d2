#include "optimize/course.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <utility>

namespace kinetune::optimize {

namespace {

bool is_finite(std::span<const double> values) {
  return std::ranges::all_of(values, [](double value) { return std::isfinite(value); });
}

bool is_finite(const Evaluation& evaluation) {
  return std::isfinite(evaluation.fval) && is_finite(evaluation.gradient) &&
         is_finite(evaluation.gauss_newton) && is_finite(evaluation.residuals) &&
         is_finite(evaluation.jacobian);
}

}  // namespace

Course::Course(Objective& objective, std::span<const double> x0, const LocalOptions& options,
               Observer* observer)
    : objective_(objective),
      options_(options),
      observer_(observer),
      box_(objective.lower_bounds(), objective.upper_bounds()),
      order_(order(options.method)),
      rules_(options) {
  options.validate();
  box_.require_inside(x0);
  require_order(objective, options.method);
}

std::optional<EvaluationFailure> Course::start(std::span<const double> x0) {
  const auto x = box_.free_vector(x0);
  if (!ask(x).evaluation) return last_failure_;
  take(x);
  fval_start_ = current().evaluation->fval;
  return std::nullopt;
}

const Evaluation* Course::evaluate(std::span<const double> x) noexcept {
  const Evaluation* evaluation = nullptr;
  guard([&] {
    if (const Point& point = ask(x); point.evaluation) evaluation = &*point.evaluation;
  });
  return evaluation;
}

void Course::advance(std::span<const double> x) noexcept {
  guard([&] { take(x); });
}

/// An exception must not fly through a C library: it is kept for finish, and the course stops.
void Course::guard(auto&& action) noexcept {
  try {
    action();
  } catch (...) {
    if (!thrown_) thrown_ = std::current_exception();
    stop(Termination::solver_error);
  }
}

Point& Course::ask(std::span<const double> x) {
  const auto known =
      std::ranges::find_if(points_, [&](const Point& p) { return std::ranges::equal(p.x, x); });
  if (known != points_.end()) return *known;

  Point& point = points_.emplace_back(Point{{x.begin(), x.end()}, {}});
  if (stopped_ || !is_finite(x)) return point;  // a linear solver's overflow is not the objective's business
  auto result = evaluate_full(box_.full_vector(x));
  if (result) {
    if (result->has_fallen_back) ++n_fallback_;
    result->gradient = box_.free_vector(result->gradient);
    if (order_ >= Order::gauss_newton) result->gauss_newton = box_.free_matrix(result->gauss_newton);
    if (order_ >= Order::least_squares) result->jacobian = box_.free_columns(result->jacobian);
    point.evaluation = std::move(*result);
    if (!best_.evaluation || point.evaluation->fval < best_.evaluation->fval) best_ = point;
  } else {
    ++n_failed_;
    last_failure_ = std::move(result.error());
  }
  return point;
}

/// The highest order that the method ever needs is asked for at once: a second call for the gradient or the
/// Hessian of an accepted point would repeat the whole simulation, and most points are accepted.
std::expected<Evaluation, EvaluationFailure> Course::evaluate_full(std::span<const double> full) {
  ++n_evaluations_;
  auto result = objective_.evaluate(full, order_);
  if (n_evaluations_ >= options_.max_evaluations) stop(Termination::max_evaluations);
  if (seconds() >= options_.max_seconds) stop(Termination::max_time);
  if (observer_ && observer_->interrupts()) stop(Termination::observer);
  if (result && !is_finite(*result)) return std::unexpected(EvaluationFailure{"not finite", {}, 0});
  assert(!result || result->gradient.size() == box_.size());
  assert(!result || order_ < Order::gauss_newton || result->gauss_newton.size() == box_.size() * box_.size());
  assert(!result || order_ < Order::least_squares ||
         result->jacobian.size() == result->residuals.size() * box_.size());
  return result;
}

void Course::take(std::span<const double> x) {
  Point point = ask(x);
  if (!point.evaluation)
    return stop(Termination::no_descent);  // a method that settles where there is no value
  points_.clear();
  points_.push_back(std::move(point));
  ++n_iterations_;

  const auto& evaluation = *current().evaluation;
  const auto full = box_.full_vector(current().x);
  const Iterate iterate{n_iterations_,
                        n_evaluations_,
                        seconds(),
                        evaluation.fval,
                        box_.projected_gradient_norm(current().x, evaluation.gradient),
                        full};
  // Counts more than a limit reached just now; but after an interruption a method may settle where it would
  // not have.
  if (const auto verdict = rules_.judge(iterate); verdict && stopped_ != Termination::observer)
    stopped_ = verdict;
  if (observer_ && observer_->observe(iterate) == Observer::Verdict::stop) stop(Termination::observer);
}

double Course::seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
}

Optimum Course::finish(Termination ended, std::string detail) const {
  if (thrown_) std::rethrow_exception(thrown_);
  const Termination termination = stopped_.value_or(ended);
  return {.x = box_.full_vector(best_.x),
          .fval = best_.evaluation->fval,
          .gradient_norm = box_.projected_gradient_norm(best_.x, best_.evaluation->gradient),
          .termination = termination,
          .detail = termination == Termination::solver_error ? std::move(detail) : std::string{},
          .fval_start = fval_start_,
          .n_iterations = n_iterations_,
          .n_fval = n_evaluations_,
          .n_gradient = n_evaluations_,
          .n_hessian = order_ >= Order::gauss_newton ? n_evaluations_ : 0,
          .n_failed = n_failed_,
          .n_fallback = n_fallback_,
          .seconds = seconds()};
}

}  // namespace kinetune::optimize
