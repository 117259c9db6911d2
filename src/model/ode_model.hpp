#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "symbolic/expr.hpp"

namespace kinetune::model {

using symbolic::Expr;

/// A quantity that an ODE governs; also one that only events change (rate 0).
struct State {
  std::string id;
  Expr symbol;
  Expr rate;     ///< d/dt, model units per model time unit
  Expr initial;  ///< value at the start; other states' symbols stand for their initial values; acyclic
  core::Location where = {};  ///< in the model file, for messages
};

/// A number that is fixed during a simulation and that an estimation problem may set.
struct Parameter {
  std::string id;
  Expr symbol;
  double value;  ///< NaN where the model gives none
};

/// A number computed once at the start of a simulation (SBML: a constant with an initial assignment).
struct InitialConstant {
  std::string id;
  Expr symbol;
  Expr initial;  ///< as State::initial; time in it is 0
  core::Location where = {};
};

/// A quantity computed at every time (SBML: assignment rule, reaction rate, what follows from states).
struct Derived {
  std::string id;
  Expr symbol;
  Expr value;  ///< acyclic over the other derived quantities
  core::Location where = {};
  std::optional<Expr> rate_of = {};  ///< whose time derivative it is, if it is one (SBML: rateOf)
};

/// One "variable := value" of an event.
struct EventAssignment {
  Expr target;  ///< symbol of a state
  Expr value;
  /// Multiplies the value. Taken at execution, before any assignment of the event is made.
  std::optional<Expr> factor = {};
};

/// SBML Level 3 event, with Level 2's defaults made explicit.
struct Event {
  std::string id;
  Expr trigger;  ///< condition
  std::optional<Expr> delay;
  std::optional<Expr> priority;
  bool initially_true = true;  ///< value of the trigger just before the start
  bool persistent = true;      ///< fires although the trigger has become false during the delay
  bool values_from_trigger_time = true;
  std::vector<EventAssignment> assignments;
  core::Location where;
};

/// A quantity's value some time ago (SBML: delay). Before the start, quantities are what their initial values
/// say, as functions of time.
struct Delay {
  std::string id;
  Expr symbol;
  Expr value;
  Expr lag;  ///< model time unit, not negative
  core::Location where = {};
};

/// An equation 0 = residual that must hold at all times (SBML: algebraic rule), not solved for anything yet.
struct Algebraic {
  Expr residual;
  core::Location where;
};

/// An equation 0 = residual that determines a state, beside the rate that keeps it true while nothing jumps
/// (an index-1 DAE). Where a simulation starts and where something jumps, the equation is solved for the
/// state, from its initial value or the one that it had.
struct Constraint {
  Expr symbol;    ///< of the state
  Expr residual;  ///< over time, states and parameters
  core::Location where;
};

/// A species' two readings, for outputs: `state or derived id` is what its id means in formulas.
struct SpeciesUnits {
  std::string id;
  Expr amount;
  Expr concentration;
};

/// A kinetic model as a system of ordinary differential equations, all of it expressions over one graph.
/// Rates, derived values, triggers and assignments may use the symbols of states, parameters, initial
/// constants, derived quantities, delays and time.
struct OdeModel {
  std::string id;
  std::shared_ptr<symbolic::Graph> graph = std::make_shared<symbolic::Graph>();
  Expr time = graph->symbol("time");

  std::vector<State> states;
  std::vector<Parameter> parameters;
  std::vector<InitialConstant> initial_constants;
  std::vector<Derived> derived;
  std::vector<Delay> delays;
  std::vector<Event> events;
  std::vector<Algebraic> algebraic;
  std::vector<Constraint> constraints;   ///< each over states that those before it determine, and its own
  std::vector<Expr> algebraic_unknowns;  ///< symbols of what the algebraic equations may determine
  std::vector<SpeciesUnits> species;

  /// The entries of that id, or nullptr.
  const State* state(std::string_view id) const;
  const Parameter* parameter(std::string_view id) const;
  const InitialConstant* initial_constant(std::string_view id) const;
  const Derived* derived_quantity(std::string_view id) const;
  /// The equation that determines the state of that id, if one does.
  const Constraint* constraint(std::string_view id) const;
  bool has(std::string_view id) const;
  /// What the id means in formulas; nothing if the model has none of that id.
  std::optional<Expr> symbol(std::string_view id) const;
};

/// An event in terms of time, states and parameters. What an Event says of its expressions holds here too.
struct FlatEvent {
  struct Assignment {
    int state;
    Expr value;
    std::optional<Expr> factor;
  };
  std::string id;
  Expr trigger;
  std::optional<Expr> delay, priority;
  bool initially_true, persistent, values_from_trigger_time;
  std::vector<Assignment> assignments;
  core::Location where;
};

/// A state that stands for a delay. An integrator keeps it up to date; its rate is 0.
struct FlatDelay {
  int state;
  Expr lag;
  Expr value;   ///< at a time from the start on
  Expr before;  ///< at a time before the start; of time and parameters
};

struct FlatConstraint {
  int state;
  Expr residual;
};

/// A model with every derived quantity and initial constant replaced by what it stands for: nothing is left
/// but time, states and parameters; initial values depend on parameters and time alone.
struct FlatModel {
  std::shared_ptr<symbolic::Graph> graph;
  Expr time;
  std::vector<Expr> state_symbols, parameter_symbols;
  std::vector<std::string> state_ids, parameter_ids;
  std::vector<Expr> rates;     ///< (n_states)
  std::vector<Expr> initials;  ///< (n_states)
  std::vector<FlatEvent> events;
  std::vector<FlatDelay> delays;            ///< the last states; none depends on a later one
  std::vector<FlatConstraint> constraints;  ///< in the order in which they are to be solved
  symbolic::ExprMap replacements;           ///< what `flatten(expr)` applies

  /// Any expression of the OdeModel, in terms of time, states and parameters.
  Expr flatten(Expr) const;
};

/// Turns each algebraic equation into a derived quantity: it is solved for an unknown in which it is linear,
/// and which thereby ceases to be a parameter, a constant or a state. An equation that is linear in none but
/// has one unknown left makes that a state, by differentiation by time, and remains as its constraint.
/// @throws core::Error for an equation that determines no unknown, or with others more than one
void solve_algebraic(OdeModel&);

/// @throws core::Error when derived quantities, initial values or initial constants depend on themselves
/// (names the cycle), when they depend on a state that a constraint determines, and when algebraic equations
/// are left
FlatModel flatten(const OdeModel&);

}  // namespace kinetune::model
