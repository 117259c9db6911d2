#include "toys.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <string>

#include "core/random.hpp"

namespace toys {
namespace {

using kinetune::core::RandomStream;
using kinetune::generate::DataSet;
using kinetune::generate::Outcome;
using kinetune::generate::ParameterKind;

constexpr std::size_t points_a_run = 20;

DataSet empty(std::size_t n_x) {
  DataSet data;
  for (std::size_t j = 0; j < n_x; ++j) data.parameter_ids.push_back("k" + std::to_string(j));
  data.kinds.assign(n_x, ParameterKind::rate);
  return data;
}

void add(DataSet& data, std::span<const double> x, double label, std::uint64_t run) {
  for (const double value : x) data.x.push_back(std::clamp(value, 0.0, 1.0));
  data.fval.push_back(label);
  data.outcome.push_back(Outcome::evaluated);
  data.run.push_back(run);
  data.label.push_back(label);
}

}  // namespace

namespace circle {
namespace {
double to_box(double value) { return (value + 1.5) / 3; }
double from_box(double value) { return 3 * value - 1.5; }
std::array<double, 2> centre(double label) {
  const double angle = 2 * std::numbers::pi * label;
  return {std::cos(angle), std::sin(angle)};
}

/// tr(C + S - 2 (S^1/2 C S^1/2)^1/2) for S = sd^2 I and C 2 x 2 (Dowson and Landau 1982).
double squared_w2_of_covariances(double xx, double xy, double yy) {
  const double root_of_determinant = std::sqrt(std::max(0.0, xx * yy - xy * xy));
  const double trace_of_root = std::sqrt(xx + yy + 2 * root_of_determinant);
  return xx + yy + 2 * sd * sd - 2 * sd * trace_of_root;
}
}  // namespace

DataSet data(std::uint64_t seed) {
  DataSet data = empty(2);
  RandomStream random(seed, 0);
  for (int i = 0; i < n_conditions; ++i) {
    const double label = static_cast<double>(i) / n_conditions;
    for (int k = 0; k < n_points; ++k) {
      const auto mean = centre(label);
      const std::array x{to_box(mean[0] + sd * random.normal()), to_box(mean[1] + sd * random.normal())};
      add(data, x, label, static_cast<std::uint64_t>(k));  // a run has one point of each condition
    }
  }
  return data;
}

double judged_label(int i) { return (i + 0.5) / n_judged; }

void Judge::add(double label, std::span<const double> x) {
  const auto truth = centre(label);
  const double n = static_cast<double>(x.size() / 2);
  double near = 0, mx = 0, my = 0, xx = 0, xy = 0, yy = 0;
  for (std::size_t i = 0; i < x.size(); i += 2) {
    const double dx = from_box(x[i]) - truth[0], dy = from_box(x[i + 1]) - truth[1];
    near += std::hypot(dx, dy) <= 4 * sd;
    mx += dx / n;
    my += dy / n;
    xx += dx * dx;
    xy += dx * dy;
    yy += dy * dy;
  }
  xx = (xx - n * mx * mx) / (n - 1);
  xy = (xy - n * mx * my) / (n - 1);
  yy = (yy - n * my * my) / (n - 1);
  n_ += n;
  n_near_ += near;
  n_conditions_ += 1;
  n_recovered_ += near > 0;
  w2_ += mx * mx + my * my + squared_w2_of_covariances(xx, xy, yy);
  variance_ += (xx + yy) / 2;
}

Quality Judge::quality() const {
  return {n_near_ / n_, n_recovered_ / n_conditions_, w2_ / n_conditions_,
          std::sqrt(variance_ / n_conditions_)};
}
}  // namespace circle

namespace basins {
namespace {
constexpr std::array major{0.25, 0.3, 0.7, 0.4}, minor{0.7, 0.75, 0.3, 0.6};
double sd(double label) { return 0.015 + 0.06 * label; }
double distance(std::span<const double> x, const std::array<double, 4>& centre) {
  double squared = 0;
  for (std::size_t j = 0; j < 4; ++j) squared += (x[j] - centre[j]) * (x[j] - centre[j]);
  return std::sqrt(squared);
}
}  // namespace

DataSet data(std::uint64_t seed) {
  DataSet data = empty(4);
  RandomStream random(seed, 1);
  for (std::size_t i = 0; i < 4000; ++i) {
    const double label = random.uniform();
    const auto& centre = random.uniform() < major_share ? major : minor;
    std::array<double, 4> x{};
    for (std::size_t j = 0; j < 4; ++j) x[j] = centre[j] + sd(label) * random.normal();
    add(data, x, label, i / points_a_run);
  }
  return data;
}

Quality judge(std::span<const double> x, double label) {
  double n_major = 0, n_minor = 0, squares = 0;
  for (std::size_t i = 0; i < x.size(); i += 4) {
    const double to_major = distance(x.subspan(i, 4), major), to_minor = distance(x.subspan(i, 4), minor);
    const double nearest = std::min(to_major, to_minor);
    if (nearest > 5 * sd(label)) continue;
    (to_major < to_minor ? n_major : n_minor) += 1;
    squares += nearest * nearest / 4;
  }
  const double n = n_major + n_minor;
  return {n / static_cast<double>(x.size() / 4), n_major / n, std::sqrt(squares / n) / sd(label)};
}
}  // namespace basins

namespace valley {
namespace {
constexpr int n_pieces = 20, n_steps = 2000;
double sd(double label) { return 0.01 + 0.05 * label; }

std::array<double, n_x> on_curve(double t) {
  std::array<double, n_x> x{};
  for (int j = 0; j < n_x; ++j) {
    const double turns = 0.25 + 0.75 * j / (n_x - 1);
    x[static_cast<std::size_t>(j)] = 0.5 + 0.3 * std::sin(2 * std::numbers::pi * turns * t + 0.7 * j);
  }
  return x;
}

struct Nearest {
  double distance, t;
};
Nearest nearest_on_curve(std::span<const double> x) {
  static const auto curve = [] {
    std::vector<std::array<double, n_x>> points;
    for (int i = 0; i <= n_steps; ++i) points.push_back(on_curve(static_cast<double>(i) / n_steps));
    return points;
  }();
  Nearest nearest{std::numeric_limits<double>::infinity(), 0};
  for (int i = 0; i <= n_steps; ++i) {
    double squared = 0;
    for (std::size_t j = 0; j < n_x; ++j)
      squared += std::pow(x[j] - curve[static_cast<std::size_t>(i)][j], 2);
    if (squared < nearest.distance * nearest.distance)
      nearest = {std::sqrt(squared), static_cast<double>(i) / n_steps};
  }
  return nearest;
}
}  // namespace

DataSet data(std::uint64_t seed) {
  DataSet data = empty(n_x);
  RandomStream random(seed, 2);
  for (std::size_t i = 0; i < 4000; ++i) {
    const double label = random.uniform();
    auto x = on_curve(random.uniform());
    for (double& value : x) value += sd(label) * random.normal();
    add(data, x, label, i / points_a_run);
  }
  return data;
}

Quality judge(std::span<const double> x, double label) {
  // Of Gaussian noise in 20 dimensions one lies along the curve.
  const double true_distance = sd(label) * std::sqrt(n_x - 1.0);
  std::array<double, n_pieces> count{};
  double squares = 0, n_near = 0;
  for (std::size_t i = 0; i < x.size(); i += n_x) {
    const Nearest nearest = nearest_on_curve(x.subspan(i, n_x));
    squares += nearest.distance * nearest.distance;
    if (nearest.distance > 3 * true_distance) continue;
    count[std::min<std::size_t>(n_pieces - 1, static_cast<std::size_t>(nearest.t * n_pieces))] += 1;
    n_near += 1;
  }
  Quality quality{std::sqrt(squares / static_cast<double>(x.size() / n_x)) / true_distance, 0, 1};
  if (n_near == 0) return quality;
  quality.unevenness = 0;
  for (const double piece : count) {
    quality.covered += (piece > 0) / static_cast<double>(n_pieces);
    quality.unevenness += 0.5 * std::abs(piece / n_near - 1.0 / n_pieces);
  }
  return quality;
}
}  // namespace valley

}  // namespace toys
