#pragma once

#include <optional>
#include <string>
#include <vector>

#include "estimate/noise.hpp"
#include "estimate/prepared_simulation.hpp"
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

/// Compares a trajectory with a period's data as it comes along.
class Likelihood final : public simulate::Sink {
 public:
  /// @param columns   which estimated parameter each column of sensitivities is by
  /// @param x_linear  (n_x) values of the estimated parameters
  /// @param values, noise  (n_measurements) to be filled in, or nullptr
  Likelihood(const jit::CompiledModel&, const Problem&, const PreparedPeriod&, std::span<const int> columns,
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
  const PreparedPeriod& prepared_;
  std::span<const int> columns_;
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
