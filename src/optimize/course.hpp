#pragma once

#include <chrono>
#include <deque>
#include <exception>
#include <optional>
#include <string>
#include <vector>

#include "optimize/free_box.hpp"
#include "optimize/local.hpp"
#include "optimize/stopping.hpp"

namespace kinetune::optimize {

/// A point in the free parameters and what the objective is there.
struct Point {
  std::vector<double> x;  ///< (n_free)
  /// Gradient (n_free), Hessian (n_free, n_free), Jacobian (n_residuals, n_free); empty where it failed.
  std::optional<Evaluation> evaluation;
};

/// One minimisation under way, whatever the method: asks the objective at most once a point, keeps the best
/// point, counts, and says when to stop. Nothing here throws but the constructor, start and finish, so that a
/// C library may call the rest.
class Course {
 public:
  /// @throws core::Error when x0 lies outside the bounds, or options or bounds make no sense
  Course(Objective&, std::span<const double> x0, const LocalOptions&, Observer*);

  /// Evaluates x0 and takes it as iterate 0. Its failure is the start's.
  std::optional<EvaluationFailure> start(std::span<const double> x0);

  const FreeBox& box() const { return box_; }
  const LocalOptions& options() const { return options_; }

  /// The objective at a point; nullptr where it fails, and everywhere once the course has stopped. Valid
  /// until advance.
  const Evaluation* evaluate(std::span<const double> x) noexcept;

  /// Takes an evaluated point as the next iterate.
  void advance(std::span<const double> x) noexcept;

  /// The last iterate; after start always evaluated.
  const Point& current() const { return points_.front(); }

  /// Set once there is no point in going on.
  std::optional<Termination> stopped() const { return stopped_; }

  double seconds() const;

  /// @param ended  why the method itself gave up; what has stopped the course before counts more
  /// @throws whatever objective or observer threw
  Optimum finish(Termination ended, std::string detail) const;

 private:
  void guard(auto&& action) noexcept;
  void stop(Termination why) { stopped_ = stopped_.value_or(why); }
  Point& ask(std::span<const double> x);
  void take(std::span<const double> x);
  std::expected<Evaluation, EvaluationFailure> evaluate_full(std::span<const double> full);

  Objective& objective_;
  LocalOptions options_;
  Observer* observer_;
  FreeBox box_;
  Order order_;
  StoppingRules rules_;
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();

  std::deque<Point> points_;  ///< the last iterate, then all points asked for since
  Point best_;
  EvaluationFailure last_failure_;
  double fval_start_ = 0;
  std::int64_t n_iterations_ = -1, n_evaluations_ = 0, n_failed_ = 0, n_fallback_ = 0;
  std::optional<Termination> stopped_;
  std::exception_ptr thrown_;
};

}  // namespace kinetune::optimize
