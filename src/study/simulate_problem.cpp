#include <fmt/format.h>

#include "core/error.hpp"
#include "estimate/posterior.hpp"
#include "study/load.hpp"
#include "study/parameter_vector.hpp"
#include "study/simulate.hpp"

namespace kinetune::study {

std::string simulate_problem(const SimulateProblemOptions& options) {
  LoadedProblem loaded = load(options.problem);
  const std::vector<double> x = parameter_vector(options.parameters, loaded.problem);
  estimate::Posterior posterior(loaded.problem, std::move(loaded.code), {options.integrator, {}});
  estimate::Details details;
  (void)posterior.assess(x, optimize::Order::value, &details);
  for (const auto& s : details.simulations) {
    // A value without a density, such as a negative one under a log transformation, is still a simulated
    // value.
    if (s.outcome != estimate::SimulationStatus::Outcome::not_integrated) continue;
    throw std::runtime_error(fmt::format("{}: simulation of condition {} failed at time {:.6g}: {}",
                                         options.problem.string(), s.condition_id, s.time, s.failure));
  }
  std::string text =
      "observableId\tpreequilibrationConditionId\tsimulationConditionId\ttime\tsimulation\tmeasurement\tsigma"
      "\n";
  for (std::size_t i = 0; i < loaded.petab.measurements.size(); ++i) {
    const auto& m = loaded.petab.measurements[i];
    text += fmt::format("{}\t{}\t{}\t{}\t{}\t{}\t{}\n", m.observable_id, m.preequilibration_condition_id,
                        m.simulation_condition_id, m.time, details.values[i], m.value, details.noise[i]);
  }
  return text;
}

}  // namespace kinetune::study
