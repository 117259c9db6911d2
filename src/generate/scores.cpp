#include "generate/scores.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "generate/measures.hpp"
#include "generate/streams.hpp"

namespace kinetune::generate {
namespace {

constexpr std::size_t n_looked_at = 500;
constexpr std::size_t n_samples_a_point = 16;  // twice, independently
constexpr double not_known = std::numeric_limits<double>::quiet_NaN();

std::vector<double> standard_deviations(const DataSet& data) {
  const double n = static_cast<double>(data.size());
  std::vector<double> result;
  for (std::size_t j = 0; j < data.n_x(); ++j) {
    double mean = 0, squares = 0;
    for (std::size_t i = 0; i < data.size(); ++i) mean += data.point(i)[j] / n;
    for (std::size_t i = 0; i < data.size(); ++i) squares += std::pow(data.point(i)[j] - mean, 2);
    result.push_back(std::sqrt(squares / n));
  }
  return result;
}

}  // namespace

double held_out_loss(Generator& model, const DataSet& held_out) {
  if (held_out.size() == 0) return not_known;
  return model.loss(held_out.x, conditions_of(held_out, model.options())).value_or(not_known);
}

double sample_score(Generator& model, const DataSet& held_out) {
  if (held_out.size() == 0) return not_known;
  const std::vector<Condition> conditions = conditions_of(held_out, model.options());
  const std::vector<double> unit = standard_deviations(held_out);
  const std::size_t n = std::min(held_out.size(), n_looked_at);
  double sum = 0;
  for (std::size_t k = 0; k < n; ++k) {
    const std::size_t i = k * held_out.size() / n;  // evenly over the runs
    core::RandomStream random = stream(model.options().seed, Stream::score, i);
    const auto a = model.sample(conditions[i], n_samples_a_point, random);
    const auto b = model.sample(conditions[i], n_samples_a_point, random);
    sum += energy_score(held_out.point(i), a, b, unit);
  }
  return sum / static_cast<double>(n);
}

double held_out_score(Generator& model, const DataSet& held_out) {
  const double loss = held_out_loss(model, held_out);
  return std::isnan(loss) ? sample_score(model, held_out) : loss;
}

Score sample_quality(std::function<double(std::span<const double>)> objective, std::size_t n_samples) {
  return [objective = std::move(objective), n_samples](Generator& model, const DataSet&) {
    core::RandomStream random = stream(model.options().seed, Stream::measure, 2);
    const std::vector<double> x = model.sample({}, n_samples, random);
    const std::size_t n_x = x.size() / n_samples;
    std::vector<double> values;
    for (std::size_t i = 0; i < n_samples; ++i) {
      const double value = objective({&x[i * n_x], n_x});
      values.push_back(std::isnan(value) ? std::numeric_limits<double>::infinity() : value);
    }
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(n_samples / 2);
    std::ranges::nth_element(values, middle);
    return *middle;
  };
}

}  // namespace kinetune::generate
