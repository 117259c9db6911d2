#include <fmt/format.h>
#include <sbml/SBMLTypes.h>

#include "sbml/import.hpp"

namespace kinetune::sbml {
namespace {

[[noreturn]] void refuse(const Import& import, const SBase& element, const std::string& what) {
  throw core::Error(import.where(element), what);
}

// Elements without maths have no effect (Level 3 Version 2 allows them).

void note_initial_assignments(Import& import) {
  for (unsigned i = 0; i < import.source.getNumInitialAssignments(); ++i) {
    const InitialAssignment& assignment = *import.source.getInitialAssignment(i);
    Quantity& quantity = import.quantity(assignment.getSymbol(), assignment, "an initial assignment");
    if (!assignment.isSetMath()) continue;
    if (quantity.initial_assignment) {
      refuse(import, assignment, fmt::format("{} has two initial assignments", quantity.id));
    }
    quantity.initial_assignment = &assignment;
  }
}

void note_rule(Import& import, const Rule& rule) {
  Quantity& quantity = import.quantity(rule.getVariable(), rule, "a rule");
  if (!rule.isSetMath()) return;
  if (quantity.constant)
    refuse(import, rule, fmt::format("a rule changes {}, which is constant", quantity.id));
  if (quantity.rule) refuse(import, rule, fmt::format("{} has two rules", quantity.id));
  if (rule.isAssignment() && quantity.initial_assignment) {
    refuse(import, rule, fmt::format("{} has an assignment rule and an initial assignment", quantity.id));
  }
  quantity.rule = &rule;
}

void note_rules(Import& import) {
  bool has_algebraic = false;
  for (unsigned i = 0; i < import.source.getNumRules(); ++i) {
    const Rule& rule = *import.source.getRule(i);
    if (rule.isAlgebraic())
      has_algebraic = has_algebraic || rule.isSetMath();
    else
      note_rule(import, rule);
  }
  for (Quantity& quantity : import.quantities) {
    quantity.may_solve_algebraic_rule = has_algebraic && !quantity.constant && !quantity.rule;
  }
}

void note_event(Import& import, const Event& event) {
  for (unsigned i = 0; i < event.getNumEventAssignments(); ++i) {
    const EventAssignment& assignment = *event.getEventAssignment(i);
    Quantity& quantity = import.quantity(assignment.getVariable(), assignment, "an event");
    if (!assignment.isSetMath()) continue;
    if (quantity.constant) {
      refuse(import, assignment, fmt::format("an event changes {}, which is constant", quantity.id));
    }
    if (quantity.rule && quantity.rule->isAssignment()) {
      refuse(import, assignment,
             fmt::format("an event changes {}, which has an assignment rule", quantity.id));
    }
    quantity.changed_by_events = true;
  }
}

void note_participant(Import& import, const Reaction& reaction, const SpeciesReference& reference) {
  const std::string of = fmt::format("reaction {}", reaction.getId());
  Quantity& quantity = import.quantity(reference.getSpecies(), reference, of);
  if (quantity.kind != Kind::species) refuse(import, reference, fmt::format("{} is no species", quantity.id));
  if (static_cast<const Species*>(quantity.element)->getBoundaryCondition()) return;
  if (quantity.constant) {
    refuse(import, reference, fmt::format("{} changes {}, which is constant", of, quantity.id));
  }
  if (quantity.rule)
    refuse(import, reference, fmt::format("{} changes {}, which has a rule", of, quantity.id));
  quantity.changed_by_reactions = true;
  quantity.may_solve_algebraic_rule = false;
}

void note_reaction(Import& import, const Reaction& reaction) {
  for (unsigned i = 0; i < reaction.getNumReactants(); ++i) {
    note_participant(import, reaction, *reaction.getReactant(i));
  }
  for (unsigned i = 0; i < reaction.getNumProducts(); ++i) {
    note_participant(import, reaction, *reaction.getProduct(i));
  }
  for (unsigned i = 0; i < reaction.getNumModifiers(); ++i) {
    const ModifierSpeciesReference& modifier = *reaction.getModifier(i);
    import.quantity(modifier.getSpecies(), modifier, fmt::format("reaction {}", reaction.getId()));
  }
}

}  // namespace

void note_what_changes(Import& import) {
  note_initial_assignments(import);
  note_rules(import);
  for (unsigned i = 0; i < import.source.getNumEvents(); ++i) {
    const Event& event = *import.source.getEvent(i);
    if (event.isSetTrigger() && event.getTrigger()->isSetMath()) note_event(import, event);
  }
  for (unsigned i = 0; i < import.source.getNumReactions(); ++i) {
    note_reaction(import, *import.source.getReaction(i));
  }
}

}  // namespace kinetune::sbml
