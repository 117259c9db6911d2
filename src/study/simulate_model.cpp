#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/error.hpp"
#include "sbml/read_model.hpp"
#include "study/simulate.hpp"

namespace kinetune::study {
namespace {

using symbolic::Expr;

bool contains(const std::vector<std::string>& ids, const std::string& id) {
  return std::ranges::find(ids, id) != ids.end();
}

/// What a column shows.
Expr column(const model::OdeModel& model, const SimulateModelOptions& options, const std::string& id) {
  const auto species = std::ranges::find(model.species, id, &model::SpeciesUnits::id);
  if (contains(options.amounts, id) || contains(options.concentrations, id)) {
    if (species == model.species.end()) {
      throw core::Error({options.model.string(), 0}, fmt::format("'{}' is no species", id),
                        "only species have amounts and concentrations");
    }
    return contains(options.amounts, id) ? species->amount : species->concentration;
  }
  if (const auto symbol = model.symbol(id)) return *symbol;
  throw core::Error({options.model.string(), 0}, fmt::format("the model has no variable '{}'", id),
                    "give ids of species, compartments, parameters or reactions");
}

/// What is to be shown as an amount or a concentration must be shown.
void check_units_asked_for(const SimulateModelOptions& options, const std::vector<std::string>& columns) {
  for (const auto* ids : {&options.amounts, &options.concentrations}) {
    for (const std::string& id : *ids) {
      if (!contains(columns, id)) {
        throw core::Error({options.model.string(), 0}, fmt::format("'{}' is not among the variables", id),
                          "name it in --variables, too");
      }
    }
  }
}

std::vector<std::string> all_variables(const model::OdeModel& model) {
  std::vector<std::string> ids;
  for (const auto& s : model.states) ids.push_back(s.id);
  for (const auto& d : model.derived) ids.push_back(d.id);
  return ids;
}

/// Takes down a row at each time.
class RowRecorder final : public simulate::Sink {
 public:
  RowRecorder(const jit::CompiledModel& model, std::span<const double> prelude, TimeCourse& course)
      : model_(model), prelude_(prelude), course_(course) {}

  void at(std::size_t index, std::span<const double> x, std::span<const double>, std::span<double>) override {
    double* row = course_.values.data() + index * course_.variables.size();
    model_.outputs(course_.times[index], x.data(), prelude_.data(), row);
  }

 private:
  const jit::CompiledModel& model_;
  std::span<const double> prelude_;
  TimeCourse& course_;
};

std::vector<double> time_grid(const SimulateModelOptions& options) {
  const bool meant = options.start >= 0 && options.duration >= 0 && options.steps > 0 &&
                     std::isfinite(options.start) && std::isfinite(options.duration);
  if (!meant) {
    throw core::Error({},
                      fmt::format("start {}, duration {}, {} steps make no time course", options.start,
                                  options.duration, options.steps),
                      "give times of at least 0 and at least one step");
  }
  std::vector<double> times;
  for (int i = 0; i <= options.steps; ++i)
    times.push_back(options.start + options.duration * i / options.steps);
  return times;
}

}  // namespace

TimeCourse time_course(const SimulateModelOptions& options) {
  TimeCourse course{.variables = options.variables, .times = time_grid(options), .values = {}};
  const model::OdeModel ode = sbml::read_model(options.model);
  if (course.variables.empty()) course.variables = all_variables(ode);
  course.values.resize(course.times.size() * course.variables.size());
  check_units_asked_for(options, course.variables);
  jit::ModelSource source{flatten(ode), {}, {}, {}};
  for (const std::string& id : course.variables) {
    source.outputs.push_back(source.model.flatten(column(ode, options, id)));
  }
  simulate::IntegratorOptions integration = options.integrator;
  // One simulation is not worth second derivatives.
  if (integration.method == simulate::Method::automatic) integration.method = simulate::Method::cvodes;
  const auto derivatives =
      integration.method == simulate::Method::cvodes ? jit::Derivatives::first : jit::Derivatives::second;
  const jit::CompiledModel model(jit::compile(source, {.derivatives = derivatives}));

  std::vector<double> parameters, prelude(model.code().n_prelude), x(model.n_states());
  for (const auto& p : ode.parameters) parameters.push_back(p.value);
  model.prelude(parameters.data(), prelude.data());
  model.initials(0.0, prelude.data(), x.data());

  RowRecorder recorder(model, prelude, course);
  const auto integrator = simulate::make_integrator(model, integration);
  const simulate::Segment segment{0.0, course.times.back(), prelude, parameters, {}};
  const auto result = integrator->forward(segment, simulate::Mode::states, x, {}, course.times, recorder);
  if (!result) {
    const int state = result.error().state;
    throw std::runtime_error(fmt::format("{}: simulation failed at time {:.6g}: {}{}", options.model.string(),
                                         result.error().time, to_string(result.error().error),
                                         state < 0 ? "" : " (" + source.model.state_ids[state] + ")"));
  }
  return course;
}

std::string simulate_model(const SimulateModelOptions& options) {
  const TimeCourse course = time_course(options);
  const std::size_t n = course.variables.size();
  std::string text = fmt::format("time{}{}\n", n == 0 ? "" : ",", fmt::join(course.variables, ","));
  for (std::size_t i = 0; i < course.times.size(); ++i) {
    text += fmt::format("{}", course.times[i]);
    for (std::size_t k = 0; k < n; ++k) text += fmt::format(",{}", course.values[i * n + k]);
    text += '\n';
  }
  return text;
}

}  // namespace kinetune::study
