#include "estimate/posterior.hpp"

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "estimate/likelihood.hpp"
#include "estimate/prior.hpp"

namespace kinetune::estimate {
namespace {

using optimize::EvaluationFailure;
using optimize::Order;
using simulate::Mode;

// From about this many sensitivities on, CVODES' adjoints are cheaper than forward sensitivities (measured on
// the PEtab benchmark problems).
constexpr std::size_t adjoint_from_parameters = 60;

Sensitivities choose(Sensitivities asked, const std::vector<PreparedSimulation>& simulations) {
  if (asked != Sensitivities::automatic) return asked;
  std::size_t most = 0;
  for (const auto& s : simulations) most = std::max(most, s.active.size());
  return most < adjoint_from_parameters ? Sensitivities::forward : Sensitivities::adjoint;
}

bool all_finite(std::span<const double> values) {
  return std::ranges::all_of(values, [](double v) { return std::isfinite(v); });
}

}  // namespace

struct Posterior::Impl {
  Problem problem;
  jit::CompiledModel model;
  std::vector<PreparedSimulation> simulations;
  Sensitivities sensitivities;
  std::unique_ptr<simulate::Integrator> integrator;
  std::vector<double> lower, upper;
  std::vector<double> x_linear, parameters, prelude, states, state_sensitivities, initial_values, adjoint,
      integral;

  Impl(Problem p, jit::ModelCode code, const PosteriorOptions& options)
      : problem(std::move(p)),
        model(std::move(code)),
        integrator(simulate::make_cvodes(model, options.integrator)) {
    for (const Simulation& s : problem.simulations) simulations.push_back(prepare(s, model.code()));
    sensitivities = choose(options.sensitivities, simulations);
    for (const auto& parameter : problem.parameters) {
      lower.push_back(parameter.lower_bound);
      upper.push_back(parameter.upper_bound);
    }
    x_linear.resize(problem.parameters.size());
    parameters.resize(model.code().n_parameters);
    prelude.resize(model.code().n_prelude);
    states.resize(model.n_states());
    initial_values.resize(model.code().initials_by_parameter.n_nonzeros());
  }

  Mode mode(Order order) const {
    if (order == Order::value) return Mode::states;
    // A Gauss-Newton matrix needs the derivative of each data point.
    return order == Order::gradient && sensitivities == Sensitivities::adjoint ? Mode::adjoint
                                                                               : Mode::forward;
  }

  /// Simulates one condition and adds what its data say.
  SimulationStatus add_simulation(const PreparedSimulation& prepared, Mode mode, LikelihoodSums& sums,
                                  Details* details) {
    using Outcome = SimulationStatus::Outcome;
    const Simulation& simulation = *prepared.simulation;
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      const Binding& b = simulation.parameters[i];
      parameters[i] = b.estimated < 0 ? b.constant : x_linear[b.estimated];
    }
    model.prelude(parameters.data(), prelude.data());
    model.initials(0.0, prelude.data(), states.data());
    if (mode != Mode::states) model.initials_by_parameter(0.0, prelude.data(), initial_values.data());
    state_sensitivities.clear();
    if (mode == Mode::forward) fill_initial_sensitivities(prepared);

    const double end = simulation.times.empty() ? 0.0 : simulation.times.back();
    const simulate::Segment segment{0.0, end, prelude, parameters, prepared.active};
    Likelihood likelihood(model, problem, prepared, prelude, x_linear, mode, sums,
                          details ? details->values.data() : nullptr,
                          details ? details->noise.data() : nullptr);
    integrator->clear_tape();
    auto result =
        integrator->forward(segment, mode, states, state_sensitivities, simulation.times, likelihood);
    if (result && !likelihood.failure() && mode == Mode::adjoint) result = go_back(prepared, sums);

    SimulationStatus status{simulation.condition_id, Outcome::ok, "", end, integrator->take_statistics()};
    if (!result) {
      status.outcome = Outcome::not_integrated;
      status.failure = to_string(result.error().error);
      status.time = result.error().time;
    } else if (likelihood.failure()) {
      status.outcome = Outcome::no_density;
      status.failure = *likelihood.failure();
      status.time = likelihood.failure_time();
    }
    return status;
  }

  template <class Use>
  void for_each_initial_derivative(const PreparedSimulation& prepared, Use&& use) const {
    const jit::Pattern& pattern = model.code().initials_by_parameter;
    for (std::size_t k = 0; k < prepared.active.size(); ++k) {
      const int j = prepared.active[k];
      for (int e = pattern.column_starts[j]; e < pattern.column_starts[j + 1]; ++e)
        use(k, pattern.rows[e], initial_values[e]);
    }
  }

  void fill_initial_sensitivities(const PreparedSimulation& prepared) {
    const std::size_t n_active = prepared.active.size();
    state_sensitivities.assign(states.size() * n_active, 0.0);
    for_each_initial_derivative(
        prepared, [&](std::size_t k, int i, double value) { state_sensitivities[i * n_active + k] = value; });
  }

  std::expected<void, simulate::IntegrationFailure> go_back(const PreparedSimulation& prepared,
                                                            LikelihoodSums& sums) {
    adjoint.assign(states.size(), 0.0);
    integral.assign(prepared.active.size(), 0.0);
    if (const auto result = integrator->backward(adjoint, integral); !result) return result;
    for_each_initial_derivative(
        prepared, [&](std::size_t k, int i, double value) { integral[k] += adjoint[i] * value; });
    for (std::size_t k = 0; k < integral.size(); ++k)
      sums.gradient[prepared.active_estimated[k]] += integral[k];
    return {};
  }

  std::expected<LikelihoodSums, EvaluationFailure> likelihood(Order order, Details* details) {
    const std::size_t n = problem.parameters.size();
    LikelihoodSums sums;
    if (order >= Order::gradient) sums.gradient.resize(n);
    if (order >= Order::gauss_newton) sums.gauss_newton.resize(n * n);
    std::optional<EvaluationFailure> first_failure;
    for (const PreparedSimulation& prepared : simulations) {
      const SimulationStatus status = add_simulation(prepared, mode(order), sums, details);
      if (details) details->simulations.push_back(status);
      if (status.failure.empty()) continue;
      if (!first_failure) first_failure = {status.failure, status.condition_id, status.time};
      if (!details) break;
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
Sensitivities Posterior::sensitivities() const { return impl_->sensitivities; }
const Problem& Posterior::problem() const { return impl_->problem; }

std::expected<Terms, EvaluationFailure> Posterior::assess(std::span<const double> x, Order order,
                                                          Details* details) {
  const std::size_t n = size();
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
    std::size_t n_data = 0;
    for (const Simulation& s : impl_->problem.simulations) n_data += s.data.size();
    *details = {{}, std::vector<double>(n_data), std::vector<double>(n_data)};
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

std::expected<optimize::Evaluation, EvaluationFailure> Posterior::evaluate(std::span<const double> x,
                                                                           Order order) {
  auto terms = assess(x, order);
  if (!terms) return std::unexpected(std::move(terms.error()));
  return optimize::Evaluation{terms->fval(), std::move(terms->gradient), std::move(terms->gauss_newton)};
}

}  // namespace kinetune::estimate
