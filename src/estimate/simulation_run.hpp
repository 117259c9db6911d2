#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "estimate/likelihood.hpp"
#include "estimate/prepared_simulation.hpp"
#include "jit/compiled_model.hpp"
#include "simulate/steady_state.hpp"

namespace kinetune::estimate {

/// How one simulation went.
struct SimulationStatus {
  enum class Outcome {
    ok,
    not_integrated,  ///< the integration stopped early
    no_adjoint,      ///< simulated, but the way back stopped early
    no_density,      ///< simulated, but a measurement has no likelihood: a negative value has no logarithm
  };

  std::string condition_id;
  Outcome outcome = Outcome::ok;
  std::string failure;  ///< the reason; empty if all went well
  double time = 0;      ///< model time of the failure, or of the end
  simulate::Statistics statistics;
  std::string state = {};  ///< the one to blame for a failure; empty where none is
};

/// Carries the simulations of a problem out: pre-equilibration, period after period, the steady state at the
/// end if data ask for it; and the way back. A pre-equilibration that several simulations share is done once
/// in an evaluation.
class SimulationRun {
 public:
  /// @param model, problem  must outlive the object
  SimulationRun(const jit::CompiledModel& model, const Problem& problem, const simulate::IntegratorOptions&);
  SimulationRun(const SimulationRun&) = delete;

  const std::vector<PreparedSimulation>& simulations() const { return preparation_.simulations; }
  std::size_t most_columns() const;  ///< of sensitivities that a simulation has

  /// Begins an evaluation.
  /// @param x_linear  (n_x) values of the estimated parameters; must stay until the end of the evaluation
  void start(std::span<const double> x_linear, simulate::Mode);

  /// Adds what the data of one simulation say.
  SimulationStatus add(const PreparedSimulation&, LikelihoodSums&, SimulatedData);

  /// Adds what the gradient owes to the pre-equilibrations: after all simulations, Mode::adjoint.
  /// @returns how it went, of the first simulation that shares what fails
  std::expected<void, SimulationStatus> add_preequilibrations(LikelihoodSums&);

 private:
  using Done = std::expected<void, simulate::IntegrationFailure>;

  /// Parameters, and what the kernels make of them.
  struct Values {
    std::vector<double> parameters, prelude;
  };
  /// A pre-equilibration in this evaluation.
  struct Equilibrium {
    Values values;
    std::expected<simulate::SteadyPoint, simulate::IntegrationFailure> point;
    std::vector<double> sensitivities;  ///< (n_states, n_columns); empty unless Mode::forward
    std::vector<double> adjoint;        ///< (n_states) sum over the simulations
  };
  /// One reset as it was carried out.
  struct Jump {
    const Reset* reset;
    const PreparedPeriod* before;  ///< whose parameters count
    double value;
    std::vector<double> derivatives;  ///< as the formula's layout has them
  };

  Values values_of(const Period&) const;
  simulate::Segment segment(const PreparedPeriod&, const Values&, double start, double end) const;
  void take_sizes(std::span<const int> columns);
  Equilibrium& equilibrium(int index);
  Done equilibrate(const PreparedSimulation&, Equilibrium&);
  void begin_at_initial_values(const PreparedSimulation&, const Values&, double time);
  void begin_at(const Equilibrium&, const PreparedSimulation&);
  Done go_forward(const PreparedSimulation&, LikelihoodSums&, SimulatedData, SimulationStatus&);
  Done settle(const simulate::Segment&, Likelihood&, std::size_t time_index);
  Done go_back(const PreparedSimulation&, LikelihoodSums&);
  void reset(const PreparedPeriod&, const PreparedPeriod& before, const Values& values_before,
             std::span<const int> columns);
  void reset_back(const std::vector<Jump>&, LikelihoodSums&);
  void add_initial_values(const PreparedSimulation&, const Values&, double time,
                          std::span<const double> adjoint, LikelihoodSums&) const;

  const jit::CompiledModel& model_;
  const Problem& problem_;
  Preparation preparation_;
  std::unique_ptr<simulate::Integrator> integrator_;
  simulate::SteadyStates steady_states_;

  // Of one evaluation.
  std::span<const double> x_linear_;
  simulate::Mode mode_ = simulate::Mode::states;
  std::vector<std::unique_ptr<Equilibrium>> equilibria_;

  // Of one simulation.
  std::vector<double> sizes_;  // (n_columns)
  std::vector<double> states_, sensitivities_, adjoint_, gradient_;
  std::vector<Values> values_;  // by period
  std::vector<simulate::Segment> segments_;
  std::vector<std::vector<Jump>> jumps_;  // by period, at its start
  std::optional<simulate::SteadyPoint> settled_;
  std::vector<double> settled_cotangent_;  // (n_states)
};

}  // namespace kinetune::estimate
