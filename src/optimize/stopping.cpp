#include "optimize/stopping.hpp"

#include <algorithm>
#include <cmath>

namespace kinetune::optimize {

std::optional<Termination> StoppingRules::judge(const Iterate& iterate) {
  const bool small_step = has_small_step(iterate.x), small_change = has_small_change(iterate.fval);
  x_.assign(iterate.x.begin(), iterate.x.end());
  if (iterate.gradient_norm <= options_.gradient_tolerance) return Termination::gradient;
  if (small_change) return Termination::fval_change;
  if (small_step) return Termination::step;
  if (iterate.iteration >= options_.max_iterations) return Termination::max_iterations;
  return std::nullopt;
}

bool StoppingRules::has_small_change(double fval) {
  fvals_.push_back(fval);
  if (fvals_.size() <= static_cast<std::size_t>(options_.fval_window)) return false;
  const double decrease = fvals_.front() - fval;
  fvals_.pop_front();
  return decrease <= options_.fval_tolerance * std::max(1.0, std::abs(fval));
}

bool StoppingRules::has_small_step(std::span<const double> x) const {
  return options_.step_tolerance > 0 && std::ranges::equal(x, x_, [this](double now, double before) {
           return std::abs(now - before) <= options_.step_tolerance * std::max(1.0, std::abs(now));
         });
}

}  // namespace kinetune::optimize
