#include <string_view>
#include <unordered_set>
#include <variant>

#include <fmt/format.h>

#include "petab/check.hpp"
#include "petab/placeholders.hpp"
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
      return "given by an assignment rule";
    case EntityKind::other:
      break;
  }
  return "no quantity that can be set";
}

class ModelCheck {
 public:
  ModelCheck(const Problem& problem, const ModelEntities& entities, Diagnostics& diagnostics)
      : problem_(problem), entities_(entities), diagnostics_(diagnostics) {
    for (const Parameter& parameter : problem.parameters) parameters_.insert(parameter.id);
    for (const ConditionTarget& target : problem.condition_targets) targets_.insert(target.id);
  }

  void run() {
    for (const Observable& observable : problem_.observables) check(observable);
    for (const ConditionTarget& target : problem_.condition_targets) check(target);
    for (const Condition& condition : problem_.conditions) check(condition);
    for (const Measurement& measurement : problem_.measurements) {
      note_use(measurement.observable_parameters);
      note_use(measurement.noise_parameters);
    }
    for (const Parameter& parameter : problem_.parameters) check(parameter);  // last: it asks what was used
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
    check(observable, observable.formula, "observableFormula");
    check(observable, observable.noise_formula, "noiseFormula");
  }

  void check(const Observable& observable, const Formula& formula, const char* column) {
    symbolic::Graph graph;
    diagnostics_.attempt([&] {
      for (const auto& symbol :
           symbolic::free_symbols(symbolic::parse_maths(graph, formula.text, formula.where))) {
        const std::string& id = symbol.name();
        if (id == "time" || kind(id) || placeholder_owner(id) == observable.id) continue;
        used_.insert(id);
        if (parameters_.contains(id) || targets_.contains(id)) continue;
        diagnostics_.report(formula.where, fmt::format("unknown id '{}' in {}", id, column),
                            "an id of the model or of the parameter table");
      }
    });
  }

  void check(const ConditionTarget& target) {
    const EntityKind* known = kind(target.id);
    if (!known && !used_.contains(target.id)) {
      diagnostics_.report(target.where,
                          fmt::format("condition column '{}' is unknown to the model", target.id),
                          "the id of a parameter, species or compartment");
    } else if (known && (*known == EntityKind::assigned || *known == EntityKind::other)) {
      diagnostics_.report(target.where,
                          fmt::format("condition column '{}' is {}", target.id, describe(*known)),
                          "a column for a parameter, species or compartment");
    }
  }

  void check(const Condition& condition) {
    for (const Override& change : condition.overrides) {
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

  void check(const Parameter& parameter) {
    const EntityKind* known = kind(parameter.id);
    if (!known && !used_.contains(parameter.id)) {
      diagnostics_.report(parameter.where, fmt::format("parameter '{}' is used nowhere", parameter.id),
                          "remove it, or correct its id");
    } else if (known && *known != EntityKind::parameter) {
      diagnostics_.report(parameter.where,
                          fmt::format("'{}' in the parameter table is {}", parameter.id, describe(*known)),
                          "a parameter; conditions set initial values and sizes");
    }
  }

  void note_use(const std::vector<Value>& values) {
    for (const Value& value : values) {
      if (const auto* id = std::get_if<std::string>(&value)) used_.insert(*id);
    }
  }

  const Problem& problem_;
  const ModelEntities& entities_;
  Diagnostics& diagnostics_;
  Ids parameters_, targets_;
  Ids used_;  ///< by formulas (and unknown to the model), conditions and measurements
};

}  // namespace

void check_against_model(const Problem& problem, const ModelEntities& entities, Diagnostics& diagnostics) {
  ModelCheck(problem, entities, diagnostics).run();
}

}  // namespace kinetune::petab
