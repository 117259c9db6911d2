#include "optimize/differences.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

namespace kinetune::optimize {
namespace {

constexpr int max_steps = 14;
constexpr double shrinkage = 2.0;
constexpr double good_enough = 1e-8;   // relative
constexpr std::size_t max_orders = 3;  // more would amplify noise

/// The next row of the tableau.
std::vector<double> extrapolated(double quotient, const std::vector<double>& last) {
  std::vector<double> row{quotient};
  double factor = shrinkage * shrinkage;
  for (std::size_t k = 0; k < last.size() && row.size() < max_orders; ++k) {
    row.push_back((row.back() * factor - last[k]) / (factor - 1.0));
    factor *= shrinkage * shrinkage;
  }
  return row;
}

}  // namespace

std::expected<Difference, EvaluationFailure> central_difference(Objective& objective,
                                                                std::span<const double> x, std::size_t i,
                                                                double first_step) {
  std::vector<double> at(x.begin(), x.end());
  EvaluationFailure failure{"fewer than three steps", "", 0.0};
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
  std::vector<double> row;                           // of the tableau, by order of extrapolation
  std::vector<std::pair<double, double>> estimates;  // (value, step) of rows that follow each other
  double step = first_step;
  for (int n = 0; n < max_steps; ++n, step /= shrinkage) {
    const auto quotient_here = quotient(step);
    if (!quotient_here) {
      row.clear();
      estimates.clear();
      continue;
    }
    row = extrapolated(*quotient_here, row);
    estimates.emplace_back(row.back(), step);
    if (estimates.size() < 3) continue;
    // An estimate counts for what both its neighbours confirm: two may agree by chance.
    const auto& [value, own_step] = estimates.end()[-2];
    const double error =
        std::max(std::fabs(value - estimates.end()[-3].first), std::fabs(value - estimates.end()[-1].first));
    if (error < best.error) best = {value, error, own_step};
    if (best.error <= good_enough * std::fabs(best.value)) break;
  }
  if (std::isinf(best.error)) return std::unexpected(std::move(failure));
  return best;
}

}  // namespace kinetune::optimize
