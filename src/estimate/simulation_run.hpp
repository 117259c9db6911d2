#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "estimate/likelihood.hpp"
#include "estimate/prepared_simulation.hpp"
#include "jit/compiled_model.hpp"
#include "simulate/past.hpp"
#include "simulate/steady_state.hpp"

namespace kinetune::estimate {

/// How one simulation went.
struct SimulationStatus {
  enum class Outcome {
    ok,
    not_integrated,  ///< the integration stopped early
    no_forward,      ///< simulated, but forward sensitivities give derivatives that are not finite
    no_adjoint,      ///< simulated, but the way back stopped early, or gives such derivatives
    no_density,      ///< simulated, but a measurement has no likelihood: a negative value has no logarithm
  };

  std::string condition_id;
  Outcome outcome = Outcome::ok;
  std::string failure;  ///< the reason; empty if all went well
  double time = 0;      ///< model time of the failure, or of the end
  simulate::Statistics statistics;
  std::string state = {};  ///< the one to blame for a failure; empty where none is
};

/// Carries the simulations of a part out: pre-equilibration, period after period, the steady state at the end
/// if data ask for it; and the way back. Periods and what follows them are one simulation, in which triggers
/// and pending events go on; after a pre-equilibration begins another one. A pre-equilibration that several
/// simulations share is done once for them.
class SimulationRun {
 public:
  /// @param model, part  must outlive the object
  SimulationRun(const jit::CompiledModel& model, const Part& part, const simulate::IntegratorOptions&);
  /// @param integrator  of the model, with the same options
  SimulationRun(const jit::CompiledModel& model, const Part& part, const simulate::IntegratorOptions&,
                std::unique_ptr<simulate::Integrator> integrator);
  SimulationRun(const SimulationRun&) = delete;

  const std::vector<Share>& shares() const { return preparation_.shares; }
  std::size_t most_columns() const;  ///< of sensitivities that a simulation has

  /// Adds what the data of a share say. It depends on nothing that was carried out before.
  /// @param x_linear  (n_x) values of the estimated parameters
  /// @param statuses  (n_simulations of the part), of which the share's are set; or empty. With them, a
  ///                  simulation that fails does not keep the others from being tried.
  /// @returns how the first simulation went that failed, if one did
  std::expected<void, SimulationStatus> add(const Share&, std::span<const double> x_linear, simulate::Mode,
                                            LikelihoodSums&, SimulatedData,
                                            std::span<SimulationStatus> statuses);

 private:
  using Done = std::expected<void, simulate::IntegrationFailure>;

  /// Parameters, and what the kernels make of them.
  struct Values {
    std::vector<double> parameters, prelude;
  };
  /// The pre-equilibration of a share.
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
  SimulationStatus add(const PreparedSimulation&, LikelihoodSums&, SimulatedData);
  SimulationStatus add_preequilibration(LikelihoodSums&);
  Equilibrium& equilibrium();
  Done equilibrate(Equilibrium&);
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
  const Part& part_;
  Preparation preparation_;
  std::unique_ptr<simulate::Integrator> integrator_;
  simulate::SteadyStates steady_states_;

  // Of one share.
  std::span<const double> x_linear_;
  simulate::Mode mode_ = simulate::Mode::states;
  const PreparedSimulation* preequilibration_ = nullptr;  // nullptr: none
  std::optional<Equilibrium> equilibrium_;                // as soon as it was looked for

  // Of one simulation.
  std::vector<double> sizes_;  // (n_columns)
  std::vector<double> states_, sensitivities_, adjoint_, gradient_;
  std::vector<Values> values_;  // by period
  std::vector<simulate::Segment> segments_;
  std::vector<simulate::Past> pasts_;     // by period, at its end
  std::vector<std::vector<Jump>> jumps_;  // by period, at its start
  std::optional<simulate::SteadyPoint> settled_;
  std::vector<double> settled_cotangent_;  // (n_states)
};

}  // namespace kinetune::estimate
