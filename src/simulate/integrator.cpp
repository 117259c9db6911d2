#include "simulate/integrator.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/error.hpp"

namespace kinetune::simulate {
namespace {

// From here on the lower order pays: its steps cost three quarters of the other's (docs/integrators.md).
constexpr double loose = 1e-3;

// No concentration, amount or number is as large: what is, is on its way to infinity.
constexpr double beyond_use = 1e100;

}  // namespace

void IntegratorOptions::validate() const {
  if (!(rtol > 0.0 && rtol < 1.0)) {
    throw core::Error({}, fmt::format("relative tolerance {}", rtol),
                      "give a number between 0 and 1, such as 1e-8");
  }
  if (!(atol > 0.0))
    throw core::Error({}, fmt::format("absolute tolerance {}", atol),
                      "give a positive number, such as 1e-16");
  if (lanes != 0 && lanes != 1 && lanes != 4 && lanes != 8)
    throw core::Error({}, fmt::format("{} lanes", lanes), "give 1, 4 or 8");
  if (max_steps <= 0)
    throw core::Error({}, fmt::format("at most {} steps", max_steps), "give a positive number");
}

std::string_view name(Method method) {
  switch (method) {
    case Method::rodas5p:
      return "rodas5p";
    case Method::rodas4p2:
      return "rodas4p2";
    case Method::automatic:
      return "auto";
    case Method::cvodes:
      break;
  }
  return "cvodes";
}

std::string_view name(SensitivityErrors errors) {
  switch (errors) {
    case SensitivityErrors::ignored:
      return "ignored";
    case SensitivityErrors::controlled:
      return "controlled";
    case SensitivityErrors::automatic:
      break;
  }
  return "auto";
}

std::string_view name(SteadyStateSearch search) {
  return search == SteadyStateSearch::newton ? "newton" : "integrate";
}

Method settled(const IntegratorOptions& options, const jit::ModelCode& code) {
  if (options.method != Method::automatic) return options.method;
  if (!code.curvature.is_present) return Method::cvodes;
  return options.rtol < loose ? Method::rodas5p : Method::rodas4p2;
}

std::unique_ptr<Integrator> make_integrator(const jit::CompiledModel& model,
                                            const IntegratorOptions& options) {
  IntegratorOptions with_method = options;
  with_method.method = settled(options, model.code());
  return with_method.method == Method::cvodes ? make_cvodes(model, with_method)
                                              : make_rosenbrock(model, with_method);
}

std::vector<double> sizes_of(const Segment& segment, const jit::ModelCode& code) {
  if (!segment.sizes.empty()) return {segment.sizes.begin(), segment.sizes.end()};
  std::vector<double> sizes;
  for (const int j : segment.active)
    sizes.push_back(j < 0 ? 0.0 : segment.parameters[code.differentiated[j]]);
  return sizes;
}

std::string_view to_string(IntegrationError error) {
  switch (error) {
    case IntegrationError::too_many_steps:
      return "too many steps";
    case IntegrationError::error_test:
      return "step size became too small (error test)";
    case IntegrationError::convergence:
      return "step size became too small (corrector does not converge)";
    case IntegrationError::singular_matrix:
      return "Newton matrix is singular";
    case IntegrationError::not_finite:
      return "rates are not finite";
    case IntegrationError::unbounded:
      return "a state grows without bounds";
    case IntegrationError::too_much_accuracy:
      return "tolerances below machine precision";
    case IntegrationError::no_steady_state:
      return "no steady state";
    case IntegrationError::no_solution:
      return "no solution found for a variable that an algebraic rule determines";
    case IntegrationError::endless_events:
      return "events or discontinuities follow each other without end";
    case IntegrationError::not_differentiable:
      return "no sensitivities: values are delayed, or a threshold is only touched";
    case IntegrationError::interrupted:
      return "out of time";
    case IntegrationError::internal:
      break;
  }
  return "solver failed";
}

IntegrationFailure without_rates(double time, std::span<const double> x, int state) {
  const auto is_smaller = [](double a, double b) { return std::fabs(a) < std::fabs(b); };
  const auto largest = std::ranges::max_element(x, is_smaller);
  if (largest == x.end() || !(std::fabs(*largest) > beyond_use))
    return {IntegrationError::not_finite, time, state};
  return {IntegrationError::unbounded, time, static_cast<int>(largest - x.begin())};
}

Statistics& Statistics::operator+=(const Statistics& other) {
  steps += other.steps;
  rate_evaluations += other.rate_evaluations;
  jacobian_evaluations += other.jacobian_evaluations;
  backward_steps += other.backward_steps;
  fallbacks += other.fallbacks;
  return *this;
}

}  // namespace kinetune::simulate
