#include "optimize/differences.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

namespace kinetune::optimize {
namespace {

constexpr int max_steps = 8;
constexpr double shrinkage = 2.0;
constexpr double good_enough = 1e-8;  // relative

}  // namespace

std::expected<Difference, EvaluationFailure> central_difference(Objective& objective,
                                                                std::span<const double> x, std::size_t i,
                                                                double first_step) {
  std::vector<double> at(x.begin(), x.end());
  EvaluationFailure failure{"fewer than two steps", "", 0.0};
  const auto quotient = [&](double step) -> std::optional<double> {
    at[i] = x[i] + step;
    const double right = at[i];
    const auto above = objective.evaluate(at, Order::value);
    at[i] = x[i] - step;
    const auto below = objective.evaluate(at, Order::value);
    if (above && below) return (above->fval - below->fval) / (right - at[i]);
    failure = above ? below.error() : above.error();
    return {};
  };

  Difference best{0.0, std::numeric_limits<double>::infinity(), 0.0};
  std::vector<double> last;  // row of the tableau, by order of extrapolation
  double step = first_step;
  for (int n = 0; n < max_steps; ++n, step /= shrinkage) {
    const auto first = quotient(step);
    if (!first) {
      last.clear();
      continue;
    }
    std::vector<double> row{*first};
    double factor = shrinkage * shrinkage;
    for (const double before : last) {
      const double better = (row.back() * factor - before) / (factor - 1.0);
      const double error = std::max(std::fabs(better - row.back()), std::fabs(better - before));
      row.push_back(better);
      if (error < best.error) best = {better, error, step};
      factor *= shrinkage * shrinkage;
    }
    last = std::move(row);
    if (best.error <= good_enough * std::fabs(best.value)) break;
  }
  if (std::isinf(best.error)) return std::unexpected(std::move(failure));
  return best;
}

}  // namespace kinetune::optimize
