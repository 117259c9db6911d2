#include <algorithm>
#include <set>

#include "petab/problem.hpp"

namespace kinetune::petab {
namespace {

using Ids = std::set<std::string>;

template <class Entry, class Keep>
std::vector<Entry> those(const std::vector<Entry>& entries, Keep&& keep) {
  std::vector<Entry> kept;
  std::ranges::copy_if(entries, std::back_inserter(kept), keep);
  return kept;
}

/// Each problem of a version 1 file has tables of its own.
void keep_own_tables(Problem& problem, const std::string& model_id) {
  const auto is_own = [&](const auto& entry) { return entry.model_id == model_id; };
  problem.observables = those(problem.observables, is_own);
  problem.conditions = those(problem.conditions, is_own);
  problem.condition_targets = those(problem.condition_targets, is_own);
}

/// The tables of version 2 are for all models, each of which has to fit only what it is measured by.
void keep_what_is_measured(Problem& problem) {
  Ids observables, experiments, conditions, targets;
  for (const Measurement& m : problem.measurements) {
    observables.insert(m.observable_id);
    experiments.insert(m.experiment_id);
  }
  const auto is_in = [](const Ids& ids) {
    return [&ids](const auto& entry) { return ids.contains(entry.id); };
  };
  problem.observables = those(problem.observables, is_in(observables));
  problem.experiments = those(problem.experiments, is_in(experiments));
  for (const Experiment& experiment : problem.experiments) {
    for (const ExperimentPeriod& period : experiment.periods)
      conditions.insert(period.condition_ids.begin(), period.condition_ids.end());
  }
  problem.conditions = those(problem.conditions, is_in(conditions));
  for (const Condition& condition : problem.conditions) {
    for (const Override& change : condition.overrides) targets.insert(change.target_id);
  }
  problem.condition_targets = those(problem.condition_targets, is_in(targets));
}

}  // namespace

Problem of_model(const Problem& problem, const Model& model) {
  Problem result = problem;
  result.models = {model};
  result.measurements =
      those(problem.measurements, [&](const Measurement& m) { return m.model_id == model.id; });
  if (problem.format_version == 1)
    keep_own_tables(result, model.id);
  else
    keep_what_is_measured(result);
  return result;
}

}  // namespace kinetune::petab
