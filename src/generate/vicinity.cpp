#include "generate/vicinity.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>

namespace kinetune::generate {
namespace {

constexpr double smallest_weight = 1e-3;  // soft weights below count as nothing
constexpr double smallest_kappa = 1e-3;   // where all labels are the same

double largest_gap(std::vector<double> labels, LabelAxis axis) {
  std::ranges::sort(labels);
  double gap = axis == LabelAxis::circle ? labels.front() + 1 - labels.back() : 0;
  for (std::size_t i = 1; i < labels.size(); ++i) gap = std::max(gap, labels[i] - labels[i - 1]);
  return gap;
}

double rule_of_thumb(std::span<const double> labels) {
  const double n = static_cast<double>(labels.size());
  const double mean = std::accumulate(labels.begin(), labels.end(), 0.0) / n;
  double variance = 0;
  for (const double label : labels) variance += (label - mean) * (label - mean) / n;
  return std::pow(4 * std::pow(variance, 2.5) / (3 * n), 0.2);
}

}  // namespace

Vicinities::Vicinities(std::span<const double> labels, std::span<const Outcome> outcomes,
                       const GeneratorOptions& options)
    : axis_(options.label_axis),
      kind_(options.vicinity),
      rule_(options.vicinity_rule),
      neighbours_(options.neighbours),
      sigma_(rule_of_thumb(labels)),
      largest_gap_kappa_(std::max(
          smallest_kappa, options.kappa_factor * largest_gap({labels.begin(), labels.end()}, axis_))) {
  std::vector<std::size_t> order(labels.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return labels[i]; });
  const std::vector<double> turns =
      axis_ == LabelAxis::circle ? std::vector<double>{-1, 0, 1} : std::vector<double>{0};
  for (const double turn : turns) {
    for (const std::size_t i : order) {
      Group& group = groups_[static_cast<std::size_t>(outcomes[i])];
      group.labels.push_back(labels[i] + turn);
      group.rows.push_back(i);
    }
  }
}

const Vicinities::Group& Vicinities::group(Outcome outcome) const {
  const Group& group = groups_[static_cast<std::size_t>(outcome)];
  assert(!group.labels.empty());
  return group;
}

double Vicinities::kappa(Condition at) const {
  if (rule_ == VicinityRule::largest_gap) return largest_gap_kappa_;
  const auto& labels = group(at.outcome).labels;
  auto high = std::ranges::lower_bound(labels, at.label);
  auto low = high;  // the k nearest are labels[low..high)
  const std::size_t k = std::min(neighbours_, labels.size());
  double farthest = 0;
  for (std::size_t i = 0; i < k; ++i) {
    const bool left_is_nearer =
        low != labels.begin() && (high == labels.end() || at.label - *(low - 1) <= *high - at.label);
    farthest = left_is_nearer ? at.label - *--low : *high++ - at.label;
  }
  return std::max(smallest_kappa, farthest);
}

double Vicinities::reach(double kappa) const {
  return kind_ == Vicinity::hard ? kappa : kappa * std::sqrt(-std::log(smallest_weight));
}

double Vicinities::weight(double distance, double kappa) const {
  return kind_ == Vicinity::hard ? 1 : std::exp(-std::pow(distance / kappa, 2));
}

double Vicinities::distance(double a, double b) const {
  const double straight = std::abs(a - b);
  return axis_ == LabelAxis::circle ? std::min(straight, 1 - straight) : straight;
}

double Vicinities::on_axis(double label) const {
  return axis_ == LabelAxis::circle ? label - std::floor(label) : std::clamp(label, 0.0, 1.0);
}

double Vicinities::perturbed(double label, core::RandomStream& random) const {
  return on_axis(label + sigma_ * random.normal());
}

double Vicinities::near_label(double label, double kappa, core::RandomStream& random) const {
  return on_axis(label + (2 * random.uniform() - 1) * reach(kappa));
}

std::size_t Vicinities::near_row(Condition at, double kappa, core::RandomStream& random) const {
  const Group& near = group(at.outcome);
  const auto begin = near.labels.begin();
  const auto low = std::ranges::lower_bound(near.labels, at.label - reach(kappa));
  const auto high = std::ranges::upper_bound(near.labels, at.label + reach(kappa));
  if (low < high) {
    const auto count = static_cast<std::uint64_t>(high - low);
    return near.rows[static_cast<std::size_t>(low - begin) + random.below(count)];
  }
  const bool left = low == near.labels.end() || (low != begin && at.label - *(low - 1) < *low - at.label);
  return near.rows[static_cast<std::size_t>((left ? low - 1 : low) - begin)];
}

}  // namespace kinetune::generate
