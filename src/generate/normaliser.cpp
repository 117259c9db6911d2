#include "generate/normaliser.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace kinetune::generate {
namespace {

constexpr double margin = 0.005;  // keeps the logit of a bound finite, at +-5.3

double to_scale(Normaliser::Scale scale, double x) {
  if (scale != Normaliser::Scale::logit) return x;
  const double inside = margin + (1 - 2 * margin) * x;
  return std::log(inside / (1 - inside));
}

double from_scale(Normaliser::Scale scale, double z) {
  if (scale != Normaliser::Scale::logit) return z;
  return (1 / (1 + std::exp(-z)) - margin) / (1 - 2 * margin);
}

}  // namespace

Normaliser::Normaliser(Scale scale, std::span<const double> x, std::size_t n_x)
    : scale_(scale), mean_(n_x), spread_(n_x) {
  const std::size_t n = x.size() / n_x;
  assert(n > 0);
  for (std::size_t j = 0; j < n_x; ++j) {
    double sum = 0, squares = 0;
    for (std::size_t i = 0; i < n; ++i) sum += to_scale(scale, x[i * n_x + j]);
    const double mean = sum / static_cast<double>(n);
    for (std::size_t i = 0; i < n; ++i) squares += std::pow(to_scale(scale, x[i * n_x + j]) - mean, 2);
    const double sd = std::sqrt(squares / static_cast<double>(n));
    const bool has_spread = sd > 1e-9;
    const bool as_it_is = scale == Scale::unit && has_spread;
    mean_[j] = as_it_is ? 0 : mean;
    spread_[j] = as_it_is ? 1 : has_spread ? sd : 0;
  }
  find_active();
}

Normaliser Normaliser::restored(Scale scale, std::vector<double> mean, std::vector<double> spread) {
  Normaliser result;
  result.scale_ = scale;
  result.mean_ = std::move(mean);
  result.spread_ = std::move(spread);
  result.find_active();
  return result;
}

void Normaliser::find_active() {
  for (std::size_t j = 0; j < n_x(); ++j) {
    if (spread_[j] > 0) active_.push_back(j);
  }
}

std::vector<float> Normaliser::forward(std::span<const double> x) const {
  std::vector<float> z;
  z.reserve(x.size() / n_x() * n_active());
  for (std::size_t row = 0; row < x.size(); row += n_x()) {
    for (const std::size_t j : active_)
      z.push_back(static_cast<float>((to_scale(scale_, x[row + j]) - mean_[j]) / spread_[j]));
  }
  return z;
}

std::vector<double> Normaliser::backward(std::span<const float> z) const {
  assert(n_active() > 0);
  std::vector<double> x;
  x.reserve(z.size() / n_active() * n_x());
  for (std::size_t row = 0; row < z.size(); row += n_active()) {
    std::size_t k = row;
    for (std::size_t j = 0; j < n_x(); ++j) {
      const double value = spread_[j] > 0 ? mean_[j] + spread_[j] * z[k++] : mean_[j];
      x.push_back(std::clamp(from_scale(scale_, value), 0.0, 1.0));
    }
  }
  return x;
}

}  // namespace kinetune::generate
