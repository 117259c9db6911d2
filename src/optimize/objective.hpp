#pragma once

#include <expected>
#include <span>
#include <string>
#include <vector>

namespace kinetune::optimize {

/// What an evaluation is asked for beyond the value. Each includes the ones before it.
enum class Order {
  value,
  gradient,
  gauss_newton,
  least_squares  ///< fval as constant + |residuals|^2 / 2; not every objective has this form
};

/// An objective that could be computed; every number in it is finite.
struct Evaluation {
  double fval;
  std::vector<double> gradient;  ///< (n_x); empty if not asked for
  /// (n_x, n_x) row-major, symmetric, positive semi-definite; empty if not asked for
  std::vector<double> gauss_newton;
  std::vector<double> residuals = {};  ///< (n_residuals), the same number everywhere; empty if not asked for
  /// (n_residuals, n_x) row-major, of the residuals; empty if not asked for
  std::vector<double> jacobian = {};
  bool has_fallen_back = false;  ///< another method than the one asked for had to compute a part of it
  double effort = 0;             ///< in a unit of the objective's own, to compare evaluations by
};

/// Why there is no value at a point. Holds no numbers that could pass for a result.
struct EvaluationFailure {
  std::string reason;      ///< a short class of reason, the same text for the same kind ("too many steps")
  std::string condition;   ///< of the estimation problem; empty where none is to blame
  double time = 0;         ///< model time reached
  std::string state = {};  ///< the state variable to blame; empty where none is
};

/// A function to be minimised within bounds. It knows nothing of how it is minimised.
class Objective {
 public:
  virtual ~Objective() = default;

  virtual std::size_t size() const = 0;                      ///< n_x
  virtual std::span<const double> lower_bounds() const = 0;  ///< (n_x), may be -inf
  virtual std::span<const double> upper_bounds() const = 0;  ///< (n_x), may be +inf
  /// What keeps the objective from being evaluated with Order::least_squares; empty where nothing does.
  virtual std::string why_no_least_squares() const { return "the objective is no sum of squares"; }

  /// @param x  (n_x), on the scale of the bounds
  virtual std::expected<Evaluation, EvaluationFailure> evaluate(std::span<const double> x, Order) = 0;

  /// The same at several points. It may cost less than one by one, and says the same.
  /// @param points  (n_x) each
  virtual std::vector<std::expected<Evaluation, EvaluationFailure>> evaluate_all(
      std::span<const std::vector<double>> points, Order order) {
    std::vector<std::expected<Evaluation, EvaluationFailure>> results;
    for (const auto& x : points) results.push_back(evaluate(x, order));
    return results;
  }
};

}  // namespace kinetune::optimize
