#include "estimate/prepared_simulation.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace kinetune::estimate {
namespace {

/// For each estimated parameter, the differentiated parameters of one period that act through a column.
using Actors = std::map<int, std::vector<int>>;

bool has_column(const jit::Pattern& pattern, int j) {
  return pattern.column_starts[j] < pattern.column_starts[j + 1];
}

/// Whether a parameter acts on the course of the states.
bool acts_on_course(const jit::ModelCode& code, int j) {
  return has_column(code.rates_by_parameter, j) || has_column(code.switch_derivatives.by_parameter, j) ||
         has_column(code.constraint_derivatives.by_parameter, j) ||
         std::ranges::any_of(code.events, [&](const jit::EventLayout& event) {
           return has_column(event.derivatives.by_parameter, j);
         });
}

enum class Place { first, later };

Actors actors_of(const Period& period, Place place, const jit::ModelCode& code) {
  Actors actors;
  for (std::size_t k = 0; k < code.differentiated.size(); ++k) {
    const int j = static_cast<int>(k);
    const int estimated = period.parameters[code.differentiated[k]].estimated;
    const bool acts =
        acts_on_course(code, j) || (place == Place::first && has_column(code.initials_by_parameter, j));
    if (estimated >= 0 && acts) actors[estimated].push_back(j);
  }
  return actors;
}

/// A state that is reset can depend on a parameter that acts in no other way.
void add_resets(const Period& period, const Period& before, const jit::ModelCode& code,
                std::map<int, std::size_t>& n_columns) {
  for (const Reset& reset : period.resets) {
    for (const int j : code.observables[reset.formula].value.by_parameter) {
      const int estimated = before.parameters[code.differentiated[j]].estimated;
      if (estimated >= 0) n_columns[estimated] = std::max<std::size_t>(n_columns[estimated], 1);
    }
  }
}

PreparedPeriod prepared(const Period& period, const Actors& actors,
                        const std::map<int, std::size_t>& n_columns, const jit::ModelCode& code) {
  PreparedPeriod result{&period, {}, {}, {}};
  for (const auto& [estimated, n] : n_columns) {
    const auto found = actors.find(estimated);
    for (std::size_t slot = 0; slot < n; ++slot) {
      const bool acts = found != actors.end() && slot < found->second.size();
      result.active.push_back(acts ? found->second[slot] : -1);
    }
  }
  for (const int i : code.differentiated) result.estimated_of.push_back(period.parameters[i].estimated);
  std::size_t next = 0;
  for (std::size_t i = 0; i < period.times.size(); ++i) {
    result.first_data.push_back(next);
    while (next < period.data.size() && period.data[next].time_index == static_cast<int>(i)) ++next;
  }
  result.first_data.push_back(next);
  return result;
}

std::vector<int> columns_of(const std::map<int, std::size_t>& n_columns) {
  std::vector<int> columns;
  for (const auto& [estimated, n] : n_columns) columns.insert(columns.end(), n, estimated);
  return columns;
}

void widen(std::map<int, std::size_t>& n_columns, const Actors& actors) {
  for (const auto& [estimated, of_model] : actors)
    n_columns[estimated] = std::max(n_columns[estimated], of_model.size());
}

PreparedSimulation preequilibration(const Simulation& simulation, const jit::ModelCode& code) {
  const Period& period = simulation.periods.front();
  const Actors actors = actors_of(period, Place::first, code);
  std::map<int, std::size_t> n_columns;
  widen(n_columns, actors);
  return {&simulation, columns_of(n_columns), {prepared(period, actors, n_columns, code)}, {}};
}

PreparedSimulation prepared(const Simulation& simulation, const jit::ModelCode& code,
                            const PreparedSimulation* preequilibration) {
  const std::size_t first = preequilibration ? 1 : 0;
  std::map<int, std::size_t> n_columns;
  if (preequilibration) {
    for (const int estimated : preequilibration->columns) ++n_columns[estimated];
  }
  std::vector<Actors> actors;
  for (std::size_t p = first; p < simulation.periods.size(); ++p) {
    actors.push_back(actors_of(simulation.periods[p], p == 0 ? Place::first : Place::later, code));
    widen(n_columns, actors.back());
    if (p > 0) add_resets(simulation.periods[p], simulation.periods[p - 1], code, n_columns);
  }
  PreparedSimulation result{&simulation, columns_of(n_columns), {}, {}};
  for (std::size_t p = first; p < simulation.periods.size(); ++p)
    result.periods.push_back(prepared(simulation.periods[p], actors[p - first], n_columns, code));
  if (!preequilibration) return result;
  std::size_t slot = 0;
  for (std::size_t c = 0; c < preequilibration->columns.size(); ++c) {
    const int estimated = preequilibration->columns[c];
    slot = c > 0 && preequilibration->columns[c - 1] == estimated ? slot + 1 : 0;
    const auto start = std::ranges::lower_bound(result.columns, estimated) - result.columns.begin();
    result.carried.push_back(static_cast<int>(start + static_cast<std::ptrdiff_t>(slot)));
  }
  return result;
}

}  // namespace

Preparation prepare(const Part& part, const jit::ModelCode& code) {
  Preparation result;
  std::map<std::vector<std::pair<double, int>>, std::size_t> known;  // the share of each pre-equilibration
  for (const Simulation& simulation : part.simulations) {
    const auto index = static_cast<int>(result.simulations.size());
    if (!std::isinf(simulation.periods.front().start)) {
      result.simulations.push_back(prepared(simulation, code, nullptr));
      result.shares.push_back({{index}});
      continue;
    }
    std::vector<std::pair<double, int>> key;
    for (const Binding& b : simulation.periods.front().parameters) {
      // A parameter without a value is one that nothing uses.
      key.emplace_back(b.estimated >= 0 || std::isnan(b.constant) ? 0.0 : b.constant, b.estimated);
    }
    const auto [entry, is_new] = known.emplace(key, result.shares.size());
    if (is_new) {
      result.shares.push_back({{}, static_cast<int>(result.preequilibrations.size())});
      result.preequilibrations.push_back(preequilibration(simulation, code));
    }
    Share& share = result.shares[entry->second];
    share.simulations.push_back(index);
    result.simulations.push_back(
        prepared(simulation, code, &result.preequilibrations[share.preequilibration]));
  }
  return result;
}

}  // namespace kinetune::estimate
