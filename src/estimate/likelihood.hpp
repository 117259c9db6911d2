#pragma once

#include <optional>
#include <string>
#include <vector>

#include "estimate/noise.hpp"
#include "estimate/problem.hpp"
#include "jit/compiled_model.hpp"
#include "simulate/integrator.hpp"

namespace kinetune::estimate {

/// Sums over the data of all simulations, by the estimated parameters' linear values.
struct LikelihoodSums {
  double nllh = 0;
  double chi2 = 0;
  std::vector<double> gradient;      ///< (n_x); empty if not asked for
  std::vector<double> gauss_newton;  ///< (n_x, n_x), the lower triangle; empty if not asked for
};

/// A simulation with what does not change between evaluations.
struct PreparedSimulation {
  const Simulation* simulation;
  std::vector<int> active;  ///< differentiated parameters that states depend on and that are estimated here
  std::vector<int> active_estimated;    ///< (n_active) which estimated parameter each is
  std::vector<int> estimated_of;        ///< (n_differentiated) the same for all; -1: none
  std::vector<std::size_t> first_data;  ///< (n_times + 1) data of time i: [first_data[i], first_data[i + 1])
};

PreparedSimulation prepare(const Simulation&, const jit::ModelCode&);

/// Compares a trajectory with a simulation's data as it comes along.
class Likelihood final : public simulate::Sink {
 public:
  /// @param x_linear  (n_x) values of the estimated parameters
  /// @param values, noise  (n_measurements) to be filled in, or nullptr
  Likelihood(const jit::CompiledModel&, const Problem&, const PreparedSimulation&,
             std::span<const double> prelude, std::span<const double> x_linear, simulate::Mode,
             LikelihoodSums&, double* values, double* noise);

  void at(std::size_t time_index, std::span<const double> x, std::span<const double> sensitivities,
          std::span<double> cotangent) override;

  /// Why the data cannot be compared, if so: the observable that has no density, at its first time.
  const std::optional<std::string>& failure() const { return failure_; }
  double failure_time() const { return failure_time_; }

 private:
  void compare(const DataPoint&, double t, std::span<const double> x, std::span<const double> sensitivities,
               std::span<double> cotangent);
  void total_derivative(const jit::ObservableLayout::Gradient&, const double* values, const DataPoint&,
                        std::span<const double> sensitivities, std::vector<double>& by_x) const;
  void add_cotangent(const jit::ObservableLayout::Gradient&, const double* values, double factor,
                     std::span<double> cotangent) const;
  void add_to_gauss_newton(double weight, const std::vector<double>& by_x);

  const jit::CompiledModel& model_;
  const Problem& problem_;
  const PreparedSimulation& prepared_;
  std::span<const double> prelude_, x_linear_;
  simulate::Mode mode_;
  LikelihoodSums& sums_;
  double* values_;
  double* noise_;
  std::optional<std::string> failure_;
  double failure_time_ = 0;
  std::vector<double> kernel_out_, placeholders_;
  std::vector<double> value_by_x_, noise_by_x_;  // (n_x) total derivatives of one data point
};

}  // namespace kinetune::estimate
