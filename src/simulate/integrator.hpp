#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "jit/compiled_model.hpp"

namespace kinetune::simulate {

enum class Method {
  cvodes,    ///< for every model, large ones best
  rodas5p,   ///< Rosenbrock, order 5: fast on small and medium models; needs second derivatives
  rodas4p2,  ///< Rosenbrock, order 4: the faster one where tolerances are loose
  automatic  ///< a Rosenbrock method, its order by the tolerance, where the model has second derivatives,
             ///< otherwise cvodes; a study may measure
};
std::string_view name(Method);

/// Whether the errors of forward sensitivities count in the choice of steps.
enum class SensitivityErrors {
  automatic,  ///< by CVODES controlled, otherwise ignored
  ignored,  ///< a Rosenbrock method's are exact for what it computes of the states; CVODES' corrector solves
            ///< for them as accurately as for states, but its steps may be too long for them
  controlled  ///< closer to those of the true solution, for more steps
};
std::string_view name(SensitivityErrors);

/// How steady states are looked for.
enum class SteadyStateSearch {
  integrate,  ///< the trajectory is followed, and Newton's method completes it
  newton      ///< Newton's method from the initial values; the trajectory where that fails
};
std::string_view name(SteadyStateSearch);

enum class LinearSolver { automatic, dense, klu };

/// Accuracy and limits of an integration, whichever method carries it out.
struct IntegratorOptions {
  double rtol = 1e-8;
  double atol = 1e-16;    ///< model units; of sensitivities: per unit of relative parameter change
  int max_steps = 20000;  ///< between two jumps of a segment, forward and backward each
  LinearSolver linear_solver = LinearSolver::automatic;  ///< KLU for large sparse Jacobians
  Method method = Method::automatic;
  SensitivityErrors sensitivity_errors = SensitivityErrors::automatic;
  /// Integrations that go side by side in vector registers, where their caller has several and the model has
  /// kernels for so many: 1, 4 or 8. 0: as a study measures; elsewhere 1.
  int lanes = 0;
  SteadyStateSearch steady_state = SteadyStateSearch::integrate;
  /// Asked every few evaluations of the rates; true ends the integration (IntegrationError::interrupted).
  std::function<bool()> interrupt = {};

  /// @throws core::Error on what cannot be meant
  void validate() const;
};

enum class IntegrationError {
  too_many_steps,
  error_test,   ///< the error test failed at the smallest step
  convergence,  ///< the corrector did not converge at the smallest step
  singular_matrix,
  not_finite,          ///< rates or initial values that are not finite numbers
  unbounded,           ///< so are rates, where a state has grown beyond any use
  too_much_accuracy,   ///< the tolerances ask for more than double precision gives
  endless_events,      ///< events or discontinuities follow each other without time going on
  not_differentiable,  ///< delayed values have no sensitivities; or a threshold is only touched
  no_solution,         ///< of an algebraic rule that determines `state`, at a start or a jump
  no_steady_state,     ///< the trajectory does not settle
  interrupted,         ///< IntegratorOptions::interrupt said so
  internal,            ///< anything else the solver reports
};
std::string_view to_string(IntegrationError);

/// Why an integration stopped early. Holds no numbers that could pass for a result.
struct IntegrationFailure {
  IntegrationError error;
  double time;     ///< last time reached, model time unit
  int state = -1;  ///< the one whose error or rate is to blame, where one is
};

/// At a state at which rates, or their derivatives, are no finite numbers.
/// @param state  the one whose rate it is; -1: unknown
IntegrationFailure without_rates(double time, std::span<const double> x, int state);

/// Work done since the statistics were last reset.
struct Statistics {
  long steps = 0;
  long rate_evaluations = 0;
  long jacobian_evaluations = 0;
  long backward_steps = 0;
  long fallbacks = 0;  ///< evaluations that CVODES carried out because another method had failed

  Statistics& operator+=(const Statistics&);
};

enum class Mode {
  states,   ///< the trajectory alone
  forward,  ///< with sensitivities by the active parameters
  adjoint,  ///< keeps a tape, for backward()
};

struct Past;  // past.hpp

/// A stretch of model time with the same parameters.
struct Segment {
  double start;
  double end;
  /// CompiledModel::prelude of the segment's parameters. Its switches need not be set.
  std::span<const double> prelude;
  std::span<const double> parameters;  ///< (n_parameters), for the scale of sensitivities
  /// The differentiated parameter that each column of sensitivities is by; -1: none that acts here, the
  /// column carries on what came before.
  std::span<const int> active;
  std::span<const double> sizes = {};  ///< (n_active) of the parameters; empty: as `parameters` has them
  /// Where the segment that this one follows has left the simulation. It must live as long as the call, and
  /// be of the same mode and columns, or this of Mode::states. nullptr: a simulation begins.
  const Past* past = nullptr;
  /// Over the whole segment, where something may jump, and each jump counts as a step; 0: only
  /// IntegratorOptions::max_steps counts.
  long most_steps = 0;
};

/// Of the parameters that the columns of sensitivities are by (n_active); 0 where there is none.
std::vector<double> sizes_of(const Segment&, const jit::ModelCode&);

/// Receives what was asked for, in the order of time.
class Sink {
 public:
  virtual ~Sink() = default;
  /// @param index          into the requested times
  /// @param x              (n_states)
  /// @param sensitivities  (n_states, n_active) row-major, linear scale; empty unless Mode::forward
  /// @param cotangent      (n_states) zeros, to be overwritten by d objective / d x at this time; empty
  /// unless Mode::adjoint
  virtual void at(std::size_t index, std::span<const double> x, std::span<const double> sensitivities,
                  std::span<double> cotangent) = 0;
};

/// An integration method. One instance a thread; it owns its memory and its tape, and the same call gives the
/// same result whatever was integrated before.
///
/// States that constraints determine are solved for at the start, whatever x has for them, and after jumps of
/// what they depend on. It steps onto events and discontinuities, not over them. At a time at which an event
/// happens the sink receives the states after it. A segment without a past begins a simulation: just before
/// its start each trigger is what the model says that it is at the very start, and nothing is pending. One
/// with a past goes on: what is pending remains so, and triggers that hold already do not fire again.
/// Sensitivities are carried over events and jumps of the rates, also where their times move with states and
/// parameters, but not in models with delayed values (IntegrationError::not_differentiable).
class Integrator {
 public:
  virtual ~Integrator() = default;

  /// @param x              (n_states) at the segment's start; afterwards at its end
  /// @param sensitivities  (n_states, n_active) row-major, likewise; empty unless Mode::forward
  /// @param times          ascending, within [start, end]
  virtual std::expected<void, IntegrationFailure> forward(const Segment&, Mode, std::span<double> x,
                                                          std::span<double> sensitivities,
                                                          std::span<const double> times, Sink&) = 0;

  /// Where the last call of forward() has left its simulation; it must have succeeded. What happens just
  /// after a segment's end is left to the one that follows.
  virtual Past past() const = 0;

  /// Goes back over the last segment that was integrated with Mode::adjoint and not gone back over yet.
  /// @param adjoint   (n_states) d objective / d x at the segment's end, finite; afterwards at its start.
  /// There
  ///                  it need not be finite: infinite second derivatives do no harm where x is given
  /// @param gradient  (n_active) what the segment adds to d objective / d parameter, linear scale, is added
  /// here
  virtual std::expected<void, IntegrationFailure> backward(std::span<double> adjoint,
                                                           std::span<double> gradient) = 0;

  /// Forgets the tape. Call it before a new simulation with Mode::adjoint.
  virtual void clear_tape() = 0;

  /// Work done since the last call.
  virtual Statistics take_statistics() = 0;
};

/// CVODES, variable-order BDF (Hindmarsh et al. 2005, doi:10.1145/1089014.1089020). Forward sensitivities are
/// integrated with the states as one system whose Newton matrix is taken block-diagonal, so that one
/// factorisation serves all.
/// @param model  must outlive the integrator
std::unique_ptr<Integrator> make_cvodes(const jit::CompiledModel& model, const IntegratorOptions&);

/// Rodas5P or Rodas4P2 (rodas_coefficients.hpp). Forward sensitivities and adjoints are the exact derivatives
/// of what the method computes, so that they agree to rounding.
/// @param model  must outlive the integrator
/// @throws core::Error where the model was compiled without second derivatives
std::unique_ptr<Integrator> make_rosenbrock(const jit::CompiledModel& model, const IntegratorOptions&);

/// What `automatic` comes to for a model at a tolerance; any other method as it is.
Method settled(const IntegratorOptions&, const jit::ModelCode&);

/// The integrator of options.method. @throws core::Error where the method cannot carry the model
std::unique_ptr<Integrator> make_integrator(const jit::CompiledModel& model, const IntegratorOptions&);

}  // namespace kinetune::simulate
