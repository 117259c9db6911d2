#include "simulate/constraints.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace kinetune::simulate {
namespace {

constexpr double epsilon = std::numeric_limits<double>::epsilon();

// A residual below so many rounding errors of its terms is zero.
constexpr double roundings = 64;
constexpr int max_steps = 100, max_halvings = 100;

// Where signs are looked at: from this share of the value on, at distances that grow by this factor.
constexpr double first_distance = 1e-3, growth = 1.25;
constexpr int n_distances = 250;

// A change of sign at which the residual is not much smaller than beside it is a pole or a jump.
constexpr double much_smaller = 1e-6;

}  // namespace

/// Where one of the constraints is to be solved.
struct Constraints::Place {
  int constraint;
  double t;
  double* x;
  const double* prelude;
};

Constraints::Constraints(const jit::CompiledModel& model)
    : model_(model), values_(3 * model.code().constraints.size()), held_(values_.size()) {}

void Constraints::hold(double t, const double* x, const double* prelude) {
  model_.constraints(t, x, prelude, held_.data());
}

bool Constraints::touched(double t, const double* x, const double* prelude) {
  model_.constraints(t, x, prelude, values_.data());
  for (std::size_t e = 0; e < values_.size(); e += 3) {
    if (values_[e] != held_[e]) return true;  // also where it is no number
  }
  return false;
}

std::expected<bool, int> Constraints::solve(double t, double* x, const double* prelude) {
  const auto& states = model_.code().constraints;
  bool moved = false;
  for (std::size_t k = 0; k < states.size(); ++k) {
    const Place place{static_cast<int>(k), t, x, prelude};
    double& y = x[states[k]];
    const double before = y;
    Value found = descend(place, look(place, std::isfinite(y) ? y : 1.0));
    const bool is_zero =
        std::fabs(found.residual) <= roundings * epsilon * (found.size + std::fabs(found.y * found.slope));
    if (!is_zero && !find_sign_change(place, look(place, before), found)) return std::unexpected(states[k]);
    if (!std::isfinite(found.slope) || found.slope == 0.0) return std::unexpected(states[k]);
    y = found.y;
    moved = moved || y != before;
  }
  return moved;
}

std::optional<int> Constraints::violated(double t, const double* x, const double* prelude, double share) {
  model_.constraints(t, x, prelude, values_.data());
  for (std::size_t k = 0; k < model_.code().constraints.size(); ++k) {
    const double residual = values_[3 * k], size = values_[3 * k + 1];
    if (!(std::fabs(residual) <= share * size)) return model_.code().constraints[k];
  }
  return std::nullopt;
}

Constraints::Value Constraints::look(const Place& place, double y) {
  place.x[model_.code().constraints[place.constraint]] = y;
  model_.constraints(place.t, place.x, place.prelude, values_.data());
  const double* of_this = values_.data() + 3 * place.constraint;
  return {y, of_this[0], of_this[1], of_this[2]};
}

/// Newton's method, as far down as it leads.
Constraints::Value Constraints::descend(const Place& place, Value from) {
  for (int k = 0; k < max_steps; ++k) {
    double step = -from.residual / from.slope;
    Value next = from;
    for (int h = 0; h < max_halvings && std::fabs(step) > 2 * epsilon * std::fabs(from.y); ++h, step /= 2) {
      next = look(place, from.y + step);
      if (std::fabs(next.residual) < std::fabs(from.residual)) break;
    }
    if (!(std::fabs(next.residual) < std::fabs(from.residual))) return from;
    from = next;
  }
  return from;
}

/// Looks ever further away on both sides.
bool Constraints::find_sign_change(const Place& place, Value from, Value& found) {
  if (!std::isfinite(from.y)) from = look(place, 1.0);
  Value edges[] = {from, from};
  double distance = first_distance * (from.y != 0.0 ? std::fabs(from.y) : 1.0);
  for (int k = 0; k < n_distances; ++k, distance *= growth) {
    for (const int side : {0, 1}) {
      const Value next = look(place, from.y + (side == 0 ? distance : -distance));
      const Value before = std::exchange(edges[side], next);
      if (before.residual * next.residual <= 0.0 && halve(place, before, next, found)) return true;
    }
  }
  return false;
}

/// @returns whether the residual vanishes where its sign changes between a and b
bool Constraints::halve(const Place& place, Value a, Value b, Value& found) {
  const double size = std::max(std::fabs(a.residual), std::fabs(b.residual));
  while (a.residual != 0.0 && b.residual != 0.0) {
    const Value middle = look(place, a.y + (b.y - a.y) / 2);
    if (middle.y == a.y || middle.y == b.y) break;
    const bool is_behind = std::signbit(middle.residual) == std::signbit(b.residual);
    (is_behind ? b : a) = middle;
  }
  found = std::fabs(a.residual) < std::fabs(b.residual) ? a : b;
  return std::isfinite(size) && std::fabs(found.residual) <= much_smaller * size;
}

void Constraints::append_updates(double t, const double* x, const double* prelude,
                                 std::span<const int> active, std::vector<RowUpdate>& updates) {
  const auto& [by_state, by_parameter] = model_.code().constraint_derivatives;
  const auto& states = model_.code().constraints;
  derivatives_.resize(model_.code().constraint_derivatives.size());
  model_.constraints(t, x, prelude, values_.data());
  model_.constraint_derivatives(t, x, prelude, derivatives_.data());
  const double* of_states = derivatives_.data() + by_state.n_rows;
  const double* of_parameters = of_states + by_state.n_nonzeros();
  for (int k = 0; k < by_state.n_rows; ++k) {
    const double slope = values_[3 * k + 2];
    RowUpdate::Row row{states[k], {}, {}};
    for (int i = 0; i < by_state.n_cols; ++i) {
      for (int e = by_state.column_starts[i]; e < by_state.column_starts[i + 1]; ++e)
        if (by_state.rows[e] == k && i != states[k]) row.rows.emplace_back(i, -of_states[e] / slope);
    }
    for (std::size_t c = 0; c < active.size(); ++c) {
      const int j = active[c];
      for (int e = j < 0 ? 0 : by_parameter.column_starts[j]; j >= 0 && e < by_parameter.column_starts[j + 1];
           ++e)
        if (by_parameter.rows[e] == k)
          row.parameters.emplace_back(static_cast<int>(c), -of_parameters[e] / slope);
    }
    updates.emplace_back().set(std::move(row));
  }
}

}  // namespace kinetune::simulate
