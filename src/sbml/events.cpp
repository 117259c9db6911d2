#include <fmt/format.h>
#include <sbml/SBMLTypes.h>

#include "sbml/import.hpp"

namespace kinetune::sbml {
namespace {

void add_assignment(Import& import, const EventAssignment& assignment, const std::string& of,
                    model::Event& event) {
  const Quantity& quantity = *import.by_id.at(assignment.getVariable());
  const Expr value = import.translate(assignment, fmt::format("the assignment of {} in {}", quantity.id, of));
  model::EventAssignment made{.target = import.model.states[*quantity.state].symbol, .value = value};
  if (quantity.kept != quantity.meaning) made.factor = quantity.size;
  for (const model::EventAssignment& other : event.assignments) {
    if (other.target == made.target) {
      throw core::Error(import.where(assignment), fmt::format("{} is assigned twice in {}", quantity.id, of));
    }
  }
  event.assignments.push_back(made);
}

void add_event(Import& import, const Event& source, unsigned number) {
  const std::string id = source.isSetId() ? source.getId() : fmt::format("event#{}", number + 1);
  const std::string of = "event " + id;
  const Trigger& trigger = *source.getTrigger();
  model::Event event;
  event.id = id;
  event.trigger = import.translate(trigger, "the trigger of " + of);
  event.where = import.where(source);
  if (source.isSetDelay() && source.getDelay()->isSetMath()) {
    event.delay = import.translate(*source.getDelay(), "the delay of " + of);
  }
  if (source.isSetPriority() && source.getPriority()->isSetMath()) {
    event.priority = import.translate(*source.getPriority(), "the priority of " + of);
  }
  if (import.source.getLevel() > 2) {
    event.initially_true = trigger.getInitialValue();
    event.persistent = trigger.getPersistent();
  }
  event.values_from_trigger_time = source.getUseValuesFromTriggerTime();
  for (unsigned i = 0; i < source.getNumEventAssignments(); ++i) {
    const EventAssignment& assignment = *source.getEventAssignment(i);
    if (assignment.isSetMath()) add_assignment(import, assignment, of, event);
  }
  import.model.events.push_back(std::move(event));
}

}  // namespace

void add_events(Import& import) {
  for (unsigned i = 0; i < import.source.getNumEvents(); ++i) {
    const Event& event = *import.source.getEvent(i);
    if (event.isSetTrigger() && event.getTrigger()->isSetMath()) add_event(import, event, i);
  }
}

}  // namespace kinetune::sbml
