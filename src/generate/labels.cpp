#include "generate/labels.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace kinetune::generate {

LabelMap::LabelMap(LabelTransform transform, std::span<const double> fvals) : transform_(transform) {
  std::vector<double> sorted;
  std::ranges::copy_if(fvals, std::back_inserter(sorted), [](double f) { return std::isfinite(f); });
  assert(!sorted.empty());
  std::ranges::sort(sorted);
  if (transform == LabelTransform::min_max) {
    reference_ = {sorted.front(), 0, sorted.back(), 1};
    return;
  }
  const double last = std::max<double>(1, static_cast<double>(sorted.size()) - 1);
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    if (i > 0 && sorted[i] == sorted[i - 1]) continue;
    reference_.push_back(sorted[i]);
    reference_.push_back(static_cast<double>(i) / last);
  }
}

LabelMap LabelMap::restored(LabelTransform transform, std::vector<double> reference) {
  LabelMap map;
  map.transform_ = transform;
  map.reference_ = std::move(reference);
  return map;
}

double LabelMap::operator()(double fval) const {
  if (!std::isfinite(fval)) return 1;
  const std::size_t n = reference_.size() / 2;
  const auto value = [&](std::size_t i) { return reference_[2 * i]; };
  const auto label = [&](std::size_t i) { return reference_[2 * i + 1]; };
  if (fval <= value(0)) return 0;
  if (fval >= value(n - 1)) return n == 1 ? 1 : label(n - 1);
  if (transform_ == LabelTransform::min_max)
    return std::log1p(fval - value(0)) / std::log1p(value(1) - value(0));
  std::size_t low = 0, high = n - 1;
  while (high - low > 1) {
    const std::size_t middle = (low + high) / 2;
    (value(middle) <= fval ? low : high) = middle;
  }
  const double share = (fval - value(low)) / (value(high) - value(low));
  return label(low) + share * (label(high) - label(low));
}

std::vector<double> LabelMap::operator()(std::span<const double> fvals) const {
  std::vector<double> labels;
  for (const double fval : fvals) labels.push_back((*this)(fval));
  return labels;
}

}  // namespace kinetune::generate
