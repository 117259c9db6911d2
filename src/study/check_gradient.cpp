#include "study/check_gradient.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

#include <fmt/format.h>

#include "core/error.hpp"
#include "sample/sampler.hpp"
#include "study/load.hpp"
#include "study/parameter_vector.hpp"

namespace kinetune::study {
namespace {

using estimate::Posterior;
using estimate::Sensitivities;
using optimize::EvaluationFailure;
using optimize::Order;

// Of a gradient in its size without cancellation, for comparisons.
constexpr double least_share = 0.01;

/// The largest step of differences: a fiftieth of a decade, or of the value.
double first_step(const estimate::EstimatedParameter& parameter, double x) {
  switch (parameter.scale) {
    case estimate::Scale::log10:
      return 0.02;
    case estimate::Scale::log:
      return 0.02 * std::log(10.0);
    case estimate::Scale::linear:
      break;
  }
  const double width = parameter.upper_bound - parameter.lower_bound;
  return x != 0.0 ? 0.02 * std::fabs(x) : std::isfinite(width) && width > 0 ? 1e-3 * width : 0.02;
}

std::string describe(const EvaluationFailure& failure) {
  if (failure.condition.empty()) return failure.reason;
  const std::string state = failure.state.empty() ? "" : ", state " + failure.state;
  return fmt::format("{}, condition {}, time {:.6g}{}", failure.reason, failure.condition, failure.time,
                     state);
}

double norm(const std::vector<ParameterGradient>& gradient,
            const std::function<double(const ParameterGradient&)>& part) {
  double sum = 0.0;
  for (const ParameterGradient& g : gradient) sum += part(g) * part(g);
  return std::sqrt(sum);
}

/// The objectives of one problem, as each method has them.
class Methods {
 public:
  Methods(const estimate::Problem& problem, const jit::ModelCode& code, const CheckGradientOptions& options)
      : options_(options),
        forward_(problem, code, posterior_options(options.integrator, Sensitivities::forward)),
        adjoint_(problem, code, posterior_options(options.integrator, Sensitivities::adjoint)),
        tight_(problem, code, posterior_options(options.tight, Sensitivities::forward)) {}

  PointCheck check(std::string name, std::span<const double> x, bool with_differences) {
    PointCheck point;
    point.name = std::move(name);
    point.x.assign(x.begin(), x.end());
    const auto value = forward_.evaluate(x, Order::value);
    if (!value) {
      point.trust = Trust::no_value;
      point.failure = describe(value.error());
      return point;
    }
    point.fval = value->fval;
    const auto forward = forward_.evaluate(x, Order::gradient);
    if (!forward) return with_failure(std::move(point), "forward", forward.error());
    const auto adjoint = adjoint_.evaluate(x, Order::gradient);
    if (!adjoint) return with_failure(std::move(point), "adjoint", adjoint.error());
    for (std::size_t i = 0; i < x.size(); ++i)
      point.gradient.push_back({forward->gradient[i], adjoint->gradient[i], {}});
    if (with_differences && !take_differences(x, point)) return point;
    judge(point, size_without_cancellation(x));
    return point;
  }

 private:
  /// Each method by itself: none may stand in for another.
  static estimate::PosteriorOptions posterior_options(const simulate::IntegratorOptions& integrator,
                                                      Sensitivities sensitivities) {
    return {.integrator = integrator, .sensitivities = sensitivities, .fallback = estimate::Fallback::none};
  }

  static PointCheck with_failure(PointCheck point, const char* method, const EvaluationFailure& failure) {
    point.failure = fmt::format("{}: {}", method, describe(failure));
    return point;
  }

  bool take_differences(std::span<const double> x, PointCheck& point) {
    for (std::size_t i = 0; i < x.size(); ++i) {
      const auto difference =
          optimize::central_difference(tight_, x, i, first_step(tight_.problem().parameters[i], x[i]));
      if (!difference) {
        point.trust = Trust::unsure;
        point.failure = fmt::format("differences by {}: {}", tight_.problem().parameters[i].id,
                                    describe(difference.error()));
        return false;
      }
      point.gradient[i].difference = *difference;
    }
    return true;
  }

  /// |r| |J|: residuals and their derivatives cancel in a gradient, errors of either do not.
  double size_without_cancellation(std::span<const double> x) {
    const auto terms = forward_.assess(x, Order::gauss_newton);
    if (!terms) return 0.0;
    double trace = 0.0;
    for (std::size_t i = 0; i < x.size(); ++i) trace += terms->gauss_newton[i * x.size() + i];
    return std::sqrt(terms->chi2 * trace);
  }

  void judge(PointCheck& point, double size) const {
    const auto& g = point.gradient;
    point.norm = norm(g, [](const auto& p) { return p.forward; });
    const double scale =
        std::max({point.norm, norm(g, [](const auto& p) { return p.adjoint; }), least_share * size, 1e-300});
    point.forward_adjoint = norm(g, [](const auto& p) { return p.forward - p.adjoint; }) / scale;
    bool agree = point.forward_adjoint <= options_.tolerance, sure = true;
    if (!g.empty() && g.front().difference) {
      point.forward_difference =
          norm(g, [](const auto& p) { return p.forward - p.difference->value; }) / scale;
      point.uncertainty = norm(g, [](const auto& p) { return p.difference->error; }) / scale;
      sure = *point.uncertainty <= options_.tolerance;
      agree = agree && *point.forward_difference <= std::max(options_.tolerance, 2 * *point.uncertainty);
    }
    point.trust = !agree ? Trust::no : sure ? Trust::yes : Trust::unsure;
  }

  const CheckGradientOptions& options_;
  Posterior forward_, adjoint_, tight_;
};

/// The simulations in which the methods do not agree, each looked at alone.
std::vector<std::string> culprits(const estimate::Problem& problem, const jit::ModelCode& code,
                                  const CheckGradientOptions& options, const PointCheck& point) {
  std::vector<std::string> conditions;
  for (const estimate::Simulation& simulation : problem.simulations) {
    estimate::Problem part = problem;
    part.simulations = {simulation};
    for (auto& parameter : part.parameters) parameter.prior.reset();
    const PointCheck alone =
        Methods(part, code, options).check("", point.x, point.forward_difference.has_value());
    if (alone.trust == Trust::no) conditions.push_back(simulation.condition_id);
  }
  return conditions;
}

}  // namespace

void CheckGradientOptions::validate() const {
  integrator.validate();
  tight.validate();
  if (n_random < 0) throw core::Error({}, "a negative number of random points", "give --points 0 or more");
  if (!(tolerance > 0)) throw core::Error({}, "a tolerance that is not positive", "give --tolerance 1e-4");
}

GradientCheck check_gradient(const CheckGradientOptions& options) {
  options.validate();
  const LoadedProblem loaded = load(options.problem, options.integrator.method);
  const estimate::Problem& problem = loaded.problem;
  Methods methods(problem, loaded.code, options);
  GradientCheck result{{}, options.tolerance, {}};
  std::vector<double> lower, upper;
  for (const auto& parameter : problem.parameters) {
    result.parameter_ids.push_back(parameter.id);
    lower.push_back(parameter.lower_bound);
    upper.push_back(parameter.upper_bound);
  }
  const auto add = [&](std::string name, const std::vector<double>& x) {
    const bool with_differences = static_cast<int>(result.points.size()) < options.n_differences;
    result.points.push_back(methods.check(std::move(name), x, with_differences));
    PointCheck& point = result.points.back();
    if (point.trust == Trust::no && !point.gradient.empty() && problem.simulations.size() > 1)
      point.conditions = culprits(problem, loaded.code, options, point);
  };
  add(options.parameters ? "given" : "nominal", parameter_vector(options.parameters, problem));
  if (options.n_random == 0) return result;
  const auto n = static_cast<std::uint64_t>(options.n_random);
  const sample::Sampler sampler({sample::Method::uniform, n, options.seed}, {lower, upper});
  for (std::uint64_t i = 0; i < n; ++i) add(fmt::format("random {}", i), sampler.sample(i));
  return result;
}

bool GradientCheck::can_be_trusted() const {
  return std::ranges::none_of(points, [](const PointCheck& p) { return p.trust == Trust::no; });
}

}  // namespace kinetune::study
