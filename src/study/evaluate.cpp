#include "study/evaluate.hpp"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "study/load.hpp"
#include "study/parameter_vector.hpp"

namespace kinetune::study {
namespace {

using Json = nlohmann::ordered_json;

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

Json by_parameter(const estimate::Problem& problem, const std::vector<double>& values) {
  Json object = Json::object();
  for (std::size_t i = 0; i < values.size(); ++i) object[problem.parameters[i].id] = values[i];
  return object;
}

Json of_simulation(const estimate::SimulationStatus& s) {
  return {{"condition", s.condition_id},
          {"status", s.failure.empty() ? "ok" : s.failure},
          {"time", s.time},
          {"state", s.state},
          {"steps", s.statistics.steps},
          {"backward_steps", s.statistics.backward_steps},
          {"rate_evaluations", s.statistics.rate_evaluations},
          {"jacobian_evaluations", s.statistics.jacobian_evaluations},
          {"fallbacks", s.statistics.fallbacks}};
}

}  // namespace

std::string describe(const optimize::EvaluationFailure& failure) {
  if (failure.condition.empty()) return failure.reason;
  const std::string state = failure.state.empty() ? "" : ", state " + failure.state;
  return fmt::format("{}, condition {}, time {:.6g}{}", failure.reason, failure.condition, failure.time,
                     state);
}

EvaluateResult evaluate(const EvaluateOptions& options) {
  if (options.repeat < 1) throw core::Error({}, "repeat less than once", "give --repeat 1 or more");
  options.integrator.validate();
  LoadedProblem loaded =
      load(options.problem, options.integrator.method, std::max(options.integrator.lanes, 1));
  const std::vector<double> x = parameter_vector(options.parameters, loaded.problem);
  const auto sensitivities = options.derivatives == Derivatives::adjoint ? estimate::Sensitivities::adjoint
                                                                         : estimate::Sensitivities::forward;
  const auto order =
      options.derivatives == Derivatives::none ? optimize::Order::value : optimize::Order::gradient;
  estimate::Posterior posterior(loaded.problem, std::move(loaded.codes), {options.integrator, sensitivities});

  estimate::Details details;
  auto terms = posterior.assess(x, order, &details);
  std::vector<double> seconds;
  for (int i = 0; i < options.repeat; ++i) {
    const auto start = std::chrono::steady_clock::now();
    (void)posterior.assess(x, order);
    seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return {std::move(loaded.problem), std::move(terms),       std::move(details),
          loaded.import_seconds,     loaded.compile_seconds, median(std::move(seconds))};
}

std::string EvaluateResult::to_json() const {
  Json json;
  if (terms) {
    json["status"] = "ok";
    json["fval"] = terms->fval();
    json["llh"] = terms->llh;
    json["chi2"] = terms->chi2;
    json["prior"] = terms->prior;
    if (!terms->gradient.empty()) {
      json["gradient"] = by_parameter(problem, terms->gradient);
      json["gradient_prior"] = by_parameter(problem, terms->gradient_prior);
    }
  } else {
    json["status"] = terms.error().reason;
    json["failure"] = {
        {"condition", terms.error().condition}, {"time", terms.error().time}, {"state", terms.error().state}};
  }
  long steps = 0;
  json["conditions"] = Json::array();
  for (const auto& s : details.simulations) {
    json["conditions"].push_back(of_simulation(s));
    steps += s.statistics.steps;
  }
  json["steps"] = steps;
  json["import_seconds"] = import_seconds;
  json["compile_seconds"] = compile_seconds;
  json["seconds"] = seconds;
  return json.dump(2);
}

std::string EvaluateResult::to_text() const {
  std::string text;
  if (terms) {
    text += fmt::format(
        "fval   {:.10g}  (negative log posterior)\nllh    {:.10g}\nchi2   {:.10g}\nprior  {:.10g}\n",
        terms->fval(), terms->llh, terms->chi2, terms->prior);
    for (std::size_t i = 0; i < terms->gradient.size(); ++i) {
      text += fmt::format("d fval / d {} = {:.8g}\n", problem.parameters[i].id, terms->gradient[i]);
    }
  } else {
    text += fmt::format("no value: {}\n", describe(terms.error()));
  }
  for (const auto& s : details.simulations) {
    if (s.failure.empty())
      text += fmt::format("condition {}: {} steps\n", s.condition_id, s.statistics.steps);
    else
      text += fmt::format("condition {}: {} at time {:.6g}{}\n", s.condition_id, s.failure, s.time,
                          s.state.empty() ? "" : ", state " + s.state);
  }
  text += fmt::format("import {:.3f} s, compilation {:.3f} s, evaluation {:.3g} ms\n", import_seconds,
                      compile_seconds, 1e3 * seconds);
  return text;
}

}  // namespace kinetune::study
