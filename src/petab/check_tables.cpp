#include <cmath>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <variant>

#include <fmt/format.h>

#include "petab/check.hpp"
#include "petab/placeholders.hpp"

namespace kinetune::petab {
namespace {

/// Entries by id; reports ids that come twice.
template <class Entry>
std::unordered_map<std::string_view, const Entry*> index(const std::vector<Entry>& entries, const char* kind,
                                                         Diagnostics& diagnostics) {
  std::unordered_map<std::string_view, const Entry*> by_id;
  for (const Entry& entry : entries) {
    const auto [first, is_new] = by_id.try_emplace(entry.id, &entry);
    if (is_new) continue;
    const core::Location& before = first->second->where;
    diagnostics.report(entry.where, fmt::format("{} '{}' is defined twice", kind, entry.id),
                       fmt::format("remove it here or in {}:{}", before.file, before.line));
  }
  return by_id;
}

/// Version 1 leaves the bounds of fixed parameters alone.
void check_bounds(const Parameter& parameter, int format_version, Diagnostics& diagnostics) {
  const double lower = parameter.lower_bound, upper = parameter.upper_bound;
  const bool estimated = parameter.estimate == Estimate::yes;
  if (lower > upper && (estimated || format_version == 2)) {
    diagnostics.report(parameter.where,
                       fmt::format("lower bound of '{}' above its upper bound", parameter.id), "swap them");
  }
  if (!estimated || parameter.scale == Scale::linear) return;
  const double smallest = std::fmin(lower, upper);
  if (smallest < 0) {
    diagnostics.report(parameter.where, fmt::format("bound of '{}' below zero on a log scale", parameter.id),
                       "a bound above zero, or parameterScale lin");
  } else if (smallest == 0 && !parameter.initialization_prior) {
    diagnostics.report(
        parameter.where,
        fmt::format("bound of '{}' at zero on a log scale, where no start can be drawn", parameter.id),
        "a bound above zero, or an initialization prior");
  }
}

class TableCheck {
 public:
  TableCheck(const Problem& problem, Diagnostics& diagnostics)
      : problem_(problem),
        diagnostics_(diagnostics),
        parameters_(index(problem.parameters, "parameter", diagnostics)),
        conditions_(index(problem.conditions, "condition", diagnostics)),
        experiments_(index(problem.experiments, "experiment", diagnostics)),
        observables_(index(problem.observables, "observable", diagnostics)) {
    for (const ConditionTarget& target : problem.condition_targets) targets_.insert(target.id);
  }

  void run() {
    for (const Parameter& parameter : problem_.parameters) check(parameter);
    for (const Measurement& measurement : problem_.measurements) check(measurement);
  }

 private:
  void check(const Parameter& parameter) {
    check_bounds(parameter, problem_.format_version, diagnostics_);
    if (targets_.contains(parameter.id)) {
      diagnostics_.report(
          parameter.where,
          fmt::format("'{}' is a parameter and {}", parameter.id,
                      problem_.format_version == 1 ? "a column of the conditions" : "set by conditions"),
          "keep one of the two; a condition may name a parameter as value");
    }
    if (problem_.format_version == 1 && observables_.contains(placeholder_owner(parameter.id))) {
      diagnostics_.report(parameter.where, fmt::format("'{}' is a placeholder", parameter.id),
                          "give the measurements a parameter of another name");
    }
  }

  void check(const Measurement& measurement) {
    check_reference(measurement, measurement.simulation_condition_id, conditions_, "condition");
    check_reference(measurement, measurement.preequilibration_condition_id, conditions_, "condition");
    check_reference(measurement, measurement.experiment_id, experiments_, "experiment");
    check_ids(measurement, measurement.observable_parameters, "observableParameters");
    check_ids(measurement, measurement.noise_parameters, "noiseParameters");
    if (measurement.observable_id.empty()) return;  // already reported
    const auto entry = observables_.find(measurement.observable_id);
    if (entry == observables_.end()) {
      diagnostics_.report(measurement.where,
                          fmt::format("unknown observable '{}'", measurement.observable_id),
                          "an observableId of the observable table");
      return;
    }
    const Observable& observable = *entry->second;
    check_count(measurement, observable.observable_placeholders.size(),
                measurement.observable_parameters.size(), "observableParameters");
    check_count(measurement, observable.noise_placeholders.size(), measurement.noise_parameters.size(),
                "noiseParameters");
    if (observable.transformation != Scale::linear && measurement.value <= 0) {
      diagnostics_.report(
          measurement.where,
          fmt::format("measurement {} of '{}' has no logarithm", measurement.value, observable.id),
          problem_.format_version == 1 ? "a value above zero, or observableTransformation lin"
                                       : "a value above zero, or noiseDistribution normal or laplace");
    }
  }

  template <class Entry>
  void check_reference(const Measurement& measurement, const std::string& id,
                       const std::unordered_map<std::string_view, const Entry*>& known, const char* kind) {
    if (id.empty() || known.contains(id)) return;
    diagnostics_.report(measurement.where, fmt::format("unknown {} '{}'", kind, id),
                        fmt::format("an id of the {} table", kind));
  }

  void check_ids(const Measurement& measurement, const std::vector<Value>& values, const char* column) {
    for (const Value& value : values) {
      const auto* id = std::get_if<std::string>(&value);
      if (!id || parameters_.contains(*id) || targets_.contains(*id)) continue;
      diagnostics_.report(measurement.where, fmt::format("unknown parameter '{}' in {}", *id, column),
                          "a number, or a parameterId of the parameter table");
    }
  }

  void check_count(const Measurement& measurement, std::size_t expected, std::size_t found,
                   const char* column) {
    if (found == expected) return;
    diagnostics_.report(measurement.where,
                        fmt::format("{} entries in {} where '{}' has {} placeholders", found, column,
                                    measurement.observable_id, expected),
                        fmt::format("{} entries", expected));
  }

  const Problem& problem_;
  Diagnostics& diagnostics_;
  std::unordered_map<std::string_view, const Parameter*> parameters_;
  std::unordered_map<std::string_view, const Condition*> conditions_;
  std::unordered_map<std::string_view, const Experiment*> experiments_;
  std::unordered_map<std::string_view, const Observable*> observables_;
  std::unordered_set<std::string_view> targets_;
};

}  // namespace

void check_tables(const Problem& problem, Diagnostics& diagnostics) {
  TableCheck(problem, diagnostics).run();
  if (problem.format_version == 2) check_experiments(problem, diagnostics);
}

}  // namespace kinetune::petab
