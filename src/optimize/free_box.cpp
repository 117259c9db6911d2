#include "optimize/free_box.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "core/error.hpp"

namespace kinetune::optimize {

FreeBox::FreeBox(std::span<const double> lower, std::span<const double> upper)
    : full_lower_(lower.begin(), lower.end()), full_upper_(upper.begin(), upper.end()) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  assert(lower.size() == upper.size());
  for (std::size_t i = 0; i < lower.size(); ++i) {
    if (!(lower[i] <= upper[i]) || lower[i] == infinity || upper[i] == -infinity)
      throw core::Error({}, fmt::format("parameter {} has the bounds [{}, {}]", i, lower[i], upper[i]),
                        "there must be a number between them");
    if (lower[i] < upper[i]) free_.push_back(i);
  }
  lower_ = free_vector(full_lower_);
  upper_ = free_vector(full_upper_);
}

void FreeBox::require_inside(std::span<const double> full) const {
  if (full.size() != size())
    throw core::Error({}, fmt::format("a start of {} parameters for a problem of {}", full.size(), size()));
  for (std::size_t i = 0; i < size(); ++i)
    if (!(std::isfinite(full[i]) && full_lower_[i] <= full[i] && full[i] <= full_upper_[i]))
      throw core::Error({}, fmt::format("parameter {} starts at {}", i, full[i]),
                        fmt::format("its bounds are [{}, {}]", full_lower_[i], full_upper_[i]));
}

std::vector<double> FreeBox::free_vector(std::span<const double> full) const {
  std::vector<double> free;
  free.reserve(n_free());
  for (const std::size_t i : free_) free.push_back(full[i]);
  return free;
}

std::vector<double> FreeBox::free_matrix(std::span<const double> full) const {
  std::vector<double> free;
  free.reserve(n_free() * n_free());
  for (const std::size_t row : free_)
    for (const std::size_t column : free_) free.push_back(full[row * size() + column]);
  return free;
}

std::vector<double> FreeBox::free_columns(std::span<const double> full) const {
  std::vector<double> free;
  free.reserve(full.size() / size() * n_free());
  for (std::size_t row = 0; row < full.size(); row += size())
    for (const std::size_t column : free_) free.push_back(full[row + column]);
  return free;
}

std::vector<double> FreeBox::full_vector(std::span<const double> free) const {
  std::vector<double> full = full_lower_;
  for (std::size_t k = 0; k < n_free(); ++k) full[free_[k]] = std::clamp(free[k], lower_[k], upper_[k]);
  return full;
}

double FreeBox::projected_gradient_norm(std::span<const double> x, std::span<const double> gradient) const {
  double norm = 0;
  for (std::size_t k = 0; k < n_free(); ++k)
    // Differences from x are clamped, not x - gradient itself: a small gradient must not vanish beside a
    // large x.
    norm = std::max(norm, std::abs(std::clamp(-gradient[k], lower_[k] - x[k], upper_[k] - x[k])));
  return norm;
}

}  // namespace kinetune::optimize
