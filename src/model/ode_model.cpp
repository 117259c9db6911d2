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

bool OdeModel::has(std::string_view id) const {
  return state(id) || parameter(id) || initial_constant(id) || derived_quantity(id);
}

}  // namespace kinetune::model
