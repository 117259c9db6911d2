#include "simulate/rate_rounding.hpp"
#include "simulate/steady_attempt.hpp"

namespace kinetune::simulate {
namespace {

// Newton's method converges from where its first step is below this share of the state.
constexpr double closeness = 1e-3;
constexpr int max_newton_steps = 12;

// From further away, where a step may be shortened.
constexpr int max_damped_steps = 100;
constexpr double least_factor = 1e-3;

}  // namespace

/// The system at the attempt's state, and Newton's step.
bool SteadyStates::linearise(Attempt& attempt) const {
  const std::size_t n = attempt.x.size();
  attempt.rates.resize(n);
  attempt.jacobian.resize(model_.code().jacobian.n_nonzeros());
  const double* prelude = prelude_at(attempt.segment, attempt.time, attempt.x.data());
  model_.rates(attempt.time, attempt.x.data(), prelude, attempt.rates.data());
  model_.jacobian(attempt.time, attempt.x.data(), prelude, attempt.jacobian.data());
  if (!all_finite(attempt.rates)) return false;
  find_floors(attempt);
  std::vector<double> size(n);
  for (std::size_t i = 0; i < n; ++i) size[i] = std::fabs(attempt.x[i]) + options_.atol / options_.rtol;
  attempt.system = SteadySystem::make(model_.code().jacobian, attempt.jacobian, size, attempt.threshold);
  if (!attempt.system) return false;
  solve_for_step(attempt);
  return all_finite(attempt.step);
}

void SteadyStates::find_floors(Attempt& attempt) const {
  const jit::Pattern& pattern = model_.code().jacobian;
  attempt.floors.resize(attempt.x.size());
  find_rate_rounding(1, pattern, attempt.jacobian.data(), attempt.x.data(), attempt.floors.data());
  for (int j = 0; j < pattern.n_cols; ++j) {
    double own = 0.0;
    for (int e = pattern.column_starts[j]; e < pattern.column_starts[j + 1]; ++e) {
      if (pattern.rows[e] == j) own = std::fabs(attempt.jacobian[e]);
    }
    attempt.floors[j] = own > 0.0 ? attempt.floors[j] / own : 0.0;
  }
}

/// From the rates and the system that the attempt has.
void SteadyStates::solve_for_step(Attempt& attempt) const {
  const SteadySystem& system = *attempt.system;
  attempt.step.resize(attempt.x.size());
  for (std::size_t i = 0; i < attempt.x.size(); ++i) attempt.step[i] = -attempt.rates[i];
  for (int c = 0; c < system.n_conserved(); ++c) {
    attempt.step[system.dependent()[c]] =
        system.conserved_amount(c, attempt.start) - system.conserved_amount(c, attempt.x);
  }
  system.solve(attempt.step.data());
}

/// Newton's method from a state that must be close to its solution already.
bool SteadyStates::polish(Attempt& attempt) const {
  if (!linearise(attempt)) return false;
  const int n_conserved = attempt.system->n_conserved();
  double before = norm(attempt.step, attempt.x, attempt.floors);
  if (before > closeness / options_.rtol) return false;
  for (int k = 0; k < max_newton_steps; ++k) {
    for (std::size_t i = 0; i < attempt.x.size(); ++i) attempt.x[i] += attempt.step[i];
    if (!linearise(attempt) || attempt.system->n_conserved() != n_conserved) return false;
    const double now = norm(attempt.step, attempt.x, attempt.floors);
    if (now < 1e-3) return true;
    if (now > 0.5 * before) return now < 0.1;  // rounding errors keep it from coming closer
    before = now;
  }
  return false;
}

/// Newton's method from anywhere, with steps shortened so that each brings the solution closer: the natural
/// monotonicity test (Deuflhard 2004, doi:10.1007/978-3-642-23899-4, section 3.3).
bool SteadyStates::descend(Attempt& attempt) const {
  const std::size_t n = attempt.x.size();
  if (!linearise(attempt)) return false;
  for (int k = 0; k < max_damped_steps; ++k) {
    if (norm(attempt.step, attempt.x, attempt.floors) <= closeness / options_.rtol) return polish(attempt);
    const std::vector<double> from = attempt.x, step = attempt.step;
    const auto length = [&](const std::vector<double>& change) {
      double sum = 0.0;
      for (std::size_t i = 0; i < n; ++i) {
        const double size = std::fabs(from[i]) + std::fabs(step[i]) + options_.atol / options_.rtol;
        sum += change[i] * change[i] / (size * size);
      }
      return std::sqrt(sum);
    };
    const double whole = length(step);
    double factor = 2.0;
    do {
      factor /= 2.0;
      if (factor < least_factor) return false;
      for (std::size_t i = 0; i < n; ++i) attempt.x[i] = from[i] + factor * step[i];
      const double* prelude = prelude_at(attempt.segment, attempt.time, attempt.x.data());
      model_.rates(attempt.time, attempt.x.data(), prelude, attempt.rates.data());
      solve_for_step(attempt);
    } while (!(length(attempt.step) <= (1.0 - factor / 4.0) * whole));
    if (!linearise(attempt)) return false;
  }
  return false;
}

}  // namespace kinetune::simulate
