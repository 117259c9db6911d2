#pragma once

#include <functional>
#include <limits>
#include <memory>
#include <optional>

#include "estimate/problem.hpp"
#include "estimate/simulation_run.hpp"
#include "jit/compiled_model.hpp"
#include "optimize/objective.hpp"
#include "simulate/integrator.hpp"

namespace kinetune::estimate {

enum class Sensitivities { automatic, forward, adjoint };

/// What to do about an evaluation that fails, at the same tolerances.
enum class Fallback {
  none,
  other_methods  ///< CVODES where a Rosenbrock method fails; forward sensitivities where an adjoint fails,
                 ///< and an adjoint where they overflow
};

struct PosteriorOptions {
  simulate::IntegratorOptions integrator;
  Sensitivities sensitivities =
      Sensitivities::automatic;  ///< automatic: adjoint where there are many parameters
  /// Wall time of one evaluation, after which it fails. Results then depend on the machine.
  double max_seconds = std::numeric_limits<double>::infinity();
  Fallback fallback = Fallback::other_methods;
};

/// What the simulations said beside the objective, for reports.
struct Details {
  std::vector<SimulationStatus> simulations;  ///< of one part after the other
  std::vector<double> values;  ///< (n_measurements) simulated, linear, in the order of the measurement table
  std::vector<double> noise;   ///< (n_measurements) sigma
};

/// The objective and the parts it is made of. Gradients are by the parameters on their scales.
struct Terms {
  double llh = 0;                      ///< log-likelihood
  double chi2 = 0;                     ///< sum of squared residuals over sigma
  double prior = 0;                    ///< negative logarithm of the prior
  std::vector<double> gradient;        ///< (n_x) of fval; empty if not asked for
  std::vector<double> gradient_prior;  ///< (n_x) the prior's share of it
  std::vector<double>
      gauss_newton;              ///< (n_x, n_x) expected second derivative of fval; empty if not asked for
  bool has_fallen_back = false;  ///< another method had to carry a share out
  long n_rates = 0;              ///< evaluations of the rates that it took

  double fval() const { return prior - llh; }
};

/// What came of some shares of an evaluation.
struct ShareOutcomes {
  std::vector<LikelihoodSums> sums;                    ///< of each, up to the first that failed
  std::vector<double> seconds;                         ///< CPU time of each, also of the one that failed
  std::optional<optimize::EvaluationFailure> failure;  ///< of that one
  bool has_fallen_back = false;                        ///< another method had to carry one out
  LeastSquares squares;  ///< Order::least_squares: whole, zeros in the rows of other shares
};

/// Carries all shares out in their order, by whatever means; with a failure, that of the first that fails.
using ShareCarrier = std::function<ShareOutcomes(std::span<const double> x, optimize::Order)>;

/// Negative logarithm of the posterior of an estimation problem. One instance a thread.
///
/// The likelihood is a sum over shares: simulations that share a pre-equilibration, or single ones. A share
/// depends on nothing but x, and the sums of all shares are added up in their order, so that the result is
/// the same to the last bit whichever processes carry the shares out.
class Posterior final : public optimize::Objective {
 public:
  /// @param codes  of the problem's parts
  /// @throws core::Error when options contradict each other
  Posterior(Problem, std::vector<jit::ModelCode> codes, const PosteriorOptions&);
  ~Posterior() override;

  std::size_t size() const override;
  std::span<const double> lower_bounds() const override;
  std::span<const double> upper_bounds() const override;
  std::expected<optimize::Evaluation, optimize::EvaluationFailure> evaluate(std::span<const double> x,
                                                                            optimize::Order) override;
  /// Noise and priors must be normal. Order::least_squares gives residuals of the data as LeastSquares has
  /// them, and behind them one of each normal prior, by forward sensitivities.
  std::string why_no_least_squares() const override;

  std::vector<std::expected<optimize::Evaluation, optimize::EvaluationFailure>> evaluate_all(
      std::span<const std::vector<double>> points, optimize::Order) override;
  /// So many points evaluate_all is best given at once: 1 where there are no lanes, or where the shares of
  /// one point fill them.
  std::size_t points_at_once() const;

  /// The same with all that is known about it. With details, a simulation that fails does not keep the others
  /// from being tried.
  std::expected<Terms, optimize::EvaluationFailure> assess(std::span<const double> x, optimize::Order,
                                                           Details* details = nullptr);

  std::size_t n_shares() const;
  /// What the data of some shares say, in the order asked for. The first share that fails ends it.
  ShareOutcomes evaluate_shares(std::span<const double> x, optimize::Order,
                                std::span<const std::size_t> shares);
  /// Leaves the shares of evaluations to others, but for those that are asked for details.
  void set_carrier(ShareCarrier);

  /// Asked within evaluations; once true, the evaluation under way fails soon.
  void set_interrupt(std::function<bool()>);

  /// What `automatic` has come to.
  Sensitivities sensitivities() const;
  const Problem& problem() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace kinetune::estimate
