#include <algorithm>
#include <cassert>

#include "model/expansion.hpp"

namespace kinetune::model {
namespace {

/// What everything is at the start of a simulation.
Expansion initial_expansion(const OdeModel& model) {
  Expansion expand(*model.graph);
  for (const State& state : model.states) expand.define(state, state.initial);
  for (const InitialConstant& constant : model.initial_constants) expand.define(constant, constant.initial);
  for (const Derived& derived : model.derived) expand.define(derived, derived.value);
  return expand;
}

/// The initial constants as they stay for the rest of the simulation, which begins at time 0.
std::vector<Expr> values_of_initial_constants(const OdeModel& model, Expansion& at_start) {
  std::vector<Expr> values;
  for (const InitialConstant& constant : model.initial_constants) values.push_back(at_start(constant.symbol));
  return symbolic::substitute(values, {{model.time, model.graph->constant(0)}});
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
  Expansion at_start = initial_expansion(model);
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
    flat.initials.push_back(at_start(state.symbol));
  }
  for (const Parameter& parameter : model.parameters) {
    flat.parameter_symbols.push_back(parameter.symbol);
    flat.parameter_ids.push_back(parameter.id);
  }
  for (const Event& event : model.events) flat.events.push_back(flatten_event(flat, event));
  return flat;
}

Expr FlatModel::flatten(Expr expression) const { return symbolic::substitute(expression, replacements); }

}  // namespace kinetune::model
