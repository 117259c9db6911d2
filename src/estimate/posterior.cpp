#include "estimate/posterior.hpp"

#include <algorithm>
#include <cassert>
#include <chrono>
#include <cmath>
#include <numeric>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "core/cpu_time.hpp"
#include "core/error.hpp"
#include "estimate/part_run.hpp"
#include "estimate/point_evaluation.hpp"
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
  for (const Part& part : problem.parts) {
    for (const Observable& observable : part.observables) {
      if (observable.noise != petab::NoiseDistribution::normal)
        return fmt::format("the noise of observable {} is not normal", observable.id);
    }
  }
  for (const EstimatedParameter& parameter : problem.parameters) {
    if (!is_square(parameter)) return fmt::format("the prior of {} is no square on its scale", parameter.id);
  }
  return {};
}

bool all_finite(std::span<const double> values) {
  return std::ranges::all_of(values, [](double v) { return std::isfinite(v); });
}

std::size_t count_data(const Part& part) {
  std::size_t count = 0;
  for (const Simulation& simulation : part.simulations) {
    for (const Period& period : simulation.periods) count += period.data.size();
  }
  return count;
}

/// By the parameters on their scales, and with a residual of each normal prior behind those of the data.
/// @param squares  of the data, by linear parameters
void complete_squares(const Problem& problem, std::span<const double> x, LeastSquares& squares) {
  const std::size_t n = x.size();
  for (std::size_t q = 0; q < n; ++q) {
    const Scale scale = problem.parameters[q].scale;
    const double slope = unscaled_slope(scale, unscaled(scale, x[q]));
    for (std::size_t e = q; e < squares.jacobian.size(); e += n) squares.jacobian[e] *= slope;
  }
  for (std::size_t q = 0; q < n; ++q) {
    const EstimatedParameter& parameter = problem.parameters[q];
    if (!parameter.prior) continue;
    const PriorTerm term = prior_term(*parameter.prior, parameter.scale, x[q]);
    const double weight = std::sqrt(term.curvature);
    if (weight == 0) continue;
    squares.residuals.push_back(term.slope / weight);
    squares.jacobian.resize(squares.jacobian.size() + n);
    squares.jacobian[squares.jacobian.size() - n + q] = weight;
  }
}

}  // namespace

struct Posterior::Impl {
  using Done = std::expected<void, SimulationStatus>;

  struct Place {
    PartRun* part;
    const Share* share;
    std::size_t first_simulation;  ///< of the part, among those of all parts
  };

  Problem problem;
  PosteriorOptions options;
  std::vector<std::unique_ptr<PartRun>> parts;
  std::vector<Place> shares;
  std::size_t n_data = 0, n_simulations = 0;
  Sensitivities sensitivities;
  Sensitivities sensitivities_of_cvodes;  ///< where it has to carry out what another method failed at
  std::vector<double> lower, upper;
  std::chrono::duration<double> max_duration;
  std::chrono::steady_clock::time_point deadline;  // of the evaluations under way
  std::function<bool()> interrupt = {};
  ShareCarrier carrier = {};

  Impl(Problem p, std::vector<jit::ModelCode> codes, const PosteriorOptions& o)
      : problem(std::move(p)), options(o), max_duration(options.max_seconds) {
    assert(codes.size() == problem.parts.size());
    if (!(options.max_seconds > 0)) {
      throw core::Error({}, fmt::format("evaluations of at most {} s", options.max_seconds),
                        "give a positive number of seconds");
    }
    options.integrator.interrupt = [this] {
      return (interrupt && interrupt()) || std::chrono::steady_clock::now() > deadline;
    };
    std::size_t most_columns = 0;
    for (std::size_t i = 0; i < codes.size(); ++i) {
      const Part& part = problem.parts[i];
      parts.push_back(std::make_unique<PartRun>(part, std::move(codes[i]), options.integrator));
      most_columns = std::max(most_columns, parts.back()->most_columns());
      for (const Share& share : parts.back()->shares())
        shares.push_back({parts.back().get(), &share, n_simulations});
      n_simulations += part.simulations.size();
      n_data += count_data(part);
    }
    sensitivities = choose(options.sensitivities, most_columns);
    sensitivities_of_cvodes = choose(Sensitivities::automatic, most_columns);
    for (const auto& parameter : problem.parameters) {
      lower.push_back(parameter.lower_bound);
      upper.push_back(parameter.upper_bound);
    }
  }

  /// A limit that has no end, or lies beyond the clock's, is none.
  void begin(std::size_t n_evaluations) {
    using Clock = std::chrono::steady_clock;
    const auto allowed = max_duration * static_cast<double>(n_evaluations);
    const auto now = Clock::now();
    deadline = allowed < Clock::time_point::max() - now
                   ? now + std::chrono::duration_cast<Clock::duration>(allowed)
                   : Clock::time_point::max();
  }

  static Mode mode(Order order, Sensitivities sensitivities) {
    if (order == Order::value) return Mode::states;
    // A Gauss-Newton matrix needs the derivative of each data point.
    return order == Order::gradient && sensitivities == Sensitivities::adjoint ? Mode::adjoint
                                                                               : Mode::forward;
  }

  LikelihoodSums zeros(Order order) const {
    const std::size_t n = problem.parameters.size();
    LikelihoodSums sums;
    if (order >= Order::gradient) sums.gradient.resize(n);
    if (order >= Order::gauss_newton) sums.gauss_newton.resize(n * n);
    return sums;
  }

  /// By the method asked for; where that fails, by CVODES with the kind of sensitivities that suits it; where
  /// one kind fails by CVODES too, by the other, whose numbers are of another size.
  Done carry_out(const Place& place, SimulationRun& own, Order order, PointEvaluation& evaluation,
                 LikelihoodSums& sums) {
    using Outcome = SimulationStatus::Outcome;
    SimulatedData data{nullptr, nullptr, evaluation.squares()};
    Details* details = evaluation.details();
    std::span<SimulationStatus> statuses;
    if (details) {
      data.values = details->values.data();
      data.noise = details->noise.data();
      statuses = std::span(details->simulations).subspan(place.first_simulation);
    }
    const auto attempt = [&](SimulationRun& run, Mode mode) {
      sums.clear();
      return run.add(*place.share, evaluation.x_linear(), mode, sums, data, statuses);
    };
    Done done = attempt(own, mode(order, sensitivities));
    if (options.fallback == Fallback::none) return done;
    const auto failed_with = [&](Outcome outcome) { return !done && done.error().outcome == outcome; };
    const auto try_again = [&](Mode mode) {
      done = attempt(place.part->cvodes(), mode);
      if (!done) return;
      evaluation.note_fallback();
      if (details) ++statuses[place.share->simulations.front()].statistics.fallbacks;
    };
    const bool another_may = !done && !failed_with(Outcome::no_density);
    if (another_may && place.part->has_other_method()) try_again(mode(order, sensitivities_of_cvodes));
    if (failed_with(Outcome::no_adjoint))
      try_again(Mode::forward);
    else if (failed_with(Outcome::no_forward) && order == Order::gradient)
      try_again(Mode::adjoint);
    return done;
  }

  /// Some shares at several points: what a share says goes to the evaluation under its place in the list.
  /// @param seconds  CPU time by place in the list, of one evaluation; shares that go side by side share it
  ///                 evenly; or empty
  void carry_out(std::span<PointEvaluation> evaluations, std::span<const std::size_t> which, Order order,
                 std::span<double> seconds = {}) {
    begin(evaluations.size());
    for (const auto& part : parts) {
      std::vector<std::size_t> own;  // places in the list
      for (std::size_t i = 0; i < which.size(); ++i) {
        if (shares[which[i]].part == part.get()) own.push_back(i);
      }
      const double at_first = core::thread_cpu_seconds();
      part->for_each(own.size() * evaluations.size(), [&](std::size_t number, SimulationRun& run) {
        PointEvaluation& evaluation = evaluations[number / own.size()];
        const std::size_t i = own[number % own.size()];
        if (evaluation.is_decided_before(i)) return;
        const double before = core::thread_cpu_seconds();
        LikelihoodSums sums = zeros(order);
        if (const Done done = carry_out(shares[which[i]], run, order, evaluation, sums); done)
          evaluation.add(i, std::move(sums));
        else
          evaluation.fail(i, done.error());
        if (!seconds.empty()) seconds[i] = core::thread_cpu_seconds() - before;
      });
      if (seconds.empty() || !part->goes_side_by_side()) continue;
      const double total = core::thread_cpu_seconds() - at_first;
      for (const std::size_t i : own) seconds[i] = total / static_cast<double>(own.size());
    }
  }

  /// All shares at several points, by whatever means.
  void gather(std::span<PointEvaluation> evaluations, Order order) {
    if (!carrier || evaluations.front().details()) return carry_out(evaluations, all_shares(), order);
    for (PointEvaluation& evaluation : evaluations) leave_to_carrier(evaluation, order);
  }

  void leave_to_carrier(PointEvaluation& evaluation, Order order) {
    ShareOutcomes outcomes = carrier(evaluation.x(), order);
    const std::size_t n_done = outcomes.sums.size();
    assert(outcomes.failure || n_done == shares.size());
    for (std::size_t share = 0; share < n_done; ++share)
      evaluation.add(share, std::move(outcomes.sums[share]));
    if (outcomes.failure) evaluation.fail(n_done, std::move(*outcomes.failure));
    if (outcomes.has_fallen_back) evaluation.note_fallback();
    if (evaluation.squares()) *evaluation.squares() = std::move(outcomes.squares);
  }

  std::vector<std::size_t> all_shares() const {
    std::vector<std::size_t> all(shares.size());
    std::iota(all.begin(), all.end(), std::size_t{0});
    return all;
  }

  LeastSquares no_squares() const {
    return {std::vector<double>(2 * n_data), std::vector<double>(2 * n_data * problem.parameters.size())};
  }

  /// By the parameters on their scales.
  std::expected<std::vector<PriorTerm>, EvaluationFailure> priors(std::span<const double> x) const {
    std::vector<PriorTerm> terms(x.size());
    for (std::size_t q = 0; q < x.size(); ++q) {
      const EstimatedParameter& parameter = problem.parameters[q];
      if (parameter.prior) terms[q] = prior_term(*parameter.prior, parameter.scale, x[q]);
      if (!std::isfinite(terms[q].value))
        return std::unexpected(EvaluationFailure{"outside the prior's support: " + parameter.id, "", 0.0});
    }
    return terms;
  }

  /// What priors and likelihood make together, by the parameters on their scales.
  std::expected<Terms, EvaluationFailure> terms(PointEvaluation& evaluation,
                                                const std::vector<PriorTerm>& priors, Order order) const {
    const auto gathered = evaluation.take_sums();
    if (!gathered) return std::unexpected(gathered.error());
    const LikelihoodSums& sums = *gathered;
    const std::span<const double> x = evaluation.x();
    const std::size_t n = x.size();
    Terms terms;
    terms.has_fallen_back = evaluation.has_fallen_back();
    std::vector<double> slopes(n);
    for (std::size_t q = 0; q < n; ++q) {
      const Scale scale = problem.parameters[q].scale;
      slopes[q] = unscaled_slope(scale, unscaled(scale, x[q]));
      terms.prior += priors[q].value;
    }
    terms.llh = -sums.nllh;
    terms.chi2 = sums.chi2;
    terms.n_rates = sums.n_rates;
    if (order >= Order::gradient) {
      terms.gradient.resize(n);
      terms.gradient_prior.resize(n);
      for (std::size_t q = 0; q < n; ++q) {
        terms.gradient_prior[q] = priors[q].slope;
        terms.gradient[q] = sums.gradient[q] * slopes[q] + priors[q].slope;
      }
    }
    if (order >= Order::gauss_newton) {
      terms.gauss_newton.resize(n * n);
      for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j <= i; ++j) {
          const double value =
              sums.gauss_newton[i * n + j] * slopes[i] * slopes[j] + (i == j ? priors[i].curvature : 0.0);
          terms.gauss_newton[i * n + j] = terms.gauss_newton[j * n + i] = value;
        }
      }
    }
    if (!std::isfinite(terms.fval()) || !all_finite(terms.gradient) || !all_finite(terms.gauss_newton))
      return std::unexpected(EvaluationFailure{"objective or gradient is not finite", "", 0.0});
    return terms;
  }

  std::expected<optimize::Evaluation, EvaluationFailure> concluded(PointEvaluation& evaluation,
                                                                   const std::vector<PriorTerm>& priors,
                                                                   Order order) const {
    auto result = terms(evaluation, priors, order);
    if (!result) return std::unexpected(std::move(result.error()));
    LeastSquares squares;
    if (evaluation.squares()) {
      squares = std::move(*evaluation.squares());
      complete_squares(problem, evaluation.x(), squares);
    }
    return optimize::Evaluation{result->fval(),
                                std::move(result->gradient),
                                std::move(result->gauss_newton),
                                std::move(squares.residuals),
                                std::move(squares.jacobian),
                                result->has_fallen_back,
                                static_cast<double>(result->n_rates)};
  }
};

Posterior::Posterior(Problem problem, std::vector<jit::ModelCode> codes, const PosteriorOptions& options)
    : impl_(std::make_unique<Impl>(std::move(problem), std::move(codes), options)) {}
Posterior::~Posterior() = default;

std::size_t Posterior::size() const { return impl_->problem.parameters.size(); }
std::span<const double> Posterior::lower_bounds() const { return impl_->lower; }
std::span<const double> Posterior::upper_bounds() const { return impl_->upper; }
std::size_t Posterior::n_shares() const { return impl_->shares.size(); }
std::size_t Posterior::points_at_once() const {
  std::size_t most = 1;
  for (const auto& part : impl_->parts) {
    const std::size_t n = part->shares().size();
    if (n > 0) most = std::max(most, (part->jobs_at_once() + n - 1) / n);
  }
  return most;
}
void Posterior::set_carrier(ShareCarrier carrier) { impl_->carrier = std::move(carrier); }
void Posterior::set_interrupt(std::function<bool()> interrupt) { impl_->interrupt = std::move(interrupt); }
Sensitivities Posterior::sensitivities() const { return impl_->sensitivities; }
const Problem& Posterior::problem() const { return impl_->problem; }

std::expected<Terms, EvaluationFailure> Posterior::assess(std::span<const double> x, Order order,
                                                          Details* details) {
  const auto priors = impl_->priors(x);
  if (!priors) return std::unexpected(priors.error());
  if (details) {
    *details = {std::vector<SimulationStatus>(impl_->n_simulations), std::vector<double>(impl_->n_data),
                std::vector<double>(impl_->n_data)};
  }
  PointEvaluation evaluation(impl_->problem, x, details);
  impl_->gather(std::span(&evaluation, 1), order);
  return impl_->terms(evaluation, *priors, order);
}

ShareOutcomes Posterior::evaluate_shares(std::span<const double> x, Order order,
                                         std::span<const std::size_t> shares) {
  ShareOutcomes outcomes;
  PointEvaluation evaluation(impl_->problem, x);
  if (order == Order::least_squares) evaluation.keep_squares(impl_->no_squares());
  outcomes.sums.resize(shares.size());
  outcomes.seconds.resize(shares.size());
  evaluation.keep_each(outcomes.sums);
  impl_->carry_out(std::span(&evaluation, 1), shares, order, outcomes.seconds);
  if (const std::size_t failed = evaluation.first_failed(); failed < shares.size()) {
    outcomes.failure = evaluation.take_sums().error();
    outcomes.sums.resize(failed);
    outcomes.seconds.resize(failed + 1);
  }
  outcomes.has_fallen_back = evaluation.has_fallen_back();
  if (evaluation.squares()) outcomes.squares = std::move(*evaluation.squares());
  return outcomes;
}

std::string Posterior::why_no_least_squares() const { return estimate::why_no_least_squares(impl_->problem); }

std::expected<optimize::Evaluation, EvaluationFailure> Posterior::evaluate(std::span<const double> x,
                                                                           Order order) {
  const std::vector<double> point(x.begin(), x.end());
  return std::move(evaluate_all(std::span(&point, 1), order).front());
}

std::vector<std::expected<optimize::Evaluation, EvaluationFailure>> Posterior::evaluate_all(
    std::span<const std::vector<double>> points, Order order) {
  assert(order < Order::least_squares || why_no_least_squares().empty());
  std::vector<std::expected<std::vector<PriorTerm>, EvaluationFailure>> priors;
  std::vector<PointEvaluation> evaluations;  // of the points that priors allow
  for (const auto& x : points) {
    priors.push_back(impl_->priors(x));
    if (!priors.back()) continue;
    evaluations.emplace_back(impl_->problem, x);
    if (order == Order::least_squares) evaluations.back().keep_squares(impl_->no_squares());
  }
  if (!evaluations.empty()) impl_->gather(evaluations, order);
  std::vector<std::expected<optimize::Evaluation, EvaluationFailure>> results;
  auto evaluation = evaluations.begin();
  for (const auto& prior : priors)
    results.push_back(prior ? impl_->concluded(*evaluation++, *prior, order)
                            : std::unexpected(prior.error()));
  return results;
}

}  // namespace kinetune::estimate
