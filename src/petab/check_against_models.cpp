#include <algorithm>
#include <string_view>
#include <unordered_set>
#include <variant>

#include <fmt/format.h>

#include "petab/check.hpp"
#include "symbolic/maths_parser.hpp"

namespace kinetune::petab {
namespace {

using Ids = std::unordered_set<std::string>;

const char* describe(EntityKind kind) {
  switch (kind) {
    case EntityKind::parameter:
      return "a parameter";
    case EntityKind::compartment:
      return "a compartment";
    case EntityKind::state:
      return "a state of the model";
    case EntityKind::assigned:
      return "given by a rule or a reaction of the model";
    case EntityKind::other:
      break;
  }
  return "no quantity that can be set";
}

/// What the tables say about one model.
class ModelCheck {
 public:
  /// @param name  of several models, with a space before it; empty: of the only one
  ModelCheck(const Problem& problem, const ModelEntities& entities, std::string name,
             Diagnostics& diagnostics)
      : problem_(problem), entities_(entities), name_(std::move(name)), diagnostics_(diagnostics) {
    for (const Parameter& parameter : problem.parameters) parameters_.insert(parameter.id);
    for (const ConditionTarget& target : problem.condition_targets) targets_.insert(target.id);
    for (const Observable& observable : problem.observables) observables_.insert(observable.id);
  }

  /// @returns the ids that are used by formulas (and unknown to the model), conditions and measurements
  Ids run() {
    for (const Observable& observable : problem_.observables) check(observable);
    for (const ConditionTarget& target : problem_.condition_targets) check(target);
    for (const Condition& condition : problem_.conditions) check(condition);
    for (const Measurement& measurement : problem_.measurements) {
      note_use(measurement.observable_parameters);
      note_use(measurement.noise_parameters);
    }
    return std::move(used_);
  }

 private:
  const EntityKind* kind(const std::string& id) const {
    const auto entry = entities_.find(id);
    return entry == entities_.end() ? nullptr : &entry->second;
  }

  void check(const Observable& observable) {
    if (kind(observable.id)) {
      diagnostics_.report(observable.where,
                          fmt::format("observable '{}' has the id of a model entity", observable.id),
                          "another id");
    }
    if (problem_.format_version == 2) check_placeholders(observable);
    check(observable, observable.formula, "observableFormula");
    check(observable, observable.noise_formula, "noiseFormula");
  }

  void check(const Observable& observable, const Formula& formula, const char* column) {
    symbolic::Graph graph;
    diagnostics_.attempt([&] {
      for (const auto& symbol :
           symbolic::free_symbols(symbolic::parse_maths(graph, formula.text, formula.where))) {
        const std::string& id = symbol.name();
        if (id == "time" || kind(id) || is_placeholder(observable, id)) continue;
        if (&formula == &observable.noise_formula && observables_.contains(id)) continue;
        used_.insert(id);
        if (parameters_.contains(id) || targets_.contains(id)) continue;
        diagnostics_.report(
            formula.where,
            fmt::format("unknown id '{}' in {}", id, column) + (name_.empty() ? "" : " for model" + name_),
            "an id of the model or of the parameter table");
      }
    });
  }

  void check_placeholders(const Observable& observable) {
    for (const auto* names : {&observable.observable_placeholders, &observable.noise_placeholders}) {
      for (const std::string& id : *names) {
        if (!kind(id)) continue;
        diagnostics_.report(observable.where, fmt::format("placeholder '{}' is {}", id, describe(*kind(id))),
                            "another id");
      }
    }
  }

  static bool is_placeholder(const Observable& observable, const std::string& id) {
    const auto in = [&](const std::vector<std::string>& ids) {
      return std::ranges::find(ids, id) != ids.end();
    };
    return in(observable.observable_placeholders) || in(observable.noise_placeholders);
  }

  void check(const ConditionTarget& target) {
    const char* what = problem_.format_version == 1 ? "condition column" : "targetId";
    const EntityKind* known = kind(target.id);
    if (!known && !used_.contains(target.id)) {
      diagnostics_.report(target.where,
                          fmt::format("{} '{}' is unknown to the model{}", what, target.id, name_),
                          "the id of a parameter, species or compartment");
    } else if (known && (*known == EntityKind::assigned || *known == EntityKind::other)) {
      diagnostics_.report(target.where, fmt::format("{} '{}' is {}", what, target.id, describe(*known)),
                          "the id of a parameter, species or compartment");
    }
  }

  void check(const Condition& condition) {
    for (const Override& change : condition.overrides) {
      if (change.formula) {
        check(change, *change.formula);
        continue;
      }
      const std::string& target = change.target_id;
      const auto* id = std::get_if<std::string>(&change.value);
      if (!id) continue;
      used_.insert(*id);
      const EntityKind* known = kind(*id);
      if (parameters_.contains(*id) ||
          (known && (*known == EntityKind::parameter || *known == EntityKind::compartment))) {
        continue;
      }
      diagnostics_.report(
          condition.where,
          fmt::format("'{}', the value of '{}', is {}", *id, target, known ? describe(*known) : "unknown"),
          "a number, or a parameter of the parameter table or the model");
    }
  }

  void check(const Override& change, const Formula& formula) {
    symbolic::Graph graph;
    for (const auto& symbol :
         symbolic::free_symbols(symbolic::parse_maths(graph, formula.text, formula.where))) {
      const std::string& id = symbol.name();
      used_.insert(id);
      if (id == "time" || parameters_.contains(id) || targets_.contains(id) || kind(id)) continue;
      diagnostics_.report(formula.where,
                          fmt::format("unknown id '{}' in the value of '{}'", id, change.target_id),
                          "an id of the model or of the parameter table");
    }
  }

  void note_use(const std::vector<Value>& values) {
    for (const Value& value : values) {
      if (const auto* id = std::get_if<std::string>(&value)) used_.insert(*id);
    }
  }

  const Problem& problem_;
  const ModelEntities& entities_;
  std::string name_;
  Diagnostics& diagnostics_;
  Ids parameters_, targets_, observables_;
  Ids used_;
};

/// The models were given the other names already; what none of them has stays unknown.
void check(const Mapping& mapping, const std::vector<ModelEntities>& models, Diagnostics& diagnostics) {
  const auto has = [&](const ModelEntities& model) { return model.contains(mapping.petab_id); };
  if (mapping.model_id.empty() || std::ranges::any_of(models, has)) return;
  diagnostics.report(
      mapping.where,
      fmt::format("'{}' is unknown to the model{}", mapping.model_id, models.size() > 1 ? "s" : ""),
      "an id of the model, such as reaction.parameter for a local parameter");
}

void check(const Parameter& parameter, const std::vector<ModelEntities>& models, const Ids& used,
           Diagnostics& diagnostics) {
  bool is_known = used.contains(parameter.id);
  for (const ModelEntities& model : models) {
    const auto entry = model.find(parameter.id);
    if (entry == model.end()) continue;
    is_known = true;
    if (entry->second == EntityKind::parameter) continue;
    diagnostics.report(
        parameter.where,
        fmt::format("'{}' in the parameter table is {}", parameter.id, describe(entry->second)),
        "a parameter; conditions set initial values and sizes");
  }
  if (!is_known) {
    diagnostics.report(parameter.where, fmt::format("parameter '{}' is used nowhere", parameter.id),
                       "remove it, or correct its id");
  }
}

}  // namespace

void check_against_models(const Problem& problem, const std::vector<ModelEntities>& entities,
                          Diagnostics& diagnostics) {
  Ids used;
  if (entities.size() == 1) {
    used = ModelCheck(problem, entities.front(), "", diagnostics).run();
  } else {
    for (std::size_t i = 0; i < entities.size(); ++i) {
      const Model& model = problem.models[i];
      used.merge(ModelCheck(of_model(problem, model), entities[i], " " + model.id, diagnostics).run());
    }
  }
  for (const Mapping& mapping : problem.mappings) check(mapping, entities, diagnostics);
  for (const Parameter& parameter : problem.parameters) check(parameter, entities, used, diagnostics);
}

}  // namespace kinetune::petab
