#include "model/ode_model.hpp"

#include <algorithm>

namespace kinetune::model {
namespace {

template <class Entry>
const Entry* find(const std::vector<Entry>& entries, std::string_view id) {
  const auto found = std::ranges::find(entries, id, &Entry::id);
  return found == entries.end() ? nullptr : &*found;
}

}  // namespace

const State* OdeModel::state(std::string_view id) const { return find(states, id); }
const Parameter* OdeModel::parameter(std::string_view id) const { return find(parameters, id); }
const InitialConstant* OdeModel::initial_constant(std::string_view id) const {
  return find(initial_constants, id);
}
const Derived* OdeModel::derived_quantity(std::string_view id) const { return find(derived, id); }
const Constraint* OdeModel::constraint(std::string_view id) const {
  const State* held = state(id);
  const auto found = std::ranges::find_if(
      constraints, [&](const Constraint& constraint) { return held && constraint.symbol == held->symbol; });
  return found == constraints.end() ? nullptr : &*found;
}

std::optional<Expr> OdeModel::symbol(std::string_view id) const {
  if (const auto* s = state(id)) return s->symbol;
  if (const auto* p = parameter(id)) return p->symbol;
  if (const auto* c = initial_constant(id)) return c->symbol;
  if (const auto* d = derived_quantity(id)) return d->symbol;
  return std::nullopt;
}

bool OdeModel::has(std::string_view id) const { return symbol(id).has_value(); }

}  // namespace kinetune::model
