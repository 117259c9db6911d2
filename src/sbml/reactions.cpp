#include <limits>
#include <unordered_map>

#include <fmt/format.h>
#include <sbml/SBMLTypes.h>

#include "sbml/import.hpp"

namespace kinetune::sbml {
namespace {

enum class Side { reactant, product };

/// What reactions add to the states, by index of the state: terms of the rate of the amount.
using Changes = std::unordered_map<std::size_t, std::vector<Expr>>;

void refuse_what_has_no_rate(const Import& import, const Reaction& reaction) {
  if (reaction.isSetFast() && reaction.getFast()) {
    throw core::Error(import.where(reaction),
                      fmt::format("reaction {} is fast: not supported", reaction.getId()),
                      "replace it by its equilibrium");
  }
  if (reaction.isSetKineticLaw() && reaction.getKineticLaw()->isSetMath()) return;
  if (import.source.getPlugin("fbc")) {
    throw core::Error(import.where(reaction),
                      fmt::format("a flux balance model: reaction {} has no kinetic law", reaction.getId()),
                      "give a kinetic model");
  }
  throw core::Error(import.where(reaction), fmt::format("reaction {} has no kinetic law", reaction.getId()),
                    "give it one");
}

/// Local parameters become parameters of the model, named after their reaction.
Scope add_local_parameters(Import& import, const Reaction& reaction) {
  Scope locals;
  const KineticLaw& law = *reaction.getKineticLaw();
  for (unsigned i = 0; i < law.getNumParameters(); ++i) {
    const Parameter& parameter = *law.getParameter(i);
    const std::string id = fmt::format("{}.{}", reaction.getId(), parameter.getId());
    const Expr symbol = import.model.graph->symbol(id);
    if (!locals.emplace(parameter.getId(), symbol).second) {
      throw core::Error(import.where(parameter),
                        fmt::format("duplicate local parameter {}", parameter.getId()));
    }
    const double value =
        parameter.isSetValue() ? parameter.getValue() : std::numeric_limits<double>::quiet_NaN();
    import.model.parameters.push_back({id, symbol, value});
  }
  return locals;
}

Expr stoichiometry_of(Import& import, const Reaction& reaction, const SpeciesReference& reference) {
  const std::string of =
      fmt::format("stoichiometry of {} in reaction {}", reference.getSpecies(), reaction.getId());
  if (reference.isSetStoichiometryMath() && reference.getStoichiometryMath()->isSetMath()) {
    return import.translate(*reference.getStoichiometryMath(), "the " + of);
  }
  if (const auto own = import.by_id.find(reference.getId());
      own != import.by_id.end() && own->second->element == &reference) {
    return own->second->symbol;
  }
  if (import.source.getLevel() > 2 && !reference.isSetStoichiometry()) {
    throw core::Error(import.where(reference), fmt::format("the {} is missing", of), "give it a number");
  }
  return import.model.graph->constant(reference.getStoichiometry() / reference.getDenominator());
}

/// Extent to substance, for one species.
Expr conversion_factor(Import& import, const Species& species) {
  const bool own = species.isSetConversionFactor();
  if (!own && !import.source.isSetConversionFactor()) return import.model.graph->constant(1);
  const std::string& id = own ? species.getConversionFactor() : import.source.getConversionFactor();
  return import.quantity(id, species, "a conversion factor").symbol;
}

void add_participant(Import& import, const Reaction& reaction, const SpeciesReference& reference, Side side,
                     Expr rate, Changes& changes) {
  const Quantity& quantity = *import.by_id.at(reference.getSpecies());
  const Expr stoichiometry = stoichiometry_of(import, reaction, reference);
  if (!quantity.changed_by_reactions || static_cast<const Species*>(quantity.element)->getBoundaryCondition())
    return;
  const Expr flow =
      stoichiometry * rate * conversion_factor(import, static_cast<const Species&>(*quantity.element));
  changes[*quantity.state].push_back(side == Side::product ? flow : -flow);
}

void add_reaction(Import& import, const Reaction& reaction, Changes& changes) {
  refuse_what_has_no_rate(import, reaction);
  const Scope locals = add_local_parameters(import, reaction);
  const KineticLaw& law = *reaction.getKineticLaw();
  const Expr value =
      import.translate(law, fmt::format("the kinetic law of reaction {}", reaction.getId()), &locals);
  const Expr rate = import.maths.global(reaction.getId());
  import.model.derived.push_back({reaction.getId(), rate, value, import.where(law)});
  for (unsigned i = 0; i < reaction.getNumReactants(); ++i) {
    add_participant(import, reaction, *reaction.getReactant(i), Side::reactant, rate, changes);
  }
  for (unsigned i = 0; i < reaction.getNumProducts(); ++i) {
    add_participant(import, reaction, *reaction.getProduct(i), Side::product, rate, changes);
  }
}

}  // namespace

void add_reactions(Import& import) {
  Changes changes;
  for (unsigned i = 0; i < import.source.getNumReactions(); ++i) {
    add_reaction(import, *import.source.getReaction(i), changes);
  }
  for (const Quantity& quantity : import.quantities) {
    if (!quantity.state || !changes.contains(*quantity.state)) continue;
    const Expr amount_rate = symbolic::sum(*import.model.graph, changes.at(*quantity.state));
    const bool per_size = quantity.kept == Unit::concentration;
    import.model.states[*quantity.state].rate = per_size ? amount_rate / quantity.size : amount_rate;
  }
}

}  // namespace kinetune::sbml
