#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include <fmt/format.h>

#include "core/error.hpp"
#include "generate/controls.hpp"
#include "generate/streams.hpp"

namespace kinetune::generate {
namespace {

using Components = GaussianMixture::Components;

/// Points z (n, d).
struct Points {
  std::vector<double> z;
  std::size_t n, d;
  const double* row(std::size_t i) const { return &z[i * d]; }
};

constexpr double ridge = 1e-6;  // on unit variances: keeps a factor where points lie in a plane
constexpr int max_iterations = 200;

/// In place, lower triangle; the matrix is positive definite by its ridge.
void factorise(double* a, std::size_t d) {
  for (std::size_t j = 0; j < d; ++j) {
    for (std::size_t i = j; i < d; ++i) {
      double sum = a[i * d + j];
      for (std::size_t k = 0; k < j; ++k) sum -= a[i * d + k] * a[j * d + k];
      a[i * d + j] = i == j ? std::sqrt(std::max(sum, ridge)) : sum / a[j * d + j];
    }
    for (std::size_t i = 0; i < j; ++i) a[i * d + j] = 0;
  }
}

double log_density(const double* z, const double* mean, const double* factor, std::size_t d) {
  std::vector<double> solved(d);
  double result = -0.5 * static_cast<double>(d) * std::log(2 * std::numbers::pi);
  for (std::size_t i = 0; i < d; ++i) {
    double sum = z[i] - mean[i];
    for (std::size_t k = 0; k < i; ++k) sum -= factor[i * d + k] * solved[k];
    solved[i] = sum / factor[i * d + i];
    result -= 0.5 * solved[i] * solved[i] + std::log(factor[i * d + i]);
  }
  return result;
}

/// Weights, means and covariances from responsibilities r (n, k). Few points for many dimensions shrink a
/// covariance towards its diagonal.
Components maximise(const Points& points, const std::vector<double>& r, std::size_t k) {
  const std::size_t d = points.d;
  Components result{std::vector<double>(k), std::vector<double>(k * d), std::vector<double>(k * d * d)};
  for (std::size_t c = 0; c < k; ++c) {
    double total = 1e-10;
    double* mean = &result.mean[c * d];
    double* factor = &result.factor[c * d * d];
    for (std::size_t i = 0; i < points.n; ++i) {
      total += r[i * k + c];
      for (std::size_t j = 0; j < d; ++j) mean[j] += r[i * k + c] * points.row(i)[j];
    }
    for (std::size_t j = 0; j < d; ++j) mean[j] /= total;
    for (std::size_t i = 0; i < points.n; ++i) {
      for (std::size_t a = 0; a < d; ++a) {
        const double weighted = r[i * k + c] * (points.row(i)[a] - mean[a]);
        for (std::size_t b = 0; b <= a; ++b) factor[a * d + b] += weighted * (points.row(i)[b] - mean[b]);
      }
    }
    const double dimensions = static_cast<double>(d);
    const double kept = d == 1 ? 1 : total / (total + 0.1 * dimensions);
    for (std::size_t a = 0; a < d; ++a) {
      for (std::size_t b = 0; b < a; ++b) factor[a * d + b] *= kept / total;
      factor[a * d + a] = factor[a * d + a] / total + ridge;
    }
    factorise(factor, d);
    result.weight[c] = total / static_cast<double>(points.n);
  }
  return result;
}

/// Responsibilities (n, k) into r; the log-likelihood of all points.
double expect(const Points& points, const Components& at, std::vector<double>& r) {
  const std::size_t k = at.weight.size(), d = points.d;
  double sum = 0;
  for (std::size_t i = 0; i < points.n; ++i) {
    double* row = &r[i * k];
    for (std::size_t c = 0; c < k; ++c)
      row[c] = std::log(at.weight[c]) + log_density(points.row(i), &at.mean[c * d], &at.factor[c * d * d], d);
    const double largest = *std::max_element(row, row + k);
    double total = 0;
    for (std::size_t c = 0; c < k; ++c) total += row[c] = std::exp(row[c] - largest);
    for (std::size_t c = 0; c < k; ++c) row[c] /= total;
    sum += largest + std::log(total);
  }
  return sum;
}

/// Each point to the nearest of k points that were drawn far apart (k-means++, Arthur and Vassilvitskii
/// 2007).
std::vector<double> first_responsibilities(const Points& points, std::size_t k, core::RandomStream& random) {
  std::vector<std::size_t> nearest(points.n, 0);
  std::vector<double> distance(points.n, std::numeric_limits<double>::infinity());
  for (std::size_t c = 0; c < k; ++c) {
    std::size_t centre = random.below(points.n);
    if (c > 0) {
      double left = random.uniform() * std::accumulate(distance.begin(), distance.end(), 0.0);
      centre = 0;
      while (centre + 1 < points.n && (left -= distance[centre]) > 0) ++centre;
    }
    for (std::size_t i = 0; i < points.n; ++i) {
      double squared = 0;
      for (std::size_t j = 0; j < points.d; ++j)
        squared += std::pow(points.row(i)[j] - points.row(centre)[j], 2);
      if (squared < distance[i]) {
        distance[i] = squared;
        nearest[i] = c;
      }
    }
  }
  std::vector<double> r(points.n * k);
  for (std::size_t i = 0; i < points.n; ++i) r[i * k + nearest[i]] = 1;
  return r;
}

struct Fit {
  Components components;
  double criterion;  ///< Bayesian information criterion, the lower the better
};

Fit fit(const Points& points, std::size_t k, core::RandomStream& random) {
  std::vector<double> r = first_responsibilities(points, k, random);
  Components components = maximise(points, r, k);
  double likelihood = -std::numeric_limits<double>::infinity();
  for (int i = 0; i < max_iterations; ++i) {
    const double next = expect(points, components, r);
    if (next - likelihood < 1e-6 * std::abs(next)) break;
    likelihood = next;
    components = maximise(points, r, k);
  }
  const double d = static_cast<double>(points.d), components_count = static_cast<double>(k);
  const double n_free = components_count * (1 + d + d * (d + 1) / 2) - 1;
  return {std::move(components), n_free * std::log(static_cast<double>(points.n)) - 2 * likelihood};
}

}  // namespace

std::expected<TrainingEnd, TrainingFailure> GaussianMixture::train(const DataSet& data, TrainingObserver&) {
  begin_data(data);
  std::vector<double> x;
  for (const std::size_t i : best_quarter(data, options_))
    x.insert(x.end(), data.point(i).begin(), data.point(i).end());
  const std::size_t n = x.size() / data.n_x();
  normaliser_ = Normaliser(Normaliser::Scale::logit, x, data.n_x());
  if (normaliser_.n_active() == 0) {
    throw core::Error({}, fmt::format("the best quarter, {} points, has no spread", n),
                      "evaluate more points, or use method best_points");
  }
  const std::vector<float> z = normaliser_.forward(x);
  const Points points{{z.begin(), z.end()}, n, normaliser_.n_active()};
  core::RandomStream random = stream(options_.seed, Stream::preparation, 0);
  double best = std::numeric_limits<double>::infinity();
  for (std::size_t k = 1; k == 1 || (k <= 5 && k * 10 <= n); ++k) {
    Fit tried = fit(points, k, random);
    if (tried.criterion < best) {
      best = tried.criterion;
      components_ = std::move(tried.components);
    }
  }
  return TrainingEnd::all_epochs;
}

std::vector<double> GaussianMixture::sample(Condition, std::size_t n, core::RandomStream& random) {
  if (components_.weight.empty())
    throw core::Error({}, "the model is not trained", "train it before sampling");
  const std::size_t d = normaliser_.n_active();
  std::vector<float> z;
  std::vector<double> noise(d);
  for (std::size_t i = 0; i < n; ++i) {
    double left = random.uniform();
    std::size_t c = 0;
    while (c + 1 < components_.weight.size() && (left -= components_.weight[c]) > 0) ++c;
    for (double& value : noise) value = random.normal();
    const double* factor = &components_.factor[c * d * d];
    for (std::size_t a = 0; a < d; ++a) {
      double value = components_.mean[c * d + a];
      for (std::size_t b = 0; b <= a; ++b) value += factor[a * d + b] * noise[b];
      z.push_back(static_cast<float>(value));
    }
  }
  return normaliser_.backward(z);
}

void GaussianMixture::add_to(store::Batch& batch) const {
  using store::ElementType;
  Generator::add_to(batch);
  if (components_.weight.empty()) return;
  const std::uint64_t d = normaliser_.n_active();
  batch.replace({"/normaliser/mean", ElementType::float64, "of each parameter's logit"}, normaliser_.mean());
  batch.replace({"/normaliser/spread", ElementType::float64, "its standard deviation"}, normaliser_.spread());
  batch.replace({"/mixture/weight", ElementType::float64, "of each component"}, components_.weight);
  batch.replace({"/mixture/mean", ElementType::float64, "standardised logits", "", {d}}, components_.mean);
  batch.replace({"/mixture/factor", ElementType::float64, "Cholesky factors, lower triangle", "", {d, d}},
                components_.factor);
}

void GaussianMixture::restore(const store::H5File& file) {
  if (!file.has("/mixture/weight")) return;
  normaliser_ = Normaliser::restored(Normaliser::Scale::logit, file.read<double>("/normaliser/mean"),
                                     file.read<double>("/normaliser/spread"));
  components_ = {file.read<double>("/mixture/weight"), file.read<double>("/mixture/mean"),
                 file.read<double>("/mixture/factor")};
}

}  // namespace kinetune::generate
