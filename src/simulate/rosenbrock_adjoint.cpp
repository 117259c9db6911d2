#include "simulate/rosenbrock_adjoint.hpp"

#include <algorithm>

#include "simulate/simd.hpp"

namespace kinetune::simulate {
namespace {

using Vector = double __attribute__((vector_size(64), may_alias));

double sum(const Vector& v) { return ((v[0] + v[1]) + (v[2] + v[3])) + ((v[4] + v[5]) + (v[6] + v[7])); }

/// out_j += sum over stages and rows of matrix_(row, j) v_row
KINETUNE_SIMD void add_transposed(const jit::Pattern& pattern, const Lanes* matrix, const Lanes* v,
                                  double* out) {
  const int* starts = pattern.column_starts.data();
  const int* rows = pattern.rows.data();
  for (int j = 0; j < pattern.n_cols; ++j) {
    if (starts[j] == starts[j + 1]) continue;
    Vector total{};
    for (int e = starts[j]; e < starts[j + 1]; ++e) {
      total += *reinterpret_cast<const Vector*>(matrix + e) * *reinterpret_cast<const Vector*>(v + rows[e]);
    }
    out[j] += sum(total);
  }
}

double dot(const Lanes& a, const Lanes& b) {
  double total = 0.0;
  for (int i = 0; i < Lanes::width; ++i) total += a.values[i] * b.values[i];
  return total;
}

}  // namespace

RosenbrockAdjoint::RosenbrockAdjoint(const RosenbrockStages& stages)
    : model_(stages.model()),
      scheme_(stages.scheme()),
      n_(model_.n_states()),
      curvature_(model_),
      at_start_(n_),
      at_end_(n_),
      of_stages_(static_cast<std::size_t>(scheme_.n_stages) * n_),
      through_rates_(n_),
      by_stage_(n_) {}

void RosenbrockAdjoint::begin(std::span<const int> active) {
  std::ranges::fill(at_start_, 0.0);
  std::ranges::fill(at_end_, 0.0);
  std::ranges::fill(of_stages_, 0.0);
  if (std::ranges::equal(active, active_)) return;
  active_.assign(active.begin(), active.end());
  entries_ = parameter_entries(model_.code(), active);
}

void RosenbrockAdjoint::add_cotangent(const DenseWeights& weights, std::span<const double> cotangent) {
  for (int k = 0; k < n_; ++k) {
    if (cotangent[k] == 0.0) continue;
    at_start_[k] += weights.start * cotangent[k];
    at_end_[k] += weights.end * cotangent[k];
    for (int j = 0; j < scheme_.n_stages; ++j)
      of_stages_[static_cast<std::size_t>(j) * n_ + k] += weights.stages[j] * cotangent[k];
  }
}

void RosenbrockAdjoint::step_back(const Step& step, const double* prelude, RosenbrockStages& states,
                                  std::span<double> adjoint, std::span<double> gradient) {
  curvature_.evaluate(step.t, step.x, prelude, step.stages, scheme_.n_stages);
  const int last = scheme_.n_stages - 1;
  const auto stage = [&](int i) { return of_stages_.data() + static_cast<std::ptrdiff_t>(i) * n_; };
  for (int k = 0; k < n_; ++k) {
    const double end = adjoint[k] + at_end_[k];
    for (int j = 0; j < last; ++j) stage(j)[k] += scheme_.a[last][j] * end;
    stage(last)[k] += end;
    adjoint[k] = end + at_start_[k];
  }
  const jit::Pattern& pattern = model_.code().jacobian;
  for (int i = last; i >= 0; --i) {
    double* v = stage(i);
    states.matrix().solve_transposed(v);
    const double* jacobian = states.jacobian(i);
    const double* by_parameter = states.by_parameter(i);
    for (int j = 0; j < n_; ++j) {
      double total = 0.0;
      for (int e = pattern.column_starts[j]; e < pattern.column_starts[j + 1]; ++e)
        total += jacobian[e] * v[pattern.rows[e]];
      through_rates_[j] = total;
      adjoint[j] += total;
    }
    for (const ParameterEntry& entry : entries_)
      gradient[entry.column] += by_parameter[entry.first] * v[entry.row];
    for (int j = 0; j < i; ++j) {
      const double a = scheme_.a[i][j], c = scheme_.c[i][j] / step.h;
      double* earlier = stage(j);
      for (int k = 0; k < n_; ++k) earlier[k] += a * through_rates_[k] + c * v[k];
    }
    for (int k = 0; k < n_; ++k) by_stage_[k].values[i] = v[k];
  }
  add_second_derivatives(adjoint, gradient);
  std::ranges::fill(at_start_, 0.0);
  std::ranges::fill(at_end_, 0.0);
  std::ranges::fill(of_stages_, 0.0);
}

void RosenbrockAdjoint::add_second_derivatives(std::span<double> adjoint, std::span<double> gradient) const {
  add_transposed(model_.code().curvature.by_state.pattern, curvature_.by_state(), by_stage_.data(),
                 adjoint.data());
  const int none = model_.code().curvature.by_parameter.pattern.n_nonzeros();
  for (const ParameterEntry& entry : entries_) {
    if (entry.second == none) continue;
    gradient[entry.column] += dot(curvature_.by_parameter()[entry.second], by_stage_[entry.row]);
  }
}

}  // namespace kinetune::simulate
