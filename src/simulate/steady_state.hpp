#pragma once

#include <functional>
#include <optional>

#include "simulate/event_queue.hpp"
#include "simulate/integrator.hpp"
#include "simulate/steady_system.hpp"

namespace kinetune::simulate {

/// A state in which nothing changes any more, and what derivatives need of the way there.
struct SteadyPoint {
  std::vector<double> x;        ///< (n_states)
  double time;                  ///< to which the trajectory was followed, model time unit
  std::vector<double> visited;  ///< (n_visited, n_states) states on the way, from the start to `time`
  std::unique_ptr<SteadySystem> system;  ///< none: derivatives have to be integrated
  bool has_jumped = false;               ///< events have happened on the way
};

/// Finds where trajectories settle. A trajectory is followed over growing stretches of time; after each,
/// Newton's method is tried on f(x) = 0 with the quantities that the model conserves held at their values.
/// Its solution counts when it lies close to the trajectory and is stable, or the trajectory has stayed there
/// long enough for any instability to show. What is close is measured by Newton's step, so the unit of time
/// does not matter. Where Newton's method never succeeds, a trajectory that has stopped is believed, too.
///
/// With SteadyStateSearch::newton that method is tried first, from the start: where it finds a stable state
/// that has the start's conserved quantities, no trajectory is followed. Of several such states it may find
/// another one than the trajectory leads to. Models with constraints, events, delays or rates that depend on
/// time, and conserved quantities whose definition depends on an active parameter, are followed all the same.
///
/// Derivatives are those of the implicit function theorem; after events have moved what is conserved, from
/// the time on at which the state was found, and integrated until then. Where the theorem does not apply (a
/// conserved quantity whose definition depends on a parameter), sensitivities or adjoints are integrated
/// until they have settled; where they never do, or the trajectory leaves a state that is unstable, there is
/// no steady state to differentiate (IntegrationError::no_steady_state).
///
/// Rates are taken at time infinity if they have values there, so what they do at finite times has passed.
/// So have events: none is pending, and with the states at rest the clock triggers none any more, but for
/// events that change neither states nor their derivatives.
///
/// Each stretch may take IntegratorOptions::max_steps, jumps counted as steps: events and discontinuities
/// that never end are no steady state, and cost no more than steps that never end.
class SteadyStates {
 public:
  /// @param model  must outlive the object
  SteadyStates(const jit::CompiledModel& model, const IntegratorOptions&);

  /// @param segment  from whose start on, with what is pending there; its end does not matter
  /// @param start    (n_states)
  std::expected<SteadyPoint, IntegrationFailure> find(Integrator&, const Segment& segment,
                                                      std::span<const double> start);

  /// @param segment        the one that the point was found with
  /// @param sensitivities  (n_states, n_active) row-major, at the start; afterwards of the steady state
  std::expected<void, IntegrationFailure> forward(Integrator&, const Segment& segment, const SteadyPoint&,
                                                  std::span<double> sensitivities);

  /// @param adjoint   (n_states) d objective / d steady state; afterwards by the start
  /// @param gradient  (n_active) what the way adds to d objective / d parameter is added here
  std::expected<void, IntegrationFailure> backward(Integrator&, const Segment& segment, const SteadyPoint&,
                                                   std::span<double> adjoint, std::span<double> gradient);

 private:
  struct Attempt;
  struct Trajectory;
  /// From when on the implicit function theorem gives the derivatives.
  enum class Follows { from_start, from_its_time, never };
  /// At a time, with the prelude's switches as they are then: whether all is as it should be.
  using Look = std::function<bool(double time, Moment, const double* prelude)>;

  double first_stretch(const Segment&, std::span<const double> x);
  std::expected<double, IntegrationFailure> follow(Integrator&, const Segment&, Trajectory&, double to) const;
  std::expected<bool, IntegrationFailure> stays_there(Integrator&, const Attempt&, Trajectory) const;
  bool has_events() const { return !model_.code().events.empty(); }
  bool has_constraints() const { return !model_.code().constraints.empty(); }
  std::optional<SteadyPoint> leap(const Segment&, std::span<const double> start);
  static bool has_jumped(const Segment&, const Past& at_end);
  bool look_ahead(const Segment&, double from, double until, std::span<const double> x, const Look&,
                  const EventQueue* = nullptr) const;
  bool is_timeless(const Segment&, double from, double duration, std::span<const double> x) const;
  bool is_uneventful(const Attempt&, const Trajectory&) const;
  bool is_idle(int event, double time, const Attempt&, const double* prelude) const;
  bool linearise(Attempt&) const;
  void find_floors(Attempt&) const;
  void solve_for_step(Attempt&) const;
  bool descend(Attempt&) const;
  bool polish(Attempt&) const;
  bool has_negative(const Attempt&) const;
  bool is_believable(const Attempt&, double followed) const;
  bool conserves(const SteadySystem&, std::span<const double> visited, const Segment&, double time) const;
  bool is_steady_later(const Attempt&, double time) const;
  Follows derivatives_follow(const Segment&, const SteadyPoint&) const;
  std::expected<void, IntegrationFailure> arrive(Integrator&, const Segment&, const SteadyPoint&, Mode,
                                                 std::span<double> sensitivities) const;
  std::expected<void, IntegrationFailure> is_at(std::span<const double> expected, std::span<const double> x,
                                                const SteadyPoint&, double time) const;
  std::expected<void, IntegrationFailure> integrate(Integrator&, const Segment&, const SteadyPoint&,
                                                    std::span<double> sensitivities) const;
  std::expected<void, IntegrationFailure> integrate_back(Integrator&, const Segment&, const SteadyPoint&,
                                                         std::span<double> adjoint,
                                                         std::span<double> gradient) const;
  std::vector<double> least_changes(const Segment&, const SteadyPoint&,
                                    std::span<const double> adjoint) const;
  double norm(std::span<const double> change, std::span<const double> x,
              std::span<const double> floors = {}) const;
  const double* prelude_at(const Segment&, double time, const double* x) const;
  double late_time(const Segment&, std::span<const double> x, double time) const;

  const jit::CompiledModel& model_;
  IntegratorOptions options_;
  mutable std::vector<double> prelude_;  // of prelude_at: its memory is kept
};

}  // namespace kinetune::simulate
