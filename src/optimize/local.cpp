#include "optimize/local.hpp"

#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "core/error.hpp"
#include "optimize/course.hpp"
#include "optimize/tao.hpp"

namespace kinetune::optimize {

namespace {

void require(bool holds, std::string_view option, double value, std::string_view wanted) {
  if (!holds)
    throw core::Error({}, fmt::format("{} is {}", option, value), fmt::format("it must be {}", wanted));
}

}  // namespace

void LocalOptions::validate() const {
  const auto require_tolerance = [](std::string_view option, double value) {
    require(value >= 0 && std::isfinite(value), option, value, "finite and not negative");
  };
  require_tolerance("gradient_tolerance", gradient_tolerance);
  require_tolerance("fval_tolerance", fval_tolerance);
  require_tolerance("step_tolerance", step_tolerance);
  require(fval_window >= 1, "fval_window", fval_window, "at least 1");
  require(max_iterations >= 0, "max_iterations", static_cast<double>(max_iterations), "at least 0");
  require(max_evaluations >= 1, "max_evaluations", static_cast<double>(max_evaluations), "at least 1");
  require(max_seconds > 0, "max_seconds", max_seconds, "positive");
  require(initial_radius > 0 && std::isfinite(initial_radius), "initial_radius", initial_radius,
          "positive and finite");
}

std::string_view name(Method method) {
  switch (method) {
    case Method::blmvm:
      return "blmvm";
    case Method::bncg:
      return "bncg";
    case Method::bqnls:
      return "bqnls";
    case Method::bqnkls:
      return "bqnkls";
    case Method::bnls:
      return "bnls";
    case Method::bntr:
      return "bntr";
    case Method::bntl:
      return "bntl";
    case Method::brgn:
      return "brgn";
  }
  std::unreachable();
}

Order order(Method method) {
  switch (method) {
    case Method::blmvm:
    case Method::bncg:
    case Method::bqnls:
    case Method::bqnkls:
      return Order::gradient;
    case Method::bnls:
    case Method::bntr:
    case Method::bntl:
      return Order::gauss_newton;
    case Method::brgn:
      return Order::least_squares;
  }
  std::unreachable();
}

void require_order(const Objective& objective, Method method) {
  if (order(method) != Order::least_squares) return;
  if (const std::string why = objective.why_no_least_squares(); !why.empty()) {
    throw core::Error({}, fmt::format("{} fits residuals: {}", name(method), why),
                      "choose an optimizer that needs none, such as bqnls or bntr");
  }
}

std::string_view name(Termination termination) {
  switch (termination) {
    case Termination::gradient:
      return "gradient";
    case Termination::fval_change:
      return "fval_change";
    case Termination::step:
      return "step";
    case Termination::no_descent:
      return "no_descent";
    case Termination::max_iterations:
      return "max_iterations";
    case Termination::max_evaluations:
      return "max_evaluations";
    case Termination::max_time:
      return "max_time";
    case Termination::observer:
      return "observer";
    case Termination::solver_error:
      return "solver_error";
  }
  std::unreachable();
}

bool is_converged(Termination termination) {
  return termination == Termination::gradient || termination == Termination::fval_change ||
         termination == Termination::step;
}

std::expected<Optimum, StartFailure> minimize(Objective& objective, std::span<const double> x0,
                                              const LocalOptions& options, Observer* observer) {
  Course course(objective, x0, options, observer);
  if (auto failure = course.start(x0))
    return std::unexpected(StartFailure{std::move(*failure), course.seconds()});
  TaoEnd end{Termination::gradient, {}};
  if (!course.stopped()) end = run_tao(course);
  return course.finish(end.termination, std::move(end.detail));
}

}  // namespace kinetune::optimize
