#include "estimate/conditions.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include <fmt/format.h>

#include "symbolic/maths_parser.hpp"

namespace kinetune::estimate {
namespace {

using symbolic::Expr;
using symbolic::ExprMap;

constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

// Characters that no id of SBML or PEtab has keep these names apart from theirs.
std::string value_name(const std::string& target) { return target + " (condition)"; }
std::string flag_name(const std::string& target) { return target + " (is set)"; }

class Conditions {
 public:
  Conditions(const petab::Problem& petab, const std::vector<Course>& courses, model::OdeModel& model)
      : petab_(petab), courses_(courses), model_(model), graph_(*model.graph) {}

  Effects apply() {
    add_output_parameters();
    // Each round finds what has to become a state, until nothing has to.
    do {
      flat_ = model::flatten(model_);
      to_become_states_.clear();
      effects_.clear();
      for (const Course& course : courses_) walk(course);
      for (const std::string& id : to_become_states_) make_state(id);
    } while (!to_become_states_.empty());
    override_initial_values();
    return std::move(effects_);
  }

 private:
  /// Parameters of observables alone, which no table of parameters lists.
  void add_output_parameters() {
    for (const petab::ConditionTarget& target : petab_.condition_targets) {
      const std::string& id = target.id;
      if (!model_.has(id)) model_.parameters.push_back({id, graph_.symbol(id), unknown});
    }
  }

  Expr formula(const petab::Override& change) const {
    if (change.formula) return symbolic::parse_maths(graph_, change.formula->text, change.formula->where);
    if (const auto* number = std::get_if<double>(&change.value)) return graph_.constant(*number);
    return graph_.symbol(std::get<std::string>(change.value));
  }

  void walk(const Course& course) {
    const ExprMap defaults = default_values();
    ExprMap current = defaults;
    std::vector<ExprMap> values;  // by stage
    effects_.emplace_back();
    for (std::size_t s = 0; s < course.stages.size(); ++s) {
      const Stage& stage = course.stages[s];
      effects_.back().emplace_back();
      // Version 1 begins anew from the model's values, version 2 goes on.
      const ExprMap before = petab_.format_version == 1 ? defaults : current;
      current = before;
      for (const petab::Override* change : stage.changes) {
        refuse_determined(*change);
        const Expr value = at_stage(formula(*change), before, stage);
        if (s == 0)
          set_first(*change, value, current);
        else
          set_later(*change, value, current);
      }
      for (const auto& [symbol, value] : current) effects_.back().back().values.emplace(symbol.name(), value);
      values.push_back(current);
    }
    keep_initial_constants(values);
  }

  /// The values that targets have in the model, of those that are parameters.
  ExprMap default_values() const {
    ExprMap values;
    for (const petab::ConditionTarget& target : petab_.condition_targets) {
      if (const auto* p = model_.parameter(target.id)) values.emplace(p->symbol, graph_.constant(p->value));
    }
    return values;
  }

  Expr at_stage(Expr value, const ExprMap& before, const Stage& stage) const {
    ExprMap known = before;
    known.insert_or_assign(model_.time, graph_.constant(std::isinf(stage.start) ? 0.0 : stage.start));
    return symbolic::substitute(flat_.flatten(value), known);
  }

  bool depends_on_states(Expr value) const {
    return std::ranges::any_of(symbolic::free_symbols(value), [&](const Expr& symbol) {
      return std::ranges::find(flat_.state_symbols, symbol) != flat_.state_symbols.end();
    });
  }

  core::Location where(const petab::Override& change) const {
    return change.formula ? change.formula->where : core::Location{petab_.yaml_file.string(), 0};
  }

  void refuse_determined(const petab::Override& change) const {
    if (!model_.constraint(change.target_id)) return;
    throw core::Error(where(change),
                      fmt::format("'{}' follows from an algebraic rule and cannot be set", change.target_id),
                      "set what the rule depends on");
  }

  void set_first(const petab::Override& change, Expr value, ExprMap& current) {
    const std::string& id = change.target_id;
    if (depends_on_states(value)) {
      throw core::Error(where(change),
                        fmt::format("the first value of '{}' depends on the model's state", id),
                        "a formula of parameters");
    }
    if (const auto* p = model_.parameter(id)) {
      current.insert_or_assign(p->symbol, value);
    } else {
      effects_.back().back().values.insert_or_assign(value_name(id), value);
      effects_.back().back().values.insert_or_assign(flag_name(id), graph_.constant(1.0));
    }
  }

  void set_later(const petab::Override& change, Expr value, ExprMap& current) {
    const std::string& id = change.target_id;
    if (model_.state(id)) {
      effects_.back().back().resets.emplace_back(id, formula(change));
    } else if (const auto* p = model_.parameter(id); p && !depends_on_states(value)) {
      current.insert_or_assign(p->symbol, value);
    } else if (p || model_.initial_constant(id)) {
      to_become_states_.insert(id);
    } else {
      throw core::Error(where(change), fmt::format("'{}' follows from others and cannot be set", id),
                        "set what it follows from");
    }
  }

  void keep_initial_constants(const std::vector<ExprMap>& values) {
    std::set<std::uint32_t> changing;
    for (const ExprMap& at_stage : values) {
      for (const auto& [symbol, value] : at_stage) {
        if (!(values.front().at(symbol) == value)) changing.insert(symbol.id());
      }
    }
    for (const auto& constant : model_.initial_constants) {
      for (const Expr& symbol : symbolic::free_symbols(flat_.flatten(constant.symbol))) {
        if (changing.contains(symbol.id())) to_become_states_.insert(constant.id);
      }
    }
  }

  void make_state(const std::string& id) {
    const Expr zero = graph_.constant(0.0);
    if (const auto* p = model_.parameter(id)) {
      model_.states.push_back({id, p->symbol, zero, graph_.constant(p->value)});
      std::erase_if(model_.parameters, [&](const auto& entry) { return entry.id == id; });
    } else {
      const auto* c = model_.initial_constant(id);
      model_.states.push_back({id, c->symbol, zero, c->initial, c->where});
      std::erase_if(model_.initial_constants, [&](const auto& entry) { return entry.id == id; });
    }
  }

  Expr* initial_of(const std::string& id) {
    for (auto& state : model_.states)
      if (state.id == id) return &state.initial;
    for (auto& constant : model_.initial_constants)
      if (constant.id == id) return &constant.initial;
    return nullptr;
  }

  Expr add_parameter(const std::string& id, double value) {
    model_.parameters.push_back({id, graph_.symbol(id), value});
    return model_.parameters.back().symbol;
  }

  /// A course that does not set what others set leaves it as the model has it.
  void override_initial_values() {
    for (const petab::ConditionTarget& target : petab_.condition_targets) {
      const std::string& id = target.id;
      Expr* initial = initial_of(id);
      if (!initial) continue;
      const auto sets = [&](const auto& stages) { return stages.front().values.contains(value_name(id)); };
      if (std::ranges::none_of(effects_, sets)) continue;
      const bool always = std::ranges::all_of(effects_, sets);
      const Expr value = add_parameter(value_name(id), always ? unknown : 0.0);
      *initial = always ? value : select(add_parameter(flag_name(id), 0.0), value, *initial);
      for (auto& stages : effects_) {
        if (always) stages.front().values.erase(flag_name(id));
        for (const std::string& name : {value_name(id), flag_name(id)}) {
          const auto first = stages.front().values.find(name);
          for (std::size_t s = 1; s < stages.size() && first != stages.front().values.end(); ++s)
            stages[s].values.insert_or_assign(name, first->second);
        }
      }
    }
  }

  const petab::Problem& petab_;
  const std::vector<Course>& courses_;
  model::OdeModel& model_;
  symbolic::Graph& graph_;
  model::FlatModel flat_;
  Effects effects_;
  std::set<std::string> to_become_states_;
};

}  // namespace

Effects apply_conditions(const petab::Problem& petab, const std::vector<Course>& courses,
                         model::OdeModel& model) {
  return Conditions(petab, courses, model).apply();
}

std::string known_name(const std::string& parameter) { return parameter.substr(0, parameter.find(" (")); }

}  // namespace kinetune::estimate
