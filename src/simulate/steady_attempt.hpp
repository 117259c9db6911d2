#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "simulate/past.hpp"
#include "simulate/steady_state.hpp"

namespace kinetune::simulate {

/// Newton's method on its way.
struct SteadyStates::Attempt {
  const Segment& segment;
  double time;                    ///< at which rates are taken
  double threshold;               ///< of the system's rank
  std::span<const double> start;  ///< where conserved quantities are what they are
  std::vector<double> x, step, rates, jacobian;
  std::vector<double> floors;  ///< (n_states) what rounding errors of the rates move the solution by
  std::unique_ptr<SteadySystem> system = {};
};

/// As far as it has been followed.
struct SteadyStates::Trajectory {
  std::vector<double> x;
  double time;
  double horizon;                 ///< later than which it is not followed in any case
  std::optional<Past> past = {};  ///< none: of the segment
};

inline constexpr double infinity = std::numeric_limits<double>::infinity();

// By which stretches of time grow.
inline constexpr double stretch_growth = 10.0;

// Sums that vanish but for rounding errors, as a share of the sum of absolute values.
inline constexpr double vanishing = 1e-9;

inline bool all_finite(std::span<const double> values) {
  return std::ranges::all_of(values, [](double v) { return std::isfinite(v); });
}

struct NoData final : Sink {
  void at(std::size_t, std::span<const double>, std::span<const double>, std::span<double>) override {}
};

/// What an integration that fails on the way means: a trajectory that does not end or leaves all bounds has
/// no steady state.
inline IntegrationFailure on_the_way(IntegrationFailure failure) {
  const bool never_settles =
      failure.error == IntegrationError::too_many_steps || failure.error == IntegrationError::unbounded;
  if (never_settles) failure.error = IntegrationError::no_steady_state;
  return failure;
}

}  // namespace kinetune::simulate
