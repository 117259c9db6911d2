#include "study/best_fit.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace kinetune::study {
namespace {

constexpr int points_per_curve = 200;

/// The last time of a period that data ask for; infinity, the steady state, is none.
double last_time(const estimate::Period& period) {
  double last = period.start;
  for (const double t : period.times) {
    if (std::isfinite(t)) last = t;
  }
  return last;
}

/// Each observable of a simulation with one of its points.
std::map<int, estimate::DataPoint> observables_of(const estimate::Simulation& simulation) {
  std::map<int, estimate::DataPoint> observables;
  for (const auto& period : simulation.periods) {
    for (const auto& point : period.data) observables.try_emplace(point.observable, point);
  }
  return observables;
}

/// @param row  of the next point
void put_on_grid(estimate::Simulation& simulation, int& row) {
  auto observables = observables_of(simulation);
  for (std::size_t p = 0; p < simulation.periods.size(); ++p) {
    estimate::Period& period = simulation.periods[p];
    if (std::isinf(period.start)) continue;  // a pre-equilibration
    const bool is_last = p + 1 == simulation.periods.size();
    const double end = is_last ? last_time(period) : simulation.periods[p + 1].start;
    period.times.clear();
    period.data.clear();
    for (int i = 0; i < points_per_curve + (is_last ? 1 : 0); ++i) {
      const double t = period.start + (end - period.start) * i / points_per_curve;
      if (i > 0 && t <= period.times.back()) break;
      period.times.push_back(t);
      for (auto& [observable, point] : observables) {
        point.time_index = static_cast<int>(period.times.size()) - 1;
        point.row = row++;
        period.data.push_back(point);
      }
    }
  }
}

/// The problem with its measurements replaced by points on a time grid, one for each observable of a
/// simulation; their value is not used.
estimate::Problem on_grid(const estimate::Problem& problem) {
  estimate::Problem grid = problem;
  int row = 0;
  for (auto& part : grid.parts) {
    for (auto& simulation : part.simulations) put_on_grid(simulation, row);
  }
  return grid;
}

}  // namespace

BestFit best_fit(const petab::Problem& petab, const estimate::Problem& problem,
                 const std::vector<jit::ModelCode>& codes, const simulate::IntegratorOptions& integrator,
                 std::span<const double> x) {
  BestFit result;
  estimate::Details details;
  const estimate::PosteriorOptions options{integrator, estimate::Sensitivities::forward};
  if (!estimate::Posterior(problem, codes, options).assess(x, optimize::Order::value, &details))
    return result;
  for (std::size_t i = 0; i < petab.measurements.size(); ++i) {
    const auto& m = petab.measurements[i];
    const auto transformation = petab.observable_of(m).transformation;
    result.measurements.push_back({m.observable_id, m.simulation_id(), m.preequilibration_condition_id,
                                   m.time, m.value, details.values[i], details.noise[i],
                                   std::string(estimate::name(transformation))});
  }
  const estimate::Problem grid = on_grid(problem);
  // Its likelihood means nothing and may not exist; only the simulated values are taken.
  (void)estimate::Posterior(grid, codes, options).assess(x, optimize::Order::value, &details);
  for (const auto& part : grid.parts) {
    for (const auto& simulation : part.simulations) {
      for (const auto& period : simulation.periods) {
        for (const auto& point : period.data) {
          result.curves.push_back({part.observables[point.observable].id, simulation.condition_id,
                                   period.times[point.time_index], details.values[point.row]});
        }
      }
    }
  }
  return result;
}

}  // namespace kinetune::study
