#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <set>

#include <fmt/format.h>

#include "petab/check.hpp"
#include "symbolic/maths_parser.hpp"

namespace kinetune::petab {
namespace {

using namespace std::string_view_literals;

/// PEtab 2 keeps these for itself, in any case: literals, time, and the functions of its formulas.
constexpr std::array reserved{"true"sv,    "false"sv,   "inf"sv,     "time"sv,    "nan"sv,      "pow"sv,
                              "exp"sv,     "sqrt"sv,    "log"sv,     "ln"sv,      "log2"sv,     "log10"sv,
                              "sin"sv,     "cos"sv,     "tan"sv,     "cot"sv,     "sec"sv,      "csc"sv,
                              "arcsin"sv,  "arccos"sv,  "arctan"sv,  "arccot"sv,  "arcsec"sv,   "arccsc"sv,
                              "sinh"sv,    "cosh"sv,    "tanh"sv,    "coth"sv,    "sech"sv,     "csch"sv,
                              "arcsinh"sv, "arccosh"sv, "arctanh"sv, "arccoth"sv, "arcsech"sv,  "arccsch"sv,
                              "abs"sv,     "sign"sv,    "min"sv,     "max"sv,     "piecewise"sv};

bool is_reserved(const std::string& id) {
  std::string lower = id;
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  return std::ranges::find(reserved, lower) != reserved.end();
}

std::vector<std::string> symbols_of(const Formula& formula) {
  symbolic::Graph graph;
  std::vector<std::string> names;
  for (const auto& symbol : symbolic::free_symbols(symbolic::parse_maths(graph, formula.text, formula.where)))
    names.push_back(symbol.name());
  return names;
}

std::set<std::string> targets_of(const Condition& condition) {
  std::set<std::string> targets;
  for (const Override& change : condition.overrides) targets.insert(change.target_id);
  return targets;
}

class ExperimentCheck {
 public:
  ExperimentCheck(const Problem& problem, Diagnostics& diagnostics)
      : problem_(problem), diagnostics_(diagnostics) {
    for (const Parameter& p : problem.parameters) parameters_.insert(p.id);
    for (const Observable& o : problem.observables) observables_.insert(o.id);
    for (const Condition& c : problem.conditions) conditions_.emplace(c.id, &c);
  }

  void run() {
    check_names();
    for (const Condition& condition : problem_.conditions) check_targets(condition);
    for (const Experiment& experiment : problem_.experiments) check(experiment);
    for (const Observable& observable : problem_.observables) check(observable);
  }

 private:
  void check_names() {
    const auto check = [&](const auto& entries) {
      for (const auto& entry : entries) check_name(entry.id, entry.where);
    };
    check(problem_.parameters);
    check(problem_.observables);
    check(problem_.conditions);
    check(problem_.experiments);
    std::set<std::string> mapped;
    for (const Mapping& mapping : problem_.mappings) {
      check_name(mapping.petab_id, mapping.where);
      if (!mapped.insert(mapping.petab_id).second) {
        diagnostics_.report(mapping.where, fmt::format("mapping '{}' is defined twice", mapping.petab_id),
                            "keep one of the two");
      }
    }
    for (const Observable& o : problem_.observables) {
      if (parameters_.contains(o.id)) {
        diagnostics_.report(o.where, fmt::format("observable '{}' has the id of a parameter", o.id),
                            "another id");
      }
    }
  }

  void check_name(const std::string& id, const core::Location& where) {
    if (is_reserved(id))
      diagnostics_.report(where, fmt::format("'{}' is a name that PEtab keeps for itself", id), "another id");
  }

  void check_targets(const Condition& condition) {
    std::set<std::string> seen;
    for (const Override& change : condition.overrides) {
      if (seen.insert(change.target_id).second) continue;
      diagnostics_.report(change.where,
                          fmt::format("condition '{}' sets '{}' twice", condition.id, change.target_id),
                          "keep one of the two");
    }
  }

  void check(const Experiment& experiment) {
    for (const ExperimentPeriod& period : experiment.periods) {
      std::set<std::string> targets;
      for (const std::string& id : period.condition_ids) {
        const auto condition = conditions_.find(id);
        if (condition == conditions_.end()) {
          diagnostics_.report(period.where, fmt::format("unknown condition '{}'", id),
                              "a conditionId of the condition table");
          continue;
        }
        for (const std::string& target : targets_of(*condition->second)) {
          if (targets.insert(target).second) continue;
          diagnostics_.report(
              period.where,
              fmt::format("experiment '{}' sets '{}' twice at time {}", experiment.id, target, period.time),
              "apply conditions together only if they set different things");
        }
        if (&period == &experiment.periods.front()) check_first_values(*condition->second);
      }
    }
  }

  /// Nothing has a value yet that a formula could refer to.
  void check_first_values(const Condition& condition) {
    if (!checked_.insert(condition.id).second) return;
    for (const Override& change : condition.overrides) {
      for (const std::string& id : symbols_of(*change.formula)) {
        if (id == "time" || parameters_.contains(id)) continue;
        diagnostics_.report(
            change.where,
            fmt::format("condition '{}' begins an experiment, but its value of '{}' depends on "
                        "'{}'",
                        condition.id, change.target_id, id),
            "use ids of the parameter table alone");
      }
    }
  }

  void check(const Observable& observable) {
    for (const auto* names : {&observable.observable_placeholders, &observable.noise_placeholders}) {
      for (const std::string& id : *names) {
        check_name(id, observable.where);
        if (!parameters_.contains(id) && !observables_.contains(id)) continue;
        diagnostics_.report(observable.where, fmt::format("placeholder '{}' has a meaning already", id),
                            "another id");
      }
    }
    check_formula(observable, observable.formula, "observableFormula", observable.noise_placeholders);
    check_formula(observable, observable.noise_formula, "noiseFormula", {});
  }

  void check_formula(const Observable& observable, const Formula& formula, const char* column,
                     const std::vector<std::string>& not_here) {
    diagnostics_.attempt([&] {
      const bool is_noise = &formula == &observable.noise_formula;
      for (const std::string& id : symbols_of(formula)) {
        if (observables_.contains(id) && !(is_noise && id == observable.id)) {
          diagnostics_.report(observable.where, fmt::format("observable '{}' in {}", id, column),
                              "write out its formula; noiseFormula may name its own observable");
        } else if (std::ranges::find(not_here, id) != not_here.end()) {
          diagnostics_.report(observable.where, fmt::format("noise placeholder '{}' in {}", id, column),
                              "declare it in observablePlaceholders, or use it in noiseFormula");
        }
      }
    });
  }

  const Problem& problem_;
  Diagnostics& diagnostics_;
  std::set<std::string> parameters_, observables_, checked_;
  std::map<std::string, const Condition*> conditions_;
};

}  // namespace

void check_experiments(const Problem& problem, Diagnostics& diagnostics) {
  ExperimentCheck(problem, diagnostics).run();
}

}  // namespace kinetune::petab
