#pragma once

#include <cmath>
#include <functional>
#include <limits>
#include <numbers>
#include <utility>
#include <vector>

#include "optimize/objective.hpp"

namespace kinetune::optimize {

/// Residuals r and their Jacobian J (n_residuals, n_x), row-major.
struct Residuals {
  std::vector<double> values;
  std::vector<double> jacobian;
};

/// fval = constant + r·r / 2 with its exact gradient and Gauss-Newton Hessian. Remembers every point that it
/// was asked for.
class LeastSquares final : public Objective {
 public:
  using Model = std::function<Residuals(std::span<const double>)>;
  using Region = std::function<bool(std::span<const double>)>;

  LeastSquares(std::vector<double> lower, std::vector<double> upper, Model model)
      : lower_(std::move(lower)), upper_(std::move(upper)), model_(std::move(model)) {}

  std::size_t size() const override { return lower_.size(); }
  std::span<const double> lower_bounds() const override { return lower_; }
  std::span<const double> upper_bounds() const override { return upper_; }

  std::expected<Evaluation, EvaluationFailure> evaluate(std::span<const double> x, Order order) override {
    asked.emplace_back(x.begin(), x.end());
    orders.push_back(order);
    if (fails(x)) return std::unexpected(EvaluationFailure{"too many steps", "condition_1", 12.5});
    const auto [r, jacobian] = model_(x);
    Evaluation result{};
    result.fval = constant;
    for (const double value : r) result.fval += value * value / 2;
    if (order >= Order::gradient) add_derivatives(r, jacobian, result);
    if (order >= Order::least_squares) {
      result.residuals = r;
      result.jacobian = jacobian;
    }
    if (is_nan(x)) result.gradient.front() = std::numeric_limits<double>::quiet_NaN();
    return result;
  }

  std::string why_no_least_squares() const override { return {}; }

  double constant = 0;
  Region fails = [](auto) { return false; };   ///< where there is no value
  Region is_nan = [](auto) { return false; };  ///< where the gradient has a NaN
  std::vector<std::vector<double>> asked;
  std::vector<Order> orders;

 private:
  void add_derivatives(const std::vector<double>& r, const std::vector<double>& jacobian,
                       Evaluation& result) const {
    const std::size_t n = size();
    result.gradient.resize(n);
    result.gauss_newton.resize(n * n);
    for (std::size_t k = 0; k < r.size(); ++k)
      for (std::size_t i = 0; i < n; ++i) {
        result.gradient[i] += jacobian[k * n + i] * r[k];
        for (std::size_t j = 0; j < n; ++j)
          result.gauss_newton[i * n + j] += jacobian[k * n + i] * jacobian[k * n + j];
      }
  }

  std::vector<double> lower_, upper_;
  Model model_;
};

/// Rosenbrock's valley in pairs (x_0, x_1), (x_2, x_3), …; 0 at (1, 1, …).
inline Residuals rosenbrock(std::span<const double> x) {
  const std::size_t n = x.size();
  Residuals out{std::vector<double>(n), std::vector<double>(n * n)};
  for (std::size_t i = 0; i + 1 < n; i += 2) {
    out.values[i] = 10 * (x[i + 1] - x[i] * x[i]);
    out.values[i + 1] = 1 - x[i];
    out.jacobian[i * n + i] = -20 * x[i];
    out.jacobian[i * n + i + 1] = 10;
    out.jacobian[(i + 1) * n + i] = -1;
  }
  return out;
}

/// Sum of decays a_i exp(-k_i t) at 24 times from 0.25 to 6 against the same at `truth`; x = log10 of (a_0,
/// k_0, a_1, …). Sloppy: with three decays of near rates the Hessian's condition number exceeds 1e8.
inline LeastSquares::Model decays(std::vector<double> truth) {
  return [truth = std::move(truth)](std::span<const double> x) {
    const std::size_t n = x.size();
    constexpr std::size_t n_times = 24;
    Residuals out{std::vector<double>(n_times), std::vector<double>(n_times * n)};
    for (std::size_t k = 0; k < n_times; ++k) {
      const double t = 0.25 * static_cast<double>(k + 1);
      for (std::size_t i = 0; i < n; i += 2) {
        const double rate = std::pow(10, x[i + 1]), term = std::pow(10, x[i]) * std::exp(-rate * t);
        out.values[k] += term - std::pow(10, truth[i]) * std::exp(-std::pow(10, truth[i + 1]) * t);
        out.jacobian[k * n + i] = std::numbers::ln10 * term;
        out.jacobian[k * n + i + 1] = -std::numbers::ln10 * term * rate * t;
      }
    }
    return out;
  };
}

}  // namespace kinetune::optimize
