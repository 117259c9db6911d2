#include "estimate/parameter_values.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace kinetune::estimate {
namespace {

using symbolic::Expr;

std::string plain_name(const std::string& parameter) { return parameter + " (value)"; }
std::string choice_name(const std::string& parameter) { return parameter + " (formula)"; }

}  // namespace

ParameterValues::ParameterValues(const petab::Problem& petab, model::OdeModel& model)
    : petab_(petab), model_(model) {
  for (const petab::Parameter& p : petab.parameters) {
    rows_.emplace(p.id, &p);
    if (p.estimate == petab::Estimate::yes) estimated_.emplace(p.id, static_cast<int>(estimated_.size()));
  }
}

Binding ParameterValues::of(const model::Parameter& p) const {
  return rows_.contains(p.id) ? of(petab::Value(p.id)) : Binding{p.value, -1};
}

Binding ParameterValues::of(const petab::Value& value) const {
  if (const auto* number = std::get_if<double>(&value)) return {*number, -1};
  const std::string& id = std::get<std::string>(value);
  if (const auto entry = estimated_.find(id); entry != estimated_.end()) return {0.0, entry->second};
  if (const auto row = rows_.find(id); row != rows_.end()) return {row->second->nominal_value, -1};
  if (const auto* p = model_.parameter(id)) return {p->value, -1};
  throw core::Error({petab_.yaml_file.string(), 0}, fmt::format("'{}' is no parameter", id),
                    "use a number or an id of the parameter table");
}

/// A number or an estimated parameter, if it is no more than that.
std::optional<Binding> ParameterValues::plain(Expr value) const {
  if (value.is_symbol()) return of(petab::Value(value.name()));
  const auto bound = [&](const Expr& symbol) { return of(petab::Value(symbol.name())); };
  for (const Expr& symbol : symbolic::free_symbols(value)) {
    if (bound(symbol).estimated >= 0) return std::nullopt;
  }
  return Binding{symbolic::evaluate(value, [&](Expr symbol) { return bound(symbol).constant; }), -1};
}

void ParameterValues::make_formulas_choices(const Effects& effects) {
  for (const auto& stages : effects) {
    for (const StageEffect& stage : stages) {
      for (const auto& [id, value] : stage.values) {
        if (plain(value)) continue;
        auto& formulas = choices_[id];
        if (std::ranges::find(formulas, value) == formulas.end()) formulas.push_back(value);
      }
    }
  }
  for (const auto& [id, formulas] : choices_) {
    const auto entry = std::ranges::find(model_.parameters, id, &model::Parameter::id);
    const Expr symbol = entry->symbol, number = model_.graph->symbol(plain_name(id)),
               choice = model_.graph->symbol(choice_name(id));
    *entry = {plain_name(id), number, entry->value};
    model_.parameters.push_back({choice_name(id), choice, 0.0});
    Expr value = number;
    for (std::size_t k = formulas.size(); k > 0; --k) {
      const Expr is_chosen =
          binary(symbolic::Op::equal, choice, model_.graph->constant(static_cast<double>(k)));
      value = select(is_chosen, formulas[k - 1], value);
    }
    model_.derived.push_back({id, symbol, value});
  }
}

void ParameterValues::assign(const std::string& parameter, Expr value, const Assign& set) const {
  const auto formulas = choices_.find(parameter);
  if (formulas == choices_.end()) return set(parameter, *plain(value));
  if (const auto binding = plain(value)) return set(plain_name(parameter), *binding);
  const auto known = std::ranges::find(formulas->second, value) - formulas->second.begin();
  set(plain_name(parameter), {0.0, -1});
  set(choice_name(parameter), {static_cast<double>(known + 1), -1});
}

}  // namespace kinetune::estimate
