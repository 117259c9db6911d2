#pragma once

#include <optional>
#include <string>
#include <vector>

#include "estimate/noise.hpp"
#include "estimate/prepared_simulation.hpp"
#include "jit/compiled_model.hpp"
#include "simulate/integrator.hpp"

namespace kinetune::estimate {

/// Sums over the data of some simulations, by the estimated parameters' linear values.
struct LikelihoodSums {
  double nllh = 0;
  double chi2 = 0;
  std::vector<double> gradient;      ///< (n_x); empty if not asked for
  std::vector<double> gauss_newton;  ///< (n_x, n_x), the lower triangle; empty if not asked for
  long n_rates = 0;                  ///< evaluations of the rates that it took

  void clear();  ///< zeros; the sizes stay
  bool has_finite_derivatives() const;
  /// @param other  of the same sizes
  LikelihoodSums& operator+=(const LikelihoodSums& other);
};

/// Residuals of normal noise: nllh is a constant and |residuals|^2 / 2, by the estimated parameters' linear
/// values. Each measurement has its weighted difference and, where its noise sigma is estimated, also sqrt(2
/// log(sigma) + 50), as AMICI does it (real for any sigma above 1.4e-11); rows in the order of the
/// measurement table, all of the first kind before all of the second.
struct LeastSquares {
  std::vector<double> residuals;  ///< (n_residuals)
  std::vector<double> jacobian;   ///< (n_residuals, n_x) row-major
};

/// Where what is simulated of single measurements goes, beside the sums.
struct SimulatedData {
  double* values = nullptr;               ///< (n_measurements) or nullptr
  double* noise = nullptr;                ///< likewise
  LeastSquares* least_squares = nullptr;  ///< of size already, zeros; Mode::forward
};

/// Compares a trajectory with a period's data as it comes along.
class Likelihood final : public simulate::Sink {
 public:
  /// @param columns   which estimated parameter each column of sensitivities is by
  /// @param x_linear  (n_x) values of the estimated parameters
  Likelihood(const jit::CompiledModel&, const Part&, const PreparedPeriod&, std::span<const int> columns,
             std::span<const double> prelude, std::span<const double> x_linear, simulate::Mode,
             LikelihoodSums&, const SimulatedData&);

  void at(std::size_t time_index, std::span<const double> x, std::span<const double> sensitivities,
          std::span<double> cotangent) override;

  /// Why the data cannot be compared, if so: the observable that has no density, at its first time.
  const std::optional<std::string>& failure() const { return failure_; }
  double failure_time() const { return failure_time_; }

  /// The first time by which the gradient, or a cotangent, had numbers that are not finite, if so.
  const std::optional<double>& overflow_time() const { return overflow_time_; }

 private:
  void compare(const DataPoint&, double t, std::span<const double> x, std::span<const double> sensitivities,
               std::span<double> cotangent);
  void total_derivative(const jit::ObservableLayout::Gradient&, const double* values, const DataPoint&,
                        std::span<const double> sensitivities, std::vector<double>& by_x) const;
  void add_cotangent(const jit::ObservableLayout::Gradient&, const double* values, double factor,
                     std::span<double> cotangent) const;
  void add_to_gauss_newton(double weight, const std::vector<double>& by_x);
  void add_residuals(const DataPoint&, const NoiseTerm&, double sigma);

  const jit::CompiledModel& model_;
  const Part& part_;
  const PreparedPeriod& prepared_;
  std::span<const int> columns_;
  std::span<const double> prelude_, x_linear_;
  simulate::Mode mode_;
  LikelihoodSums& sums_;
  SimulatedData data_;
  std::optional<std::string> failure_;
  double failure_time_ = 0;
  std::optional<double> overflow_time_;
  std::vector<double> kernel_out_, placeholders_;
  std::vector<double> value_by_x_, noise_by_x_;  // (n_x) total derivatives of one data point
};

}  // namespace kinetune::estimate
