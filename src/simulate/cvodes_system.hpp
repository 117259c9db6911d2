#pragma once

#include <functional>
#include <limits>
#include <optional>
#include <vector>

#include "simulate/crossing_finder.hpp"
#include "simulate/cvodes_corrector.hpp"
#include "simulate/delay_history.hpp"
#include "simulate/integrator.hpp"
#include "simulate/linear_solver.hpp"
#include "simulate/state_path.hpp"

namespace kinetune::simulate {

/// Failures come back as flags and are reported by us.
void silence(void* cvode);

/// Below it CVODES gives up: with steps of 0 it takes any time for reached (6.4.1). It is so short, a unit in
/// the last place of one in the duration, that it stops nothing that goes on. Sets no longest step.
void set_least_step(void* cvode, double duration);

/// How a CVODES return code reads to our users.
IntegrationError integration_error(int cvodes_flag);

/// A CVODES instance for the model's states with a fixed number of sensitivities, made once and started anew
/// for each segment.
class CvodesSystem {
 public:
  CvodesSystem(const jit::CompiledModel&, const IntegratorOptions&, int n_sensitivities, DelayHistory&);
  CvodesSystem(const CvodesSystem&) = delete;
  CvodesSystem& operator=(const CvodesSystem&) = delete;

  /// Takes the values at the segment's start. The segment must live until its end is reached.
  std::expected<void, IntegrationFailure> start(const Segment&, std::span<const double> x,
                                                std::span<const double> sensitivities);

  using Visit = std::function<void(std::size_t index, std::span<double> x, std::span<double> sensitivities)>;

  /// Integrates to the segment's end or to where a switch changes, and visits the times on the way.
  /// Afterwards states() and sensitivities() are those at the time reached, which it returns.
  /// @param path  where all steps are added, if given
  std::expected<double, IntegrationFailure> follow(std::span<const double> times, const Visit&,
                                                   StatePath* path = nullptr);

  std::span<double> states();
  std::span<double> sensitivities();
  const Segment& segment() const { return *segment_; }
  const jit::CompiledModel& model() const { return model_; }
  void* cvode() const { return cvode_.get(); }
  _SUNContext* context() const { return context_.get(); }
  /// Asks IntegratorOptions::interrupt, not at every call; once true, so until the next start.
  bool is_interrupted();
  Statistics take_statistics();

 private:
  static int rates(double t, _generic_N_Vector* y, _generic_N_Vector* derivative, void* system);
  static int jacobian(double t, _generic_N_Vector* y, _generic_N_Vector* derivative, _generic_SUNMatrix*,
                      void* system, _generic_N_Vector*, _generic_N_Vector*, _generic_N_Vector*);
  static int error_weights(_generic_N_Vector* y, _generic_N_Vector* weights, void* system);

  void weigh(const double* y, double* weights) const;
  void choose_active();
  std::expected<double, IntegrationFailure> follow_times(std::span<const double> times, const Visit&);
  std::expected<double, IntegrationFailure> follow_steps(std::span<const double> times, const Visit&,
                                                         StatePath*);
  void add_to(StatePath&, double t);
  const double* interpolate(double t);
  const double* with_delays(double t, const double* x);
  void remember_step(double from, double to);
  void limit_step(double t);
  const double* prelude_as_written(double t, const double* x);
  void evaluate_rates(double t, const double* y, const double* prelude, double* derivative);
  void sensitivity_rates(const double* s, double* derivative) const;
  std::expected<void, IntegrationFailure> check(int flag);
  IntegrationFailure failure(int flag);
  template <class Evaluate>
  bool have_values(double t, const double* x, std::span<double> rates, const Evaluate&);
  bool have_rates(double t, const double* x);
  int first_not_finite(std::span<const double> rates) const;
  int largest_error();

  struct Entry {
    int value;   ///< index into rates_by_parameter
    int target;  ///< index into the sensitivities
  };

  const jit::CompiledModel& model_;
  const IntegratorOptions& options_;
  int n_sensitivities_;
  const Segment* segment_ = nullptr;
  std::vector<double> derivatives_;    // of CompiledModel::rates_and_derivatives
  std::vector<Entry> active_entries_;  // of rates_by_parameter, those of active parameters
  std::vector<double> inverse_sizes_;  // (n_sensitivities) absolute
  std::unique_ptr<Factorisation> factors_;
  UniqueContext context_;
  UniqueVector y_, between_;  // at the step's end, and within the step
  UniqueMatrix matrix_;
  UniqueLinearSolver linear_solver_;
  std::optional<CvodesCorrector> corrector_;
  UniqueCvode cvode_;  // last, so that it goes first
  Statistics statistics_;
  struct {
    double time = std::numeric_limits<double>::quiet_NaN();
    int state = -1;
  } unfit_;  // where rates have last had no value
  bool interrupted_ = false;
  unsigned calls_ = 0;    // of is_interrupted
  long steps_taken_ = 0;  // in this segment
  CrossingFinder crossings_;
  DelayHistory& history_;
  std::vector<double> delayed_x_, step_;     // states with delayed values; derivatives of a step
  std::vector<double> prelude_, arguments_;  // for prelude_as_written
};

}  // namespace kinetune::simulate
