#include "estimate/mappings.hpp"

#include <map>
#include <string>

namespace kinetune::estimate {
namespace {

using symbolic::Expr;
using symbolic::ExprMap;

/// New ids, and the new symbols behind the old ones.
struct Names {
  std::map<std::string, std::string> ids;
  ExprMap symbols;

  template <class Entry>
  void rename(Entry& entry) const {
    if (const auto found = ids.find(entry.id); found != ids.end()) entry.id = found->second;
    entry.symbol = in(entry.symbol);
  }
  Expr in(Expr expression) const { return symbolic::substitute(expression, symbols); }
};

void rename(model::OdeModel& model, const Names& names) {
  for (auto& p : model.parameters) names.rename(p);
  for (auto& s : model.states) {
    names.rename(s);
    s.rate = names.in(s.rate);
    s.initial = names.in(s.initial);
  }
  for (auto& c : model.initial_constants) {
    names.rename(c);
    c.initial = names.in(c.initial);
  }
  for (auto& d : model.derived) {
    names.rename(d);
    d.value = names.in(d.value);
  }
  for (auto& event : model.events) {
    event.trigger = names.in(event.trigger);
    if (event.delay) event.delay = names.in(*event.delay);
    if (event.priority) event.priority = names.in(*event.priority);
    for (auto& assignment : event.assignments) {
      assignment.target = names.in(assignment.target);
      assignment.value = names.in(assignment.value);
      if (assignment.factor) assignment.factor = names.in(*assignment.factor);
    }
  }
  for (auto& constraint : model.constraints) {
    constraint.symbol = names.in(constraint.symbol);
    constraint.residual = names.in(constraint.residual);
  }
  for (auto& equation : model.algebraic) equation.residual = names.in(equation.residual);
  for (Expr& unknown : model.algebraic_unknowns) unknown = names.in(unknown);
  for (auto& species : model.species) {
    species.amount = names.in(species.amount);
    species.concentration = names.in(species.concentration);
  }
}

}  // namespace

void apply_mappings(const petab::Problem& petab, model::OdeModel& model) {
  Names names;
  for (const petab::Mapping& mapping : petab.mappings) {
    const auto symbol = model.symbol(mapping.model_id);
    if (!symbol || mapping.model_id == mapping.petab_id) continue;
    names.ids.emplace(mapping.model_id, mapping.petab_id);
    names.symbols.emplace(*symbol, model.graph->symbol(mapping.petab_id));
  }
  if (!names.ids.empty()) rename(model, names);
}

}  // namespace kinetune::estimate
