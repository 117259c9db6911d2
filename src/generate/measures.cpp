#include "generate/measures.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <fmt/format.h>

#include "generate/controls.hpp"
#include "generate/streams.hpp"

namespace kinetune::generate {
namespace {

constexpr std::size_t n_looked_at = 2000;
constexpr std::size_t n_neighbours = 5;
constexpr double not_measured = std::numeric_limits<double>::quiet_NaN();

double pearson(std::span<const double> a, std::span<const double> b) {
  const double n = static_cast<double>(a.size());
  const double mean_a = std::accumulate(a.begin(), a.end(), 0.0) / n;
  const double mean_b = std::accumulate(b.begin(), b.end(), 0.0) / n;
  double aa = 0, ab = 0, bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    aa += (a[i] - mean_a) * (a[i] - mean_a);
    ab += (a[i] - mean_a) * (b[i] - mean_b);
    bb += (b[i] - mean_b) * (b[i] - mean_b);
  }
  return aa > 0 && bb > 0 ? ab / std::sqrt(aa * bb) : not_measured;
}

/// Ranks; ties share their mean.
std::vector<double> ranks(std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t i) { return values[i]; });
  std::vector<double> result(values.size());
  for (std::size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    for (std::size_t k = begin; k < end; ++k) result[order[k]] = 0.5 * static_cast<double>(begin + end - 1);
  }
  return result;
}

double squared_distance(const double* a, const double* b, std::size_t n_x) {
  double sum = 0;
  for (std::size_t j = 0; j < n_x; ++j) sum += (a[j] - b[j]) * (a[j] - b[j]);
  return sum / static_cast<double>(n_x);
}

std::vector<std::size_t> some(std::vector<std::size_t> rows, std::uint64_t seed) {
  core::RandomStream random = stream(seed, Stream::measure, 1);
  for (std::size_t i = rows.size(); i > 1; --i) std::swap(rows[i - 1], rows[random.below(i)]);
  rows.resize(std::min(rows.size(), n_looked_at));
  return rows;
}

std::vector<double> gather(const DataSet& data, std::span<const std::size_t> rows) {
  std::vector<double> x;
  for (const std::size_t i : rows) x.insert(x.end(), data.point(i).begin(), data.point(i).end());
  return x;
}

std::vector<double> column(std::span<const double> x, std::size_t n_x, std::size_t j) {
  std::vector<double> result;
  for (std::size_t i = j; i < x.size(); i += n_x) result.push_back(x[i]);
  return result;
}

double variance(std::span<const double> values) {
  const double n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double sum = 0;
  for (const double value : values) sum += (value - mean) * (value - mean);
  return sum / n;
}

void measure_encoding(Generator& model, const DataSet& data, std::span<const std::size_t> rows,
                      Measures& out) {
  const std::vector<Condition> all = conditions_of(data, model.options());
  std::vector<Condition> conditions;
  for (const std::size_t i : rows) conditions.push_back(all[i]);
  const std::vector<double> x = gather(data, rows);
  const auto encoding = model.encode(x, conditions);
  if (!encoding) return;
  out.reconstruction = agreement(x, encoding->reconstruction);
  for (std::size_t j = 0; j < data.n_x(); ++j) {
    out.by_parameter.push_back(
        agreement(column(x, data.n_x(), j), column(encoding->reconstruction, data.n_x(), j)));
  }
  out.n_latent = encoding->n_latent;
  out.latent = encoding->latent;
  for (const Condition& condition : conditions) out.latent_label.push_back(condition.label);
  for (std::size_t j = 0; j < out.n_latent; ++j) {
    out.active_units += variance(column(out.latent, out.n_latent, j)) > 0.01;
    if (encoding->divergence.empty()) continue;
    const auto divergence = column(encoding->divergence, out.n_latent, j);
    out.divergence.push_back(std::accumulate(divergence.begin(), divergence.end(), 0.0) /
                             static_cast<double>(divergence.size()));
  }
}

double median(std::vector<double> values) {
  if (values.empty()) return not_measured;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

}  // namespace

Agreement agreement(std::span<const double> a, std::span<const double> b) {
  double squares = 0;
  for (std::size_t i = 0; i < a.size(); ++i) squares += (a[i] - b[i]) * (a[i] - b[i]);
  return {std::sqrt(squares / static_cast<double>(a.size())), pearson(a, b), pearson(ranks(a), ranks(b))};
}

std::vector<double> nearest_distances(std::span<const double> points, std::span<const double> others,
                                      std::size_t n_x, Self self) {
  std::vector<double> result;
  for (std::size_t i = 0; i < points.size(); i += n_x) {
    double nearest = std::numeric_limits<double>::infinity();
    for (std::size_t k = 0; k < others.size(); k += n_x) {
      if (self == Self::skip && i == k) continue;
      nearest = std::min(nearest, squared_distance(&points[i], &others[k], n_x));
    }
    result.push_back(std::sqrt(nearest));
  }
  return result;
}

double coverage(std::span<const double> real, std::span<const double> generated, std::size_t n_x) {
  const std::size_t n = real.size() / n_x;
  if (n < 2 || generated.empty()) return not_measured;
  const std::size_t k = std::min(n_neighbours, n - 1);
  double n_covered = 0;
  std::vector<double> distances(n);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t m = 0; m < n; ++m) distances[m] = squared_distance(&real[i * n_x], &real[m * n_x], n_x);
    std::ranges::nth_element(distances, distances.begin() + static_cast<std::ptrdiff_t>(k));  // [0] is itself
    const double radius = distances[k];
    for (std::size_t g = 0; g < generated.size(); g += n_x) {
      if (squared_distance(&real[i * n_x], &generated[g], n_x) <= radius) {
        n_covered += 1;
        break;
      }
    }
  }
  return n_covered / static_cast<double>(n);
}

double energy_score(std::span<const double> x, std::span<const double> a, std::span<const double> b,
                    std::span<const double> unit) {
  const std::size_t n_x = x.size();
  const auto distance = [&](const double* p, const double* q) {
    double squares = 0, n = 0;
    for (std::size_t j = 0; j < n_x; ++j) {
      if (unit[j] <= 0) continue;
      squares += (p[j] - q[j]) * (p[j] - q[j]) / (unit[j] * unit[j]);
      n += 1;
    }
    return n > 0 ? std::sqrt(squares / n) : 0.0;
  };
  const double n_a = static_cast<double>(a.size() / n_x), n_b = static_cast<double>(b.size() / n_x);
  double from_x = 0, apart = 0;
  for (std::size_t i = 0; i < a.size(); i += n_x) {
    from_x += 0.5 * distance(x.data(), &a[i]) / n_a;
    for (std::size_t k = 0; k < b.size(); k += n_x) apart += distance(&a[i], &b[k]) / (n_a * n_b);
  }
  for (std::size_t k = 0; k < b.size(); k += n_x) from_x += 0.5 * distance(x.data(), &b[k]) / n_b;
  return from_x - 0.5 * apart;
}

Measures measure(Generator& model, const DataSet& data) {
  const GeneratorOptions& options = model.options();
  const Split split = split_by_run(data, options.validation_share, options.seed);
  const std::vector<double> labels = labels_of(data, options);
  Measures out;
  out.reconstruction = {not_measured, not_measured, not_measured};
  out.on_held_out = !split.validation.empty();
  measure_encoding(model, data, some(out.on_held_out ? split.validation : split.train, options.seed), out);

  core::RandomStream random = stream(options.seed, Stream::measure, 0);
  out.generated = model.sample({}, n_looked_at, random);
  const std::vector<std::size_t> best = best_quarter(data, options);
  std::vector<bool> is_best(data.size());
  for (const std::size_t i : best) is_best[i] = true;
  std::vector<std::size_t> best_held_out, best_training;
  for (const std::size_t i : split.validation) {
    if (is_best[i]) best_held_out.push_back(i);
  }
  for (const std::size_t i : split.train) {
    if (is_best[i]) best_training.push_back(i);
  }
  const std::vector<double> training = gather(data, split.train);
  const auto& held_out = best_held_out.empty() ? split.validation : best_held_out;
  out.generated_to_training = nearest_distances(out.generated, training, data.n_x());
  out.generated_to_best = nearest_distances(out.generated, gather(data, best_training), data.n_x());
  out.held_out_to_training =
      nearest_distances(gather(data, some(held_out, options.seed)), training, data.n_x());
  out.coverage = coverage(gather(data, some(best, options.seed)), out.generated, data.n_x());
  return out;
}

void add_measures(store::Batch& batch, const Measures& m, std::size_t n_x) {
  using store::ElementType;
  const auto add = [&](const char* name, const char* what, const std::vector<double>& values,
                       std::uint64_t width = 0) {
    if (values.empty()) return;
    const std::vector<std::uint64_t> row =
        width == 0 ? std::vector<std::uint64_t>{} : std::vector<std::uint64_t>{width};
    batch.replace({std::string("/measures/") + name, ElementType::float64, what, "", row}, values);
  };
  std::vector<double> rmse, pearsons, spearmans;
  for (const Agreement& a : m.by_parameter) {
    rmse.push_back(a.rmse);
    pearsons.push_back(a.pearson);
    spearmans.push_back(a.spearman);
  }
  add("rmse", "of reconstructions, a parameter, unit box", rmse);
  add("pearson", "between input and reconstruction, a parameter", pearsons);
  add("spearman", "between input and reconstruction, a parameter", spearmans);
  add("divergence", "mean KL of each latent from its prior, nats", m.divergence);
  add("latent", "posterior means, or where a flow begins", m.latent, m.n_latent);
  add("latent_label", "labels of the points behind /measures/latent", m.latent_label);
  add("generated", "vectors drawn at label 0, unit box", m.generated, n_x);
  add("generated_to_training", "distance to the nearest training point, rms over parameters",
      m.generated_to_training);
  add("generated_to_best", "the same to the best quarter of training points", m.generated_to_best);
  add("held_out_to_training", "the same from held-out points of the best quarter to training points",
      m.held_out_to_training);
  add("coverage", "share of the best quarter with a generated vector within its 5th neighbour", {m.coverage});
  add("overall", "rmse, Pearson, Spearman over all parameters",
      {m.reconstruction.rmse, m.reconstruction.pearson, m.reconstruction.spearman});
  batch.set_attribute("/measures", "active_units", m.active_units);
  batch.set_attribute("/measures", "points", std::string(m.on_held_out ? "held out" : "training"));
}

std::string to_text(const Measures& m) {
  std::string text;
  if (m.n_latent > 0) {
    text += fmt::format(
        "reconstruction ({} points): RMSE {:.4g}, Pearson {:.4g}, Spearman {:.4g}; {} of {} latents active\n",
        m.on_held_out ? "held-out" : "training", m.reconstruction.rmse, m.reconstruction.pearson,
        m.reconstruction.spearman, m.active_units, m.n_latent);
  }
  text +=
      fmt::format("median distance of generated vectors to training data {:.4g}, to its best quarter {:.4g}",
                  median(m.generated_to_training), median(m.generated_to_best));
  if (!m.held_out_to_training.empty())
    text += fmt::format("; of held-out points {:.4g}", median(m.held_out_to_training));
  return text + fmt::format("\ncoverage of the best quarter {:.3g}\n", m.coverage);
}

}  // namespace kinetune::generate
