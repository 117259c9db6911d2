#include <limits>

#include <fmt/format.h>
#include <sbml/SBMLTypes.h>

#include "sbml/import.hpp"

namespace kinetune::sbml {
namespace {

/// A species' value in another unit.
Expr converted(const Quantity& species, Expr value, Unit from, Unit to) {
  if (from == to || !species.size) return value;
  return to == Unit::amount ? value * species.size : value / species.size;
}

/// A compartment without dimensions has none, unless the document gives one all the same.
bool has_size(const Quantity& quantity) {
  const auto& compartment = static_cast<const Compartment&>(*quantity.element);
  const bool is_point =
      compartment.isSetSpatialDimensions() && compartment.getSpatialDimensionsAsDouble() == 0.0;
  return !is_point || compartment.isSetSize() || quantity.initial_assignment || quantity.rule;
}

/// Decides what the id means in formulas and what is kept.
void settle_units(Import& import, Quantity& quantity) {
  const auto& species = static_cast<const Species&>(*quantity.element);
  const Quantity& compartment =
      import.quantity(species.getCompartment(), species, fmt::format("species {}", quantity.id));
  if (compartment.kind != Kind::compartment) {
    throw core::Error(import.where(species), fmt::format("species {} is in {}, which is no compartment",
                                                         quantity.id, compartment.id));
  }
  if (!has_size(compartment)) return;
  quantity.size = compartment.symbol;
  if (species.getHasOnlySubstanceUnits()) return;
  quantity.meaning = Unit::concentration;
  const bool assigned = quantity.rule && quantity.rule->isAssignment();
  quantity.kept = compartment.varies() && !assigned ? Unit::amount : Unit::concentration;
}

/// The size, if it is a plain number that nothing changes.
std::optional<double> size_number(const Import& import, const Quantity& quantity) {
  const auto& species = static_cast<const Species&>(*quantity.element);
  const model::Parameter* size = import.model.parameter(species.getCompartment());
  if (!size) return std::nullopt;
  return size->value;
}

/// In the unit that the species is kept in.
Expr initial_of(Import& import, const Quantity& quantity) {
  const auto& species = static_cast<const Species&>(*quantity.element);
  symbolic::Graph& graph = *import.model.graph;
  if (quantity.initial_assignment) {
    return converted(quantity, initial_value(import, quantity, 0), quantity.meaning, quantity.kept);
  }
  if (!species.isSetInitialAmount() && !species.isSetInitialConcentration()) {
    return graph.constant(std::numeric_limits<double>::quiet_NaN());
  }
  const Unit given = species.isSetInitialAmount() ? Unit::amount : Unit::concentration;
  const Expr number =
      graph.constant(given == Unit::amount ? species.getInitialAmount() : species.getInitialConcentration());
  // What is to be a parameter needs a number.
  if (!quantity.varies() && given != quantity.kept && quantity.size) {
    if (const auto size = size_number(import, quantity)) {
      return quantity.kept == Unit::amount ? *size * number : number / graph.constant(*size);
    }
  }
  return converted(quantity, number, given, quantity.kept);
}

/// A species whose compartment changes: the amount is the state, the concentration follows.
/// A rule for the concentration c = a / v means da/dt = v dc/dt + c dv/dt.
void add_as_amount(Import& import, Quantity& quantity) {
  model::OdeModel& model = import.model;
  const std::string id = quantity.id + ".amount";
  const Expr amount = model.graph->symbol(id);
  const core::Location where = import.where(*quantity.element);
  Expr rate = model.graph->constant(0);
  if (quantity.rule) {
    const Expr rule = import.translate(*quantity.rule, "the rate rule of " + quantity.id);
    rate = rule * quantity.size + quantity.symbol * import.maths.rate_of(quantity.size);
  }
  quantity.state = model.states.size();
  model.states.push_back({id, amount, rate, initial_of(import, quantity), where});
  model.derived.push_back({quantity.id, quantity.symbol, amount / quantity.size, where});
}

}  // namespace

void add_species(Import& import) {
  model::OdeModel& model = import.model;
  for (Quantity& quantity : import.quantities) {
    if (quantity.kind != Kind::species) continue;
    settle_units(import, quantity);
    if (quantity.kept != quantity.meaning)
      add_as_amount(import, quantity);
    else
      add_quantity(import, quantity, initial_of(import, quantity));

    const Expr amount = quantity.kept == quantity.meaning
                            ? converted(quantity, quantity.symbol, quantity.meaning, Unit::amount)
                            : model.states[*quantity.state].symbol;
    const Expr concentration =
        quantity.size ? converted(quantity, quantity.symbol, quantity.meaning, Unit::concentration)
                      : model.graph->constant(std::numeric_limits<double>::quiet_NaN());
    model.species.push_back({quantity.id, amount, concentration});
  }
}

}  // namespace kinetune::sbml
