#include "sample/box.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "core/error.hpp"

namespace kinetune::sample {

Box::Box(std::span<const double> lower, std::span<const double> upper) {
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
    quantiles_.push_back({{0.0, 1.0}, {lower[i], upper[i]}});
  }
}

Box::Box(std::vector<Quantiles> quantiles) : quantiles_(std::move(quantiles)) {
  for ([[maybe_unused]] const auto& [probabilities, values] : quantiles_) {
    assert(probabilities.size() == values.size() && values.size() >= 2);
    assert(std::ranges::is_sorted(values) && std::ranges::is_sorted(probabilities));
    assert(probabilities.front() == 0.0 && probabilities.back() == 1.0);
  }
}

std::vector<double> Box::at(std::span<const double> unit_point) const {
  assert(unit_point.size() == size());
  std::vector<double> x(size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const auto& [probabilities, values] = quantiles_[i];
    const auto above =
        std::ranges::upper_bound(probabilities.begin() + 1, probabilities.end() - 1, unit_point[i]);
    const auto k = static_cast<std::size_t>(above - probabilities.begin());
    const double share = (unit_point[i] - probabilities[k - 1]) / (probabilities[k] - probabilities[k - 1]);
    // lerp is monotone and exact at both ends, and cannot overflow where the width would.
    x[i] = std::lerp(values[k - 1], values[k], share);
  }
  return x;
}

}  // namespace kinetune::sample
