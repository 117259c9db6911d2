#include <algorithm>

#include <fmt/format.h>

#include "core/error.hpp"
#include "estimate/posterior.hpp"
#include "study/load.hpp"
#include "study/parameter_vector.hpp"
#include "study/simulate.hpp"

namespace kinetune::study {

std::string simulate_problem(const SimulateProblemOptions& options) {
  LoadedProblem loaded =
      load(options.problem, options.integrator.method, std::max(options.integrator.lanes, 1));
  const std::vector<double> x = parameter_vector(options.parameters, loaded.problem);
  estimate::Posterior posterior(loaded.problem, std::move(loaded.codes), {options.integrator, {}});
  estimate::Details details;
  (void)posterior.assess(x, optimize::Order::value, &details);
  for (const auto& s : details.simulations) {
    // A value without a density, such as a negative one under a log transformation, is still a simulated
    // value.
    if (s.outcome != estimate::SimulationStatus::Outcome::not_integrated) continue;
    throw std::runtime_error(fmt::format("{}: simulation of condition {} failed at time {:.6g}: {}",
                                         options.problem.string(), s.condition_id, s.time, s.failure));
  }
  const bool is_v1 = loaded.petab.format_version == 1, has_models = loaded.petab.models.size() > 1;
  std::string text =
      fmt::format("observableId\t{}{}\ttime\tsimulation\tmeasurement\tsigma\n", has_models ? "modelId\t" : "",
                  is_v1 ? "preequilibrationConditionId\tsimulationConditionId" : "experimentId");
  for (std::size_t i = 0; i < loaded.petab.measurements.size(); ++i) {
    const auto& m = loaded.petab.measurements[i];
    const std::string model = has_models ? m.model_id + '\t' : "";
    const std::string simulated =
        is_v1 ? m.preequilibration_condition_id + '\t' + m.simulation_condition_id : m.experiment_id;
    text += fmt::format("{}\t{}{}\t{}\t{}\t{}\t{}\n", m.observable_id, model, simulated, m.time,
                        details.values[i], m.value, details.noise[i]);
  }
  return text;
}

}  // namespace kinetune::study
