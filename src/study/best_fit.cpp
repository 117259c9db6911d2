#include "study/best_fit.hpp"

#include <algorithm>
#include <map>

namespace kinetune::study {
namespace {

constexpr int points_per_curve = 200;

/// The problem with its measurements replaced by points on a time grid, one for each observable of a
/// condition; their value is not used.
estimate::Problem on_grid(const estimate::Problem& problem) {
  estimate::Problem grid = problem;
  int row = 0;
  for (auto& simulation : grid.simulations) {
    std::map<int, estimate::DataPoint> observables;
    for (const auto& point : simulation.data) observables.try_emplace(point.observable, point);
    const double end = simulation.times.empty() ? 0.0 : simulation.times.back();
    simulation.times.clear();
    simulation.data.clear();
    for (int i = 0; i <= points_per_curve; ++i) {
      const double t = end * i / points_per_curve;
      if (i > 0 && t <= simulation.times.back()) break;
      simulation.times.push_back(t);
      for (auto& [observable, point] : observables) {
        point.time_index = static_cast<int>(simulation.times.size()) - 1;
        point.row = row++;
        simulation.data.push_back(point);
      }
    }
  }
  return grid;
}

}  // namespace

BestFit best_fit(const petab::Problem& petab, const estimate::Problem& problem, const jit::ModelCode& code,
                 const simulate::IntegratorOptions& integrator, std::span<const double> x) {
  BestFit result;
  estimate::Details details;
  const estimate::PosteriorOptions options{integrator, estimate::Sensitivities::forward};
  if (!estimate::Posterior(problem, code, options).assess(x, optimize::Order::value, &details)) return result;
  for (std::size_t i = 0; i < petab.measurements.size(); ++i) {
    const auto& m = petab.measurements[i];
    const auto transformation = petab.observable(m.observable_id)->transformation;
    result.measurements.push_back({m.observable_id, m.simulation_condition_id,
                                   m.preequilibration_condition_id, m.time, m.value, details.values[i],
                                   details.noise[i], std::string(estimate::name(transformation))});
  }
  const estimate::Problem grid = on_grid(problem);
  // Its likelihood means nothing and may not exist; only the simulated values are taken.
  (void)estimate::Posterior(grid, code, options).assess(x, optimize::Order::value, &details);
  for (const auto& simulation : grid.simulations) {
    for (const auto& point : simulation.data) {
      result.curves.push_back({grid.observables[point.observable].id, simulation.condition_id,
                               simulation.times[point.time_index], details.values[point.row]});
    }
  }
  return result;
}

}  // namespace kinetune::study
