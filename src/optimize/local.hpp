#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "optimize/objective.hpp"

namespace kinetune::optimize {

/// Local minimisers under bounds (PETSc/TAO).
enum class Method {
  blmvm,   ///< limited-memory BFGS, projected line search (Benson and Moré 2001)
  bncg,    ///< nonlinear conjugate gradients, active-set estimate, line search
  bqnls,   ///< limited-memory BFGS on the free variables of an active-set estimate, line search
  bqnkls,  ///< the same, with the step from a Krylov solver on the BFGS matrix
  bnls,    ///< Gauss-Newton Hessian, active-set estimate, line search
  bntr,    ///< Gauss-Newton Hessian, active-set estimate, trust region
  bntl,    ///< the same, with a line search where the trust region's step is no descent
  brgn,    ///< residuals and their Jacobian: regularised Gauss-Newton step, active-set estimate, line search
};

/// All of them.
inline constexpr std::array methods{Method::blmvm, Method::bncg, Method::bqnls, Method::bqnkls,
                                    Method::bnls,  Method::bntr, Method::bntl,  Method::brgn};

/// The enumerator's own name, for options and tables.
std::string_view name(Method);
/// What it asks an objective for.
Order order(Method);
/// @throws core::Error when the method needs a sum of squares and the objective is none
void require_order(const Objective&, Method);

/// When to stop; the same rules for every method. The defaults suit negative log posteriors of ODE models:
/// fval of the order of 1 to 10,000, parameters on a logarithmic scale, gradients with a relative error of
/// about 1e-4.
struct LocalOptions {
  Method method = Method::bqnls;

  /// Converged when the projected gradient's norm (see Iterate) is no larger.
  double gradient_tolerance = 1e-6;
  /// Converged when fval fell by no more than this times max(1, |fval|) over fval_window iterations together.
  /// A window, because a quasi-Newton method may crawl for some iterations before it goes on. A method that
  /// stalls ends like this too; gradient_norm tells.
  double fval_tolerance = 1e-9;
  int fval_window = 10;
  /// Converged when no component moved by more than this times max(1, |x_i|); 0 for never. Off by default: a
  /// line search may take one tiny step far from a minimum and go on well after it.
  double step_tolerance = 0;

  std::int64_t max_iterations = 1000;
  std::int64_t max_evaluations = 5000;  ///< never exceeded; the start's included
  /// Wall time; an evaluation under way is finished.
  double max_seconds = std::numeric_limits<double>::infinity();

  double initial_radius = 1.0;  ///< of the trust region, 2-norm, on the scale of x (bntr, bntl)

  /// @throws core::Error when a value makes no sense
  void validate() const;
};

/// Where a minimisation stands. Iteration 0 is the start.
struct Iterate {
  std::int64_t iteration;
  std::int64_t n_fval;  ///< evaluations so far
  double seconds;       ///< wall time since the call
  double fval;
  /// Infinity norm of x - clamp(x - gradient) into the bounds: 0 exactly at stationary points.
  double gradient_norm;
  std::span<const double> x;  ///< (n_x), valid during the call
};

/// Hears of each iterate and may end the minimisation.
class Observer {
 public:
  enum class Verdict { proceed, stop };

  virtual ~Observer() = default;
  virtual Verdict observe(const Iterate&) = 0;
  /// Asked after each evaluation, also one that failed; true ends the minimisation there and then.
  virtual bool interrupts() { return false; }
};

/// Why a minimisation ended.
enum class Termination : std::uint8_t {
  gradient,     ///< converged: gradient_tolerance
  fval_change,  ///< converged: fval_tolerance
  step,         ///< converged: step_tolerance
  no_descent,   ///< no lower point found along the method's directions: rounding, or noise of the objective
  max_iterations,
  max_evaluations,
  max_time,
  observer,
  solver_error,  ///< PETSc returned an error; what was found before it still holds
};

/// One word for tables and files, the enumerator's own name.
std::string_view name(Termination);
/// Whether one of the three tolerances was met.
bool is_converged(Termination);

/// The best point that was evaluated. Within the bounds always.
struct Optimum {
  std::vector<double> x;  ///< (n_x)
  double fval;
  double gradient_norm;  ///< at x, as in Iterate
  Termination termination;
  std::string detail;  ///< PETSc's message with solver_error, otherwise empty

  double fval_start;
  std::int64_t n_iterations;
  std::int64_t n_fval;      ///< calls of Objective::evaluate, of any order
  std::int64_t n_gradient;  ///< those that asked for the gradient
  std::int64_t n_hessian;   ///< those that asked for the Gauss-Newton Hessian, or the residuals' Jacobian
  std::int64_t n_failed;    ///< those that failed
  std::int64_t n_fallback;  ///< those with Evaluation::has_fallen_back
  double seconds;           ///< wall time
};

/// The start itself could not be evaluated.
struct StartFailure {
  EvaluationFailure why;
  double seconds;  ///< wall time
};

/// Minimises from x0. Parameters with equal bounds stay as they are; points where the objective fails are
/// backed off from. An evaluation with a number that is not finite counts as failed. Exceptions of objective
/// and observer pass through. Needs a PetscSession.
///
/// @param x0  (n_x), within the bounds
/// @throws core::Error when x0 lies outside the bounds, options or bounds make no sense, or the method needs
/// a
///         sum of squares and the objective is none
std::expected<Optimum, StartFailure> minimize(Objective&, std::span<const double> x0, const LocalOptions&,
                                              Observer* = nullptr);

}  // namespace kinetune::optimize
