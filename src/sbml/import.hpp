#pragma once

#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "model/ode_model.hpp"
#include "sbml/document.hpp"
#include "sbml/maths.hpp"

class InitialAssignment;
class Model;
class Rule;

namespace kinetune::sbml {

enum class Kind { compartment, species, parameter, stoichiometry };
enum class Unit { amount, concentration };

/// Something that has an id and a value, and what the document says about it.
struct Quantity {
  std::string id;
  Kind kind;
  const SBase* element;
  Expr symbol;  ///< what the id means in formulas
  bool constant;
  const InitialAssignment* initial_assignment = nullptr;
  const Rule* rule = nullptr;  ///< assignment or rate rule
  bool changed_by_reactions = false;
  bool changed_by_events = false;
  bool may_solve_algebraic_rule = false;

  bool varies() const {
    return rule || changed_by_reactions || changed_by_events || may_solve_algebraic_rule;
  }

  // Of species only.
  Unit meaning = Unit::amount;  ///< of the id in formulas
  Unit kept = Unit::amount;     ///< of the state; not `meaning` only where the compartment's size changes
  Expr size = {};               ///< of the compartment; empty where it has none

  std::optional<std::size_t> state = {};  ///< index in OdeModel::states
};

/// One import on its way: the document, what is known of it, the model so far.
struct Import {
  Import(const Model& document_model, std::string file_name);
  Import(const Import&) = delete;

  const Model& source;
  std::string file;
  model::OdeModel model;
  Maths maths;
  std::deque<Quantity> quantities;  ///< in the order of the document
  std::unordered_map<std::string, Quantity*> by_id;
  std::unordered_map<std::string, core::Location> declared;  ///< every id, also of functions and events

  core::Location where(const SBase& element) const { return location_of(element, file); }

  /// Takes an id. @throws core::Error when it is empty, ill-formed or taken
  void declare(const std::string& id, const SBase&, const char* what);
  /// The same, and makes the id known to formulas.
  Expr declare_symbol(const std::string& id, const SBase&, const char* what);
  /// @throws core::Error when there is no such quantity
  Quantity& quantity(const std::string& id, const SBase& user, const std::string& of);
  /// The element's formula. @param of  how messages call it: "the trigger of event E1"
  template <class Element>
  Expr translate(const Element& element, const std::string& of, const Scope* locals = nullptr) {
    return maths.translate(*element.getMath(), {where(element), of, locals});
  }
};

/// The steps of an import, in their order. Each throws core::Error.
void declare_all(Import&);        ///< functions, quantities, reactions, events: ids and symbols
void note_what_changes(Import&);  ///< which quantities initial assignments, rules, events, reactions set
void add_sizes_and_parameters(Import&);
void add_species(Import&);
void add_reactions(Import&);
void add_events(Import&);
void add_algebraic_rules(Import&);
void define_rates_asked_for(Import&);  ///< last: gives every rateOf(x) its value

/// Adds the quantity as what it is: derived, state, initial constant or parameter.
/// @param initial  value at the start, in the meaning of its id
void add_quantity(Import&, Quantity&, Expr initial);

/// The initial assignment's expression, or else the given number.
Expr initial_value(Import&, const Quantity&, double otherwise);

}  // namespace kinetune::sbml
