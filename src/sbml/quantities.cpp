#include <limits>

#include <fmt/format.h>
#include <sbml/SBMLTypes.h>

#include "sbml/import.hpp"

namespace kinetune::sbml {
namespace {

constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

double number_of(const Import& import, const Quantity& quantity) {
  switch (quantity.kind) {
    case Kind::compartment: {
      const auto& compartment = static_cast<const Compartment&>(*quantity.element);
      if (compartment.isSetSize()) return compartment.getSize();
      return import.source.getLevel() == 1 ? 1.0 : unknown;  // Level 1 alone has a default
    }
    case Kind::stoichiometry: {
      const auto& reference = static_cast<const SpeciesReference&>(*quantity.element);
      return reference.isSetStoichiometry() ? reference.getStoichiometry() : unknown;
    }
    default: {
      const auto& parameter = static_cast<const Parameter&>(*quantity.element);
      return parameter.isSetValue() ? parameter.getValue() : unknown;
    }
  }
}

std::string rule_of(const Quantity& quantity) {
  return fmt::format("the {} rule of {}", quantity.rule->isRate() ? "rate" : "assignment", quantity.id);
}

}  // namespace

Expr initial_value(Import& import, const Quantity& quantity, double otherwise) {
  if (!quantity.initial_assignment) return import.model.graph->constant(otherwise);
  return import.translate(*quantity.initial_assignment, "the initial assignment of " + quantity.id);
}

void add_quantity(Import& import, Quantity& quantity, Expr initial) {
  model::OdeModel& model = import.model;
  const core::Location where = import.where(quantity.rule ? *quantity.rule : *quantity.element);
  if (quantity.rule && quantity.rule->isAssignment()) {
    const Expr value = import.translate(*quantity.rule, rule_of(quantity));
    model.derived.push_back({quantity.id, quantity.symbol, value, where});
  } else if (quantity.rule || quantity.changed_by_reactions || quantity.changed_by_events) {
    const Expr rate =
        quantity.rule ? import.translate(*quantity.rule, rule_of(quantity)) : model.graph->constant(0);
    quantity.state = model.states.size();
    model.states.push_back({quantity.id, quantity.symbol, rate, initial, where});
  } else if (quantity.initial_assignment || !initial.is_constant()) {
    model.initial_constants.push_back({quantity.id, quantity.symbol, initial, where});
  } else {
    model.parameters.push_back({quantity.id, quantity.symbol, initial.value()});
  }
}

void add_sizes_and_parameters(Import& import) {
  for (Quantity& quantity : import.quantities) {
    if (quantity.kind == Kind::species) continue;
    add_quantity(import, quantity, initial_value(import, quantity, number_of(import, quantity)));
  }
}

}  // namespace kinetune::sbml
