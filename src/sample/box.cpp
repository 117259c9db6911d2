#include "sample/box.hpp"

#include <cassert>
#include <cmath>

#include <fmt/format.h>

#include "core/error.hpp"

namespace kinetune::sample {

Box::Box(std::span<const double> lower, std::span<const double> upper)
    : lower_(lower.begin(), lower.end()), upper_(upper.begin(), upper.end()) {
  if (lower.size() != upper.size())
    throw core::Error({}, fmt::format("{} lower bounds and {} upper bounds", lower.size(), upper.size()),
                      "give each parameter both");
  for (std::size_t i = 0; i < lower.size(); ++i) {
    if (!std::isfinite(lower[i]) || !std::isfinite(upper[i]))
      throw core::Error({}, fmt::format("parameter {} has the bounds [{}, {}]", i, lower[i], upper[i]),
                        "starts can only be drawn between finite bounds");
    if (lower[i] > upper[i])
      throw core::Error({}, fmt::format("parameter {} has the bounds [{}, {}]", i, lower[i], upper[i]),
                        "the lower bound must not be above the upper one");
  }
}

std::vector<double> Box::at(std::span<const double> unit_point) const {
  assert(unit_point.size() == size());
  std::vector<double> x(size());
  // lerp is monotone and exact at both ends, and cannot overflow where the width would.
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = std::lerp(lower_[i], upper_[i], unit_point[i]);
  return x;
}

}  // namespace kinetune::sample
