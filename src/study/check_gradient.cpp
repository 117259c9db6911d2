#include "study/check_gradient.hpp"

#include <algorithm>
#include <cmath>
#include <deque>
#include <expected>
#include <functional>
#include <limits>

#include <fmt/format.h>

#include "core/error.hpp"
#include "sample/sampler.hpp"
#include "sample/streams.hpp"
#include "study/evaluate.hpp"
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

// Of tolerances, where differences do not confirm a gradient.
constexpr double tightening = 0.01;

// The largest step of differences, in units.
constexpr double first_step = 0.02;

// Of what gradients may differ by, for which differences need not be better.
constexpr double share_of_tolerance = 0.01;

double unit_of(const estimate::EstimatedParameter& parameter, double x) {
  switch (parameter.scale) {
    case estimate::Scale::log10:
      return 1.0;
    case estimate::Scale::log:
      return std::log(10.0);
    case estimate::Scale::linear:
      break;
  }
  const double width = parameter.upper_bound - parameter.lower_bound;
  return x != 0.0 ? std::fabs(x) : std::isfinite(width) && width > 0 ? 0.05 * width : 1.0;
}

/// The same objective but for a constant, with values beyond the ends of priors too: there differences need
/// two sides.
estimate::Problem without_ends(estimate::Problem problem) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  for (auto& parameter : problem.parameters) {
    if (!parameter.prior) continue;
    petab::Prior& prior = *parameter.prior;
    prior.truncated_below = -infinity;
    prior.truncated_above = infinity;
    if (prior.type == petab::PriorType::log_uniform) {
      prior.first /= 2;
      prior.second *= 2;
    }
    const bool is_flat =
        prior.type == petab::PriorType::uniform || prior.type == petab::PriorType::parameter_scale_uniform;
    if (is_flat) parameter.prior.reset();
  }
  return problem;
}

double norm(const std::vector<ParameterGradient>& gradient,
            const std::function<double(const ParameterGradient&)>& part) {
  double sum = 0.0;
  for (const ParameterGradient& g : gradient) sum += g.unit * g.unit * part(g) * part(g);
  return std::sqrt(sum);
}

/// The objectives of one problem, as each method has them.
class Methods {
 public:
  Methods(const estimate::Problem& problem, const std::vector<jit::ModelCode>& codes,
          const CheckGradientOptions& options)
      : options_(options),
        forward_(problem, codes, posterior_options(options.integrator, Sensitivities::forward)),
        adjoint_(problem, codes, posterior_options(options.integrator, Sensitivities::adjoint)),
        make_values_([&](const simulate::IntegratorOptions& tight) {
          values_.emplace_back(without_ends(problem), codes,
                               posterior_options(tight, Sensitivities::forward));
        }) {
    auto tight = options.tight;
    tight.rtol = std::min(tight.rtol, options.integrator.rtol);
    tight.atol = std::min(tight.atol, options.integrator.atol);
    tightness_.push_back(tight);
    tight.rtol *= tightening;
    tight.atol *= tightening;
    tightness_.push_back(tight);
    tight.method = simulate::Method::rodas5p;
    if (std::ranges::all_of(codes, [](const jit::ModelCode& c) { return c.curvature.is_present; }))
      tightness_.push_back(tight);
  }

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
    const auto adjoint = adjoint_.evaluate(x, Order::gradient);
    if (!forward) point.failure = "forward: " + describe(forward.error());
    if (!adjoint) point.failure += (forward ? "adjoint: " : "; adjoint: ") + describe(adjoint.error());
    if (!forward || !adjoint) return point;
    for (std::size_t i = 0; i < x.size(); ++i)
      point.gradient.push_back(
          {unit_of(forward_.problem().parameters[i], x[i]), forward->gradient[i], adjoint->gradient[i], {}});
    compare(point);
    judge(point);
    if (with_differences) take_differences(point);
    return point;
  }

 private:
  /// Each method by itself: none may stand in for another.
  static estimate::PosteriorOptions posterior_options(const simulate::IntegratorOptions& integrator,
                                                      Sensitivities sensitivities) {
    return {.integrator = integrator, .sensitivities = sensitivities, .fallback = estimate::Fallback::none};
  }

  /// The two gradients.
  void compare(PointCheck& point) {
    const auto& g = point.gradient;
    point.norm = norm(g, [](const auto& p) { return p.forward; });
    scale_ = std::max({point.norm, norm(g, [](const auto& p) { return p.adjoint; }), least_scale(point)});
    point.forward_adjoint = norm(g, [](const auto& p) { return p.forward - p.adjoint; }) / scale_;
  }

  /// Of values at tolerances that get tighter until they confirm the gradient: differences of values may
  /// agree with each other although an error is common to all.
  void take_differences(PointCheck& point) {
    const PointCheck bare = point;
    const int first_direction = n_directions_;
    std::string failure;
    for (std::size_t i = 0; i < tightness_.size(); ++i) {
      if (i == values_.size()) make_values_(tightness_[i]);
      PointCheck look = bare;
      n_directions_ = first_direction;
      const auto looked = options_.n_directions > 0 ? look_along_directions(look, values_[i])
                                                    : look_along_axes(look, values_[i]);
      if (!looked) {
        if (!failure.empty()) continue;
        failure = looked.error();
        if (!point.uncertainty) point.gradient = std::move(look.gradient);
        continue;
      }
      judge(look);
      const bool is_finer =
          !point.uncertainty || *look.uncertainty <= std::max(*point.uncertainty, options_.tolerance);
      if (is_finer) point = std::move(look);
      if (point.trust == Trust::yes || point.forward_adjoint > options_.tolerance) return;
    }
    if (point.uncertainty) return;
    if (point.trust == Trust::yes) point.trust = Trust::unsure;
    judge_parameters(point);
    for (ParameterGradient& g : point.gradient)
      if (!g.difference && g.trust == Trust::yes) g.trust = Trust::unsure;
    point.failure = std::move(failure);
  }

  using Looked = std::expected<void, std::string>;

  Looked look_along_axes(PointCheck& point, Posterior& values) {
    Looked looked;
    std::vector<double> direction(point.x.size());
    const double enough = sufficient_error() / std::sqrt(static_cast<double>(point.x.size()));
    for (std::size_t i = 0; i < point.x.size(); ++i) {
      const double length = first_step * point.gradient[i].unit;
      direction[i] = length;
      const auto difference = optimize::central_difference(values, point.x, direction, enough);
      direction[i] = 0.0;
      if (!difference) {
        if (looked) looked = without_differences(values.problem().parameters[i].id, difference.error());
        continue;
      }
      point.gradient[i].difference = {difference->value / length, difference->error / length,
                                      difference->step * length};
    }
    if (!looked) return looked;
    point.forward_difference =
        norm(point.gradient, [](const auto& p) { return p.forward - p.difference->value; }) / scale_;
    point.uncertainty = norm(point.gradient, [](const auto& p) { return p.difference->error; }) / scale_;
    return {};
  }

  /// Along a direction of random signs the expected square of an error's component is its norm's square.
  Looked look_along_directions(PointCheck& point, Posterior& values) {
    double squares = 0.0, squares_of_errors = 0.0;
    for (int k = 0; k < options_.n_directions; ++k) {
      core::RandomStream stream = sample::random_stream(options_.seed, sample::StreamPurpose::directions,
                                                        static_cast<std::uint64_t>(n_directions_++));
      std::vector<double> direction;
      double slope = 0.0;
      for (const ParameterGradient& g : point.gradient) {
        direction.push_back((stream.below(2) == 0 ? -first_step : first_step) * g.unit);
        slope += g.forward * direction.back();
      }
      const auto difference = optimize::central_difference(values, point.x, direction, sufficient_error());
      if (!difference) return without_differences("random directions", difference.error());
      squares += std::pow((slope - difference->value) / first_step, 2);
      squares_of_errors += std::pow(difference->error / first_step, 2);
    }
    point.forward_difference = std::sqrt(squares / options_.n_directions) / scale_;
    point.uncertainty = std::sqrt(squares_of_errors / options_.n_directions) / scale_;
    return {};
  }

  /// Of the objective's derivative by the first step.
  double sufficient_error() const { return share_of_tolerance * options_.tolerance * scale_ * first_step; }

  static std::unexpected<std::string> without_differences(const std::string& by,
                                                          const EvaluationFailure& failure) {
    return std::unexpected(fmt::format("differences by {}: {}", by, describe(failure)));
  }

  /// What gradients are compared with where they are smaller: a share of |r| |J|, because residuals and their
  /// derivatives cancel in a gradient and errors of either do not; and what makes rounding errors of the
  /// objective, as differences over the largest step have them, as large as what may be.
  double least_scale(const PointCheck& point) {
    const std::size_t n = point.x.size();
    double without_cancellation = 0.0, size = std::fabs(point.fval);
    if (const auto terms = forward_.assess(point.x, Order::gauss_newton)) {
      double trace = 0.0;
      for (std::size_t i = 0; i < n; ++i)
        trace += terms->gauss_newton[i * n + i] * point.gradient[i].unit * point.gradient[i].unit;
      without_cancellation = std::sqrt(terms->chi2 * trace);
      size = std::fabs(terms->llh) + terms->chi2 + std::fabs(terms->prior);
    }
    const double rounding = std::numeric_limits<double>::epsilon() * std::max(1.0, size) *
                            std::sqrt(static_cast<double>(n)) / first_step;
    return std::max(least_share * without_cancellation, rounding / options_.tolerance);
  }

  Trust verdict(double forward_adjoint, double forward_difference, double uncertainty) const {
    const bool agree = forward_adjoint <= options_.tolerance &&
                       forward_difference <= std::max(options_.tolerance, 2 * uncertainty);
    return !agree ? Trust::no : uncertainty <= options_.tolerance ? Trust::yes : Trust::unsure;
  }

  void judge(PointCheck& point) const {
    point.trust = verdict(point.forward_adjoint, point.forward_difference.value_or(0.0),
                          point.uncertainty.value_or(0.0));
    judge_parameters(point);
  }

  /// Of a derivative that is small beside the others' no more is asked than errors of these let differences
  /// give.
  void judge_parameters(PointCheck& point) const {
    for (ParameterGradient& g : point.gradient) {
      const double size = std::max(std::fabs(g.forward), std::fabs(g.adjoint));
      const double scale = std::max(size, least_share * scale_ / g.unit);
      const auto [value, error, step] = g.difference.value_or(optimize::Difference{g.forward, 0.0, 0.0});
      g.trust = verdict(std::fabs(g.forward - g.adjoint) / scale, std::fabs(g.forward - value) / scale,
                        error / scale);
    }
  }

  const CheckGradientOptions& options_;
  Posterior forward_, adjoint_;
  std::function<void(const simulate::IntegratorOptions&)> make_values_;  // adds to values_
  std::vector<simulate::IntegratorOptions> tightness_;  // of the values that differences are taken of
  std::deque<Posterior> values_;                        // (n_tightness), as far as they were needed
  double scale_ = 1.0;                                  // of the point's gradient
  int n_directions_ = 0;                                // taken so far
};

/// The simulations in which the methods do not agree, each looked at alone; of several, those of a gradient
/// that is wrong.
std::vector<std::string> culprits(const estimate::Problem& problem, const std::vector<jit::ModelCode>& codes,
                                  const CheckGradientOptions& options, const PointCheck& point) {
  std::vector<std::string> conditions;
  if (codes.size() == 1 && problem.parts.front().simulations.size() == 1)
    return {problem.parts.front().simulations.front().condition_id};
  if (point.trust != Trust::no) return conditions;
  for (std::size_t i = 0; i < codes.size(); ++i) {
    for (const estimate::Simulation& simulation : problem.parts[i].simulations) {
      estimate::Problem single{problem.parameters, {problem.parts[i]}};
      single.parts.front().simulations = {simulation};
      for (auto& parameter : single.parameters) parameter.prior.reset();
      const PointCheck alone =
          Methods(single, {codes[i]}, options).check("", point.x, point.forward_difference.has_value());
      if (alone.trust == Trust::no) conditions.push_back(simulation.condition_id);
    }
  }
  return conditions;
}

}  // namespace

void CheckGradientOptions::validate() const {
  integrator.validate();
  tight.validate();
  if (n_random < 0) throw core::Error({}, "a negative number of random points", "give --points 0 or more");
  if (n_directions < 0)
    throw core::Error({}, "a negative number of directions", "give --directions 0 or more");
  if (!(tolerance > 0)) throw core::Error({}, "a tolerance that is not positive", "give --tolerance 1e-4");
}

GradientCheck check_gradient(const CheckGradientOptions& options,
                             const std::function<void(const GradientCheck&)>& seen) {
  options.validate();
  const LoadedProblem loaded =
      load(options.problem, options.integrator.method, std::max(options.integrator.lanes, 1));
  const estimate::Problem& problem = loaded.problem;
  Methods methods(problem, loaded.codes, options);
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
    const bool is_doubtful = point.trust == Trust::no || point.trust == Trust::unsure;
    if (is_doubtful && !point.gradient.empty())
      point.conditions = culprits(problem, loaded.codes, options, point);
    if (seen) seen(result);
  };
  add(options.parameters ? "given" : "nominal", parameter_vector(options.parameters, problem));
  if (options.n_random == 0) return result;
  const auto n = static_cast<std::uint64_t>(options.n_random);
  const sample::Sampler sampler({sample::Method::uniform, n, options.seed}, {lower, upper});
  for (std::uint64_t i = 0; i < n; ++i) add(fmt::format("random {}", i), sampler.sample(i));
  return result;
}

bool GradientCheck::can_be_trusted() const {
  const auto has = [&](Trust trust) { return std::ranges::count(points, trust, &PointCheck::trust) > 0; };
  return has(Trust::yes) && !has(Trust::no) && !has(Trust::unsure);
}

}  // namespace kinetune::study
