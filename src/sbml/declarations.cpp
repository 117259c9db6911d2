#include <fmt/format.h>
#include <sbml/SBMLTypes.h>

#include "sbml/import.hpp"
#include "symbolic/maths_parser.hpp"

namespace kinetune::sbml {
namespace {

/// Level 1 has no notion of a constant quantity.
template <class Element>
bool is_constant(const Import& import, const Element& element) {
  return import.source.getLevel() > 1 && element.getConstant();
}

void add(Import& import, Kind kind, const SBase& element, const char* what, bool constant) {
  const std::string& id = element.getId();
  const Expr symbol = import.declare_symbol(id, element, what);
  import.quantities.push_back(
      {.id = id, .kind = kind, .element = &element, .symbol = symbol, .constant = constant});
  import.by_id.emplace(id, &import.quantities.back());
}

/// Ids of species references have a meaning from Level 3 on.
void declare_stoichiometries(Import& import, const Reaction& reaction) {
  const auto declare = [&](const SpeciesReference& reference) {
    if (import.source.getLevel() < 3 || !reference.isSetId()) return;
    add(import, Kind::stoichiometry, reference, "species reference", reference.getConstant());
  };
  for (unsigned i = 0; i < reaction.getNumReactants(); ++i) declare(*reaction.getReactant(i));
  for (unsigned i = 0; i < reaction.getNumProducts(); ++i) declare(*reaction.getProduct(i));
}

}  // namespace

Import::Import(const Model& document_model, std::string file_name)
    : source(document_model), file(std::move(file_name)), maths(*model.graph, model.time) {
  model.id = source.getId();
}

void Import::declare(const std::string& id, const SBase& element, const char* what) {
  if (id.empty()) throw core::Error(where(element), fmt::format("{} has no id", what), "give it one");
  if (!symbolic::is_identifier(id)) {
    throw core::Error(where(element), fmt::format("\"{}\" cannot be the id of a {}", id, what),
                      "use letters, digits and underscores, no digit first");
  }
  const auto [entry, is_new] = declared.emplace(id, where(element));
  if (!is_new) {
    throw core::Error(where(element), fmt::format("duplicate id {}", id),
                      fmt::format("line {} has it too, rename one", entry->second.line));
  }
}

Expr Import::declare_symbol(const std::string& id, const SBase& element, const char* what) {
  declare(id, element, what);
  // A quantity may be called "time", and is then not the time.
  const Expr symbol = model.graph->symbol(id == model.time.name() ? id + " (quantity)" : id);
  maths.define(id, symbol);
  return symbol;
}

Quantity& Import::quantity(const std::string& id, const SBase& user, const std::string& of) {
  const auto found = by_id.find(id);
  if (found != by_id.end()) return *found->second;
  throw core::Error(where(user), fmt::format("{} refers to {}, which is no quantity of the model", of, id),
                    "declare it");
}

void declare_all(Import& import) {
  const Model& source = import.source;
  for (unsigned i = 0; i < source.getNumFunctionDefinitions(); ++i) {
    const FunctionDefinition& function = *source.getFunctionDefinition(i);
    import.declare(function.getId(), function, "function definition");
    import.maths.define_function(function, import.where(function));
  }
  for (unsigned i = 0; i < source.getNumCompartments(); ++i) {
    const Compartment& compartment = *source.getCompartment(i);
    add(import, Kind::compartment, compartment, "compartment", is_constant(import, compartment));
  }
  for (unsigned i = 0; i < source.getNumSpecies(); ++i) {
    const Species& species = *source.getSpecies(i);
    add(import, Kind::species, species, "species", is_constant(import, species));
  }
  for (unsigned i = 0; i < source.getNumParameters(); ++i) {
    const Parameter& parameter = *source.getParameter(i);
    add(import, Kind::parameter, parameter, "parameter", is_constant(import, parameter));
  }
  for (unsigned i = 0; i < source.getNumReactions(); ++i) {
    const Reaction& reaction = *source.getReaction(i);
    import.declare_symbol(reaction.getId(), reaction, "reaction");
    declare_stoichiometries(import, reaction);
  }
  for (unsigned i = 0; i < source.getNumEvents(); ++i) {
    const Event& event = *source.getEvent(i);
    if (event.isSetId()) import.declare(event.getId(), event, "event");
  }
}

}  // namespace kinetune::sbml
