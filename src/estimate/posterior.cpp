#include "estimate/posterior.hpp"

#include <algorithm>
#include <cassert>
#include <chrono>
#include <cmath>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "core/error.hpp"
#include "estimate/prior.hpp"

namespace kinetune::estimate {
namespace {

using optimize::EvaluationFailure;
using optimize::Order;
using simulate::Mode;

// From about this many sensitivities on, CVODES' adjoints are cheaper than forward sensitivities (measured on
// the PEtab benchmark problems).
constexpr std::size_t adjoint_from_parameters = 60;

Sensitivities choose(Sensitivities asked, std::size_t most_columns) {
  if (asked != Sensitivities::automatic) return asked;
  return most_columns < adjoint_from_parameters ? Sensitivities::forward : Sensitivities::adjoint;
}

/// Whether a prior is a constant or a square on the parameter's own scale.
bool is_square(const EstimatedParameter& parameter) {
  using petab::PriorType;
  if (!parameter.prior) return true;
  switch (parameter.prior->type) {
    case PriorType::parameter_scale_uniform:
    case PriorType::parameter_scale_normal:
      return true;
    case PriorType::uniform:
    case PriorType::normal:
      return parameter.scale == Scale::linear;
    default:
      return false;
  }
}

std::string why_no_least_squares(const Problem& problem) {
  for (const Observable& observable : problem.observables) {
    if (observable.noise != petab::NoiseDistribution::normal)
      return fmt::format("the noise of observable {} is not normal", observable.id);
  }
  for (const EstimatedParameter& parameter : problem.parameters) {
    if (!is_square(parameter)) return fmt::format("the prior of {} is no square on its scale", parameter.id);
  }
  return {};
}

bool all_finite(std::span<const double> values) {
  return std::ranges::all_of(values, [](double v) { return std::isfinite(v); });
}

}  // namespace

struct Posterior::Impl {
  Problem problem;
  jit::CompiledModel model;
  PosteriorOptions options;
  SimulationRun run;
  std::unique_ptr<SimulationRun> cvodes_run;  // made when first needed
  long n_fallbacks = 0;
  LeastSquares* least_squares = nullptr;  // where residuals go in the evaluation under way
  SimulationStatus::Outcome failed_outcome = SimulationStatus::Outcome::ok;  // of the last that failed
  Sensitivities sensitivities;
  std::vector<double> lower, upper;
  std::vector<double> x_linear;
  std::chrono::duration<double> max_duration;
  std::chrono::steady_clock::time_point began;  // the evaluation under way
  std::function<bool()> interrupt = {};

  Impl(Problem p, jit::ModelCode code, const PosteriorOptions& o)
      : problem(std::move(p)),
        model(std::move(code)),
        options(with_method(o, model.code())),
        run(model, problem, interruptible(options.integrator)),
        max_duration(options.max_seconds) {
    if (!(options.max_seconds > 0)) {
      throw core::Error({}, fmt::format("evaluations of at most {} s", options.max_seconds),
                        "give a positive number of seconds");
    }
    sensitivities = choose(options.sensitivities, run.most_columns());
    for (const auto& parameter : problem.parameters) {
      lower.push_back(parameter.lower_bound);
      upper.push_back(parameter.upper_bound);
    }
    x_linear.resize(problem.parameters.size());
  }

  simulate::IntegratorOptions interruptible(simulate::IntegratorOptions options) {
    options.interrupt = [this] {
      return (interrupt && interrupt()) || std::chrono::steady_clock::now() - began > max_duration;
    };
    return options;
  }

  Mode mode(Order order) const {
    if (order == Order::value) return Mode::states;
    // A Gauss-Newton matrix needs the derivative of each data point.
    return order == Order::gradient && sensitivities == Sensitivities::adjoint ? Mode::adjoint
                                                                               : Mode::forward;
  }

  /// By the method asked for; where that fails, by CVODES; where an adjoint fails, by forward sensitivities.
  std::expected<LikelihoodSums, EvaluationFailure> likelihood(Order order, Details* details) {
    using Outcome = SimulationStatus::Outcome;
    const Mode asked = mode(order);
    auto sums = likelihood(run, asked, order, details);
    const auto failed_with = [&](Outcome outcome) { return !sums && failed_outcome == outcome; };
    const auto try_again = [&](Mode mode) {
      if (details) details->simulations.clear();
      sums = likelihood(cvodes(), mode, order, details);
      if (!sums) return;
      ++n_fallbacks;
      if (details && !details->simulations.empty()) ++details->simulations.front().statistics.fallbacks;
    };
    if (options.fallback == Fallback::none) return sums;
    const bool has_other_method = options.integrator.method != simulate::Method::cvodes;
    if (has_other_method && (failed_with(Outcome::not_integrated) || failed_with(Outcome::no_adjoint)))
      try_again(asked);
    if (failed_with(Outcome::no_adjoint)) try_again(Mode::forward);
    const bool has_overflown = sums && asked == Mode::forward && order == Order::gradient &&
                               std::isfinite(sums->nllh) && !all_finite(sums->gradient);
    if (has_overflown) try_again(Mode::adjoint);  // its numbers may be of another size
    return sums;
  }

  static PosteriorOptions with_method(PosteriorOptions options, const jit::ModelCode& code) {
    options.integrator.method = simulate::settled(options.integrator.method, code);
    return options;
  }

  SimulationRun& cvodes() {
    if (options.integrator.method == simulate::Method::cvodes) return run;
    if (!cvodes_run) {
      auto settings = options.integrator;
      settings.method = simulate::Method::cvodes;
      cvodes_run = std::make_unique<SimulationRun>(model, problem, interruptible(settings));
    }
    return *cvodes_run;
  }

  std::size_t n_data() const {
    std::size_t count = 0;
    for (const Simulation& s : problem.simulations) {
      for (const Period& period : s.periods) count += period.data.size();
    }
    return count;
  }

  std::expected<LikelihoodSums, EvaluationFailure> likelihood(SimulationRun& simulations, Mode mode,
                                                              Order order, Details* details) {
    const std::size_t n = problem.parameters.size();
    LikelihoodSums sums;
    if (order >= Order::gradient) sums.gradient.resize(n);
    if (order >= Order::gauss_newton) sums.gauss_newton.resize(n * n);
    std::optional<EvaluationFailure> first_failure;
    const auto note = [&](const SimulationStatus& status) {
      if (first_failure) return;
      first_failure = {status.failure, status.condition_id, status.time, status.state};
      failed_outcome = status.outcome;
    };
    SimulatedData data;
    if (details) data = {details->values.data(), details->noise.data()};
    if (least_squares) {
      const std::size_t n_rows = 2 * n_data();
      *least_squares = {0.0, std::vector<double>(n_rows), std::vector<double>(n_rows * n)};
      data.least_squares = least_squares;
    }
    simulations.start(x_linear, mode);
    for (const PreparedSimulation& prepared : simulations.simulations()) {
      const SimulationStatus status = simulations.add(prepared, sums, data);
      if (details) details->simulations.push_back(status);
      if (status.failure.empty()) continue;
      note(status);
      if (!details) break;
    }
    if (!first_failure && mode == Mode::adjoint) {
      if (const auto done = simulations.add_preequilibrations(sums); !done) note(done.error());
    }
    if (first_failure) return std::unexpected(*first_failure);
    return sums;
  }
};

Posterior::Posterior(Problem problem, jit::ModelCode code, const PosteriorOptions& options)
    : impl_(std::make_unique<Impl>(std::move(problem), std::move(code), options)) {}
Posterior::~Posterior() = default;

std::size_t Posterior::size() const { return impl_->problem.parameters.size(); }
std::span<const double> Posterior::lower_bounds() const { return impl_->lower; }
std::span<const double> Posterior::upper_bounds() const { return impl_->upper; }
void Posterior::set_interrupt(std::function<bool()> interrupt) { impl_->interrupt = std::move(interrupt); }
long Posterior::take_fallbacks() { return std::exchange(impl_->n_fallbacks, 0); }
Sensitivities Posterior::sensitivities() const { return impl_->sensitivities; }
const Problem& Posterior::problem() const { return impl_->problem; }

std::expected<Terms, EvaluationFailure> Posterior::assess(std::span<const double> x, Order order,
                                                          Details* details) {
  const std::size_t n = size();
  impl_->began = std::chrono::steady_clock::now();
  std::vector<double> slopes(n);
  Terms terms;
  std::vector<PriorTerm> priors(n);
  for (std::size_t q = 0; q < n; ++q) {
    const EstimatedParameter& parameter = impl_->problem.parameters[q];
    impl_->x_linear[q] = unscaled(parameter.scale, x[q]);
    slopes[q] = unscaled_slope(parameter.scale, impl_->x_linear[q]);
    if (parameter.prior) priors[q] = prior_term(*parameter.prior, parameter.scale, x[q]);
    if (!std::isfinite(priors[q].value)) {
      return std::unexpected(EvaluationFailure{"outside the prior's support: " + parameter.id, "", 0.0});
    }
    terms.prior += priors[q].value;
  }
  if (details) {
    *details = {{}, std::vector<double>(impl_->n_data()), std::vector<double>(impl_->n_data())};
  }
  auto sums = impl_->likelihood(order, details);
  if (!sums) return std::unexpected(std::move(sums.error()));
  terms.llh = -sums->nllh;
  terms.chi2 = sums->chi2;

  if (order >= Order::gradient) {
    terms.gradient.resize(n);
    terms.gradient_prior.resize(n);
    for (std::size_t q = 0; q < n; ++q) {
      terms.gradient_prior[q] = priors[q].slope;
      terms.gradient[q] = sums->gradient[q] * slopes[q] + priors[q].slope;
    }
  }
  if (order >= Order::gauss_newton) {
    terms.gauss_newton.resize(n * n);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j <= i; ++j) {
        const double value =
            sums->gauss_newton[i * n + j] * slopes[i] * slopes[j] + (i == j ? priors[i].curvature : 0.0);
        terms.gauss_newton[i * n + j] = terms.gauss_newton[j * n + i] = value;
      }
    }
  }
  if (!std::isfinite(terms.fval()) || !all_finite(terms.gradient) || !all_finite(terms.gauss_newton)) {
    return std::unexpected(EvaluationFailure{"objective or gradient is not finite", "", 0.0});
  }
  return terms;
}

std::string Posterior::why_no_least_squares() const { return estimate::why_no_least_squares(impl_->problem); }

std::expected<Terms, EvaluationFailure> Posterior::assess_squares(std::span<const double> x,
                                                                  LeastSquares& result) {
  assert(why_no_least_squares().empty());
  impl_->least_squares = &result;
  auto terms = assess(x, Order::gauss_newton);
  impl_->least_squares = nullptr;
  if (!terms) return terms;
  const std::size_t n = size();
  for (std::size_t q = 0; q < n; ++q) {
    const EstimatedParameter& parameter = impl_->problem.parameters[q];
    const double slope = unscaled_slope(parameter.scale, impl_->x_linear[q]);
    for (std::size_t e = q; e < result.jacobian.size(); e += n) result.jacobian[e] *= slope;
  }
  for (std::size_t q = 0; q < n; ++q) {
    const EstimatedParameter& parameter = impl_->problem.parameters[q];
    if (!parameter.prior) continue;
    const PriorTerm term = prior_term(*parameter.prior, parameter.scale, x[q]);
    const double weight = std::sqrt(term.curvature), residual = weight > 0 ? term.slope / weight : 0.0;
    result.constant += term.value - 0.5 * residual * residual;
    if (weight == 0) continue;
    result.residuals.push_back(residual);
    result.jacobian.resize(result.jacobian.size() + n);
    result.jacobian[result.jacobian.size() - n + q] = weight;
  }
  return terms;
}

std::expected<optimize::Evaluation, EvaluationFailure> Posterior::evaluate(std::span<const double> x,
                                                                           Order order) {
  LeastSquares squares;
  auto terms = order == Order::least_squares ? assess_squares(x, squares) : assess(x, order);
  if (!terms) return std::unexpected(std::move(terms.error()));
  return optimize::Evaluation{terms->fval(), std::move(terms->gradient), std::move(terms->gauss_newton),
                              std::move(squares.residuals), std::move(squares.jacobian)};
}

}  // namespace kinetune::estimate
