#include <algorithm>
#include <cassert>

#include "model/expansion.hpp"

namespace kinetune::model {
namespace {

/// Delays so that none looks at a later one.
std::vector<const Delay*> in_order(const OdeModel& model) {
  Expansion by_rules(*model.graph);
  for (const Derived& derived : model.derived) by_rules.define(derived, derived.value);
  std::vector<const Delay*> left, ordered;
  for (const Delay& delay : model.delays) left.push_back(&delay);
  const auto looks_at_none_left = [&](const Delay* delay) {
    const auto used = symbolic::free_symbols(std::vector{by_rules(delay->value), by_rules(delay->lag)});
    return std::ranges::none_of(
        left, [&](const Delay* other) { return std::ranges::find(used, other->symbol) != used.end(); });
  };
  while (!left.empty()) {
    const auto next = std::ranges::find_if(left, looks_at_none_left);
    if (next == left.end()) {
      throw core::Error(left.front()->where, "a delayed quantity depends on its own past alone",
                        "make it a state with an initial value");
    }
    ordered.push_back(*next);
    left.erase(next);
  }
  return ordered;
}

/// Whether a constraint says what the state is, rather than its initial value.
bool is_determined(const OdeModel& model, const State& state) {
  return std::ranges::find(model.constraints, state.symbol, &Constraint::symbol) != model.constraints.end();
}

/// What everything is at the start of a simulation, and before it as a function of time.
struct Beginning {
  Expansion at_start, before;

  Beginning(const OdeModel& model, const std::vector<const Delay*>& delays)
      : at_start(*model.graph), before(*model.graph) {
    for (Expansion* expand : {&at_start, &before}) {
      for (const State& state : model.states) {
        if (!is_determined(model, state)) expand->define(state, state.initial);
      }
      for (const InitialConstant& constant : model.initial_constants) {
        expand->define(constant, constant.initial);
      }
    }
    symbolic::Differentiator differentiate(*model.graph);
    for (const Derived& derived : model.derived) at_start.define(derived, derived.value);
    for (const Derived& derived : model.derived) {
      // No rates have acted then: a quantity moves as its initial value does.
      before.define(derived,
                    derived.rate_of ? differentiate(at_start(*derived.rate_of), model.time) : derived.value);
    }
    for (const Delay* delay : delays) {
      const Expr earlier = model.time - at_start(delay->lag);
      const Expr past = symbolic::substitute(before(delay->value), {{model.time, earlier}});
      at_start.define(*delay, past);
      before.define(*delay, past);
    }
  }
};

/// The start, and what was before, must not need the past.
void refuse_endless_past(const OdeModel& model, const FlatModel& flat) {
  std::vector<Expr> initials = flat.initials;
  for (const FlatDelay& delay : flat.delays) initials.push_back(delay.before);
  const auto used = symbolic::free_symbols(initials);
  for (const Delay& delay : model.delays) {
    if (std::ranges::find(used, delay.symbol) == used.end()) continue;
    throw core::Error(delay.where, "before the start the delayed quantity depends on its own past",
                      "give it an initial value");
  }
}

/// Delays become states behind the model's own.
void add_delays(const OdeModel& model, const std::vector<const Delay*>& delays, Beginning& beginning,
                FlatModel& flat) {
  for (const Delay* delay : delays) {
    flat.delays.push_back({.state = static_cast<int>(flat.state_symbols.size()),
                           .lag = flat.flatten(delay->lag),
                           .value = flat.flatten(delay->value),
                           .before = beginning.before(delay->value)});
    flat.state_symbols.push_back(delay->symbol);
    flat.state_ids.push_back(delay->id);
    flat.rates.push_back(model.graph->constant(0));
    flat.initials.push_back(beginning.at_start(delay->symbol));
  }
  refuse_endless_past(model, flat);
}

/// The initial constants as they stay for the rest of the simulation, which begins at time 0.
std::vector<Expr> values_of_initial_constants(const OdeModel& model, Expansion& at_start) {
  std::vector<Expr> values;
  for (const InitialConstant& constant : model.initial_constants) values.push_back(at_start(constant.symbol));
  return symbolic::substitute(values, {{model.time, model.graph->constant(0)}});
}

/// Constraints are solved after the initial values, so that these cannot look at their solutions.
void refuse_solved_starts(const OdeModel& model, const FlatModel& flat, const std::vector<Expr>& constants) {
  std::vector<Expr> starts = flat.initials;
  starts.insert(starts.end(), constants.begin(), constants.end());
  for (const FlatDelay& delay : flat.delays) starts.push_back(delay.before);
  const auto used = symbolic::free_symbols(starts);
  for (const Constraint& constraint : model.constraints) {
    if (std::ranges::find(used, constraint.symbol) == used.end()) continue;
    const auto state = std::ranges::find(model.states, constraint.symbol, &State::symbol);
    throw core::Error(constraint.where,
                      "an initial value, or a value before the start, depends on " + state->id +
                          ", which an algebraic rule determines that is not linear in it",
                      "solve the rule for " + state->id + " by an assignment rule");
  }
}

FlatEvent flatten_event(const FlatModel& flat, const Event& event) {
  const auto flattened = [&](const std::optional<Expr>& e) {
    return e ? std::optional(flat.flatten(*e)) : std::nullopt;
  };
  FlatEvent result{.id = event.id,
                   .trigger = flat.flatten(event.trigger),
                   .delay = flattened(event.delay),
                   .priority = flattened(event.priority),
                   .initially_true = event.initially_true,
                   .persistent = event.persistent,
                   .values_from_trigger_time = event.values_from_trigger_time,
                   .assignments = {},
                   .where = event.where};
  for (const EventAssignment& assignment : event.assignments) {
    const auto state = std::ranges::find(flat.state_symbols, assignment.target);
    assert(state != flat.state_symbols.end());
    result.assignments.push_back({static_cast<int>(state - flat.state_symbols.begin()),
                                  flat.flatten(assignment.value), flattened(assignment.factor)});
  }
  return result;
}

}  // namespace

FlatModel flatten(const OdeModel& model) {
  if (!model.algebraic.empty()) {
    throw core::Error(model.algebraic.front().where, "the algebraic equation is not solved for any quantity");
  }
  FlatModel flat;
  flat.graph = model.graph;
  flat.time = model.time;
  const auto delays = in_order(model);
  Beginning beginning(model, delays);
  Expansion& at_start = beginning.at_start;
  Expansion always(*model.graph);

  const auto constants = values_of_initial_constants(model, at_start);
  for (std::size_t i = 0; i < constants.size(); ++i) {
    always.define(model.initial_constants[i], constants[i]);
    flat.replacements.emplace(model.initial_constants[i].symbol, constants[i]);
  }
  for (const Derived& derived : model.derived) always.define(derived, derived.value);
  for (const Derived& derived : model.derived) {
    flat.replacements.emplace(derived.symbol, always(derived.symbol));
  }
  for (const State& state : model.states) {
    flat.state_symbols.push_back(state.symbol);
    flat.state_ids.push_back(state.id);
    flat.rates.push_back(always(state.rate));
    flat.initials.push_back(at_start(is_determined(model, state) ? state.initial : state.symbol));
  }
  for (const Parameter& parameter : model.parameters) {
    flat.parameter_symbols.push_back(parameter.symbol);
    flat.parameter_ids.push_back(parameter.id);
  }
  add_delays(model, delays, beginning, flat);
  refuse_solved_starts(model, flat, constants);
  for (const Constraint& constraint : model.constraints) {
    const auto state = std::ranges::find(flat.state_symbols, constraint.symbol);
    flat.constraints.push_back(
        {static_cast<int>(state - flat.state_symbols.begin()), flat.flatten(constraint.residual)});
  }
  for (const Event& event : model.events) flat.events.push_back(flatten_event(flat, event));
  return flat;
}

Expr FlatModel::flatten(Expr expression) const { return symbolic::substitute(expression, replacements); }

}  // namespace kinetune::model
