#include "optimize/differences.hpp"

#include <algorithm>
#include <array>
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
                                                                std::span<const double> x,
                                                                std::span<const double> direction,
                                                                double enough) {
  EvaluationFailure failure{"fewer than three steps", "", 0.0};
  const auto moved = [&](double s) {
    std::vector<double> at(x.begin(), x.end());
    for (std::size_t i = 0; i < x.size(); ++i) at[i] += s * direction[i];
    return at;
  };
  const auto quotient = [&](double step) -> std::optional<double> {
    const auto sides = objective.evaluate_all(std::array{moved(step), moved(-step)}, Order::value);
    for (const auto& side : sides) {
      if (side) continue;
      failure = side.error();
      return {};
    }
    return (sides[0]->fval - sides[1]->fval) / (2.0 * step);
  };

  Difference best{0.0, std::numeric_limits<double>::infinity(), 0.0};
  std::vector<double> row;                           // of the tableau, by order of extrapolation
  std::vector<std::pair<double, double>> estimates;  // (value, step) of rows that follow each other
  double step = 1.0;
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
    if (best.error <= std::max(enough, good_enough * std::fabs(best.value))) break;
  }
  if (std::isinf(best.error)) return std::unexpected(std::move(failure));
  return best;
}

}  // namespace kinetune::optimize
