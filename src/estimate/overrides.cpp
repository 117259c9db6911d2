#include "estimate/overrides.hpp"

#include <algorithm>
#include <limits>

namespace kinetune::estimate {
namespace {

using symbolic::Expr;

/// How many of the conditions that the measurements use set the target.
enum class SetIn { some, all };

SetIn set_in(const std::string& target, const petab::Problem& petab) {
  std::set<std::string> used;
  for (const auto& m : petab.measurements) used.insert(m.simulation_condition_id);
  const auto sets = [&](const std::string& id) {
    const auto& overrides = petab.condition(id)->overrides;
    return std::ranges::find(overrides, target, &petab::Override::target_id) != overrides.end();
  };
  return std::ranges::all_of(used, sets) ? SetIn::all : SetIn::some;
}

// Characters that no id of SBML or PEtab has keep these names apart from theirs.
std::string value_name(const std::string& target) { return target + " (condition)"; }
std::string flag_name(const std::string& target) { return target + " (is set)"; }

Expr add_parameter(model::OdeModel& model, const std::string& id, double value) {
  const Expr symbol = model.graph->symbol(id);
  model.parameters.push_back({id, symbol, value});
  return symbol;
}

}  // namespace

void Overrides::apply(const std::string& target, Binding value, const Assign& assign) const {
  const auto entry = replaced_.find(target);
  if (entry == replaced_.end()) return assign(target, value);
  assign(entry->second.value, value);
  if (!entry->second.is_set.empty()) assign(entry->second.is_set, {1.0, -1});
}

std::string Overrides::target_of(const std::string& parameter) const {
  for (const auto& [target, replacement] : replaced_) {
    if (replacement.value == parameter) return target;
  }
  return parameter;
}

Overrides make_overridable(const petab::Problem& petab, model::OdeModel& model) {
  Overrides result;
  for (const auto& [target, where] : petab.condition_targets) {
    Expr* initial = nullptr;
    for (auto& state : model.states)
      if (state.id == target) initial = &state.initial;
    for (auto& constant : model.initial_constants)
      if (constant.id == target) initial = &constant.initial;
    if (!initial) continue;
    const bool always = set_in(target, petab) == SetIn::all;
    const Expr value =
        add_parameter(model, value_name(target), always ? std::numeric_limits<double>::quiet_NaN() : 0.0);
    Overrides::Replacement replacement{value_name(target), always ? "" : flag_name(target)};
    *initial = always ? value : select(add_parameter(model, flag_name(target), 0.0), value, *initial);
    result.replaced_.emplace(target, std::move(replacement));
  }
  return result;
}

}  // namespace kinetune::estimate
