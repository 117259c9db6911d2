#include "simulate/rosenbrock_adjoint.hpp"

#include <algorithm>

#include "simulate/simd.hpp"

namespace kinetune::simulate {
namespace {

constexpr int n_together = StageCurvature::n_together;

/// The arrays of a step back, for the loops.
struct Way {
  const RosenbrockScheme& scheme;
  int n;
  std::span<const ParameterEntry> entries;
  const double* h;
  double *at_start, *at_end, *of_stages, *through_rates, *by_stage, *adjoint, *gradient;

  template <int width>
  double* stage(int i) const {
    return of_stages + static_cast<std::ptrdiff_t>(i) * n * width;
  }
};

/// What the step's end owes to its start and its stages.
template <int width>
inline KINETUNE_LOOPS void spread_end(const Way& way) {
  const int last = way.scheme.n_stages - 1;
  for (int k = 0; k < way.n; ++k) {
    const Pack<width> end = pack<width>(way.adjoint, k) + pack<width>(way.at_end, k);
    for (int j = 0; j < last; ++j) pack<width>(way.stage<width>(j), k) += way.scheme.a[last][j] * end;
    pack<width>(way.stage<width>(last), k) += end;
    pack<width>(way.adjoint, k) = end + pack<width>(way.at_start, k);
  }
}
KINETUNE_SIMD void spread_end(int width, const Way& way) {
  with_width(width, [&]<int w>() KINETUNE_LOOPS { spread_end<w>(way); });
}

/// From a stage to those before it. Of one step, rows go side by side; of several, the steps, and what a row
/// hands on stays in registers.
template <int width>
inline KINETUNE_LOOPS void spread_to_earlier(const Way& way, int i) {
  using V = Pack<width>;
  const double* a = way.scheme.a[i].data();
  const double* c = way.scheme.c[i].data();
  const double* v = way.stage<width>(i);
  const V inverse_h = 1.0 / pack<width>(way.h, 0);
  if constexpr (width == 1) {
    for (int j = 0; j < i; ++j) {
      const double c_over_h = c[j] * inverse_h;
      double* earlier = way.stage<1>(j);
      for (int k = 0; k < way.n; ++k) earlier[k] += a[j] * way.through_rates[k] + c_over_h * v[k];
    }
  } else {
    for (int k = 0; k < way.n; ++k) {
      const V through = pack<width>(way.through_rates, k), over_h = inverse_h * pack<width>(v, k);
      for (int j = 0; j < i; ++j) pack<width>(way.stage<width>(j), k) += a[j] * through + c[j] * over_h;
    }
  }
}

/// From a stage, whose adjoint is solved for, to what it is made of.
template <int width>
inline KINETUNE_LOOPS void spread_stage(const Way& way, int i, const jit::Pattern& pattern,
                                        const double* jacobian, const double* by_parameter) {
  using V = Pack<width>;
  const double* v = way.stage<width>(i);
  const int* starts = pattern.column_starts.data();
  const int* rows = pattern.rows.data();
  for (int j = 0; j < way.n; ++j) {
    V total{};
    for (int e = starts[j]; e < starts[j + 1]; ++e)
      total += pack<width>(jacobian, e) * pack<width>(v, rows[e]);
    pack<width>(way.through_rates, j) = total;
    pack<width>(way.adjoint, j) += total;
  }
  for (const ParameterEntry& entry : way.entries)
    pack<width>(way.gradient, entry.column) +=
        pack<width>(by_parameter, entry.first) * pack<width>(v, entry.row);
  spread_to_earlier<width>(way, i);
  for (int k = 0; k < way.n; ++k) pack<width>(way.by_stage, k * n_together + i) = pack<width>(v, k);
}
KINETUNE_SIMD void spread_stage(int width, const Way& way, int i, const jit::Pattern& pattern,
                                const double* jacobian, const double* by_parameter) {
  with_width(width,
             [&]<int w>() KINETUNE_LOOPS { spread_stage<w>(way, i, pattern, jacobian, by_parameter); });
}

/// Of one step, stages go side by side and are added up in the end; of several, the steps.
template <int width>
struct OverStages {
  static constexpr int wide = width == 1 ? n_together : width, n_packs = n_together * width / wide;
  Pack<wide> sum{};

  KINETUNE_LOOPS void add(const double* a, const double* b) {
    for (int i = 0; i < n_packs; ++i) sum += pack<wide>(a, i) * pack<wide>(b, i);
  }
  KINETUNE_LOOPS void add_to(Pack<width>& total) const {
    if constexpr (width == 1)
      total += ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
    else
      total += sum;
  }
};

/// By way of the second derivatives.
template <int width>
inline KINETUNE_LOOPS void spread_curvature(const Way& way, const jit::Curvature& curvature,
                                            const StageCurvature& values) {
  const auto at = [](const double* array, int i)
                      KINETUNE_LOOPS { return array + static_cast<std::ptrdiff_t>(i) * n_together * width; };
  const jit::Pattern& pattern = curvature.by_state.pattern;
  const int* starts = pattern.column_starts.data();
  const int* rows = pattern.rows.data();
  for (int j = 0; j < pattern.n_cols; ++j) {
    if (starts[j] == starts[j + 1]) continue;
    OverStages<width> products;
    for (int e = starts[j]; e < starts[j + 1]; ++e)
      products.add(at(values.by_state(), e), at(way.by_stage, rows[e]));
    products.add_to(pack<width>(way.adjoint, j));
  }
  const int none = curvature.by_parameter.pattern.n_nonzeros();
  for (const ParameterEntry& entry : way.entries) {
    if (entry.second == none) continue;
    OverStages<width> products;
    products.add(at(values.by_parameter(), entry.second), at(way.by_stage, entry.row));
    products.add_to(pack<width>(way.gradient, entry.column));
  }
}
KINETUNE_SIMD void spread_curvature(int width, const Way& way, const jit::Curvature& curvature,
                                    const StageCurvature& values) {
  with_width(width, [&]<int w>() KINETUNE_LOOPS { spread_curvature<w>(way, curvature, values); });
}

}  // namespace

RosenbrockAdjoint::RosenbrockAdjoint(const RosenbrockStages& stages)
    : model_(stages.model()),
      kernels_(stages.kernels()),
      scheme_(stages.scheme()),
      n_(model_.n_states()),
      curvature_(model_, kernels_) {
  const std::size_t size = static_cast<std::size_t>(n_) * width();
  at_start_.resize(size);
  at_end_.resize(size);
  of_stages_.resize(scheme_.n_stages * size);
  through_rates_.resize(size);
  by_stage_.resize(n_together * size);
}

void RosenbrockAdjoint::begin(std::span<const int> active) {
  std::ranges::fill(at_start_, 0.0);
  std::ranges::fill(at_end_, 0.0);
  std::ranges::fill(of_stages_, 0.0);
  if (std::ranges::equal(active, active_)) return;
  active_.assign(active.begin(), active.end());
  entries_ = parameter_entries(model_.code(), active);
}

void RosenbrockAdjoint::add_cotangent(const DenseWeights& weights, std::span<const double> cotangent,
                                      int lane) {
  for (int k = 0; k < n_; ++k) {
    if (cotangent[k] == 0.0) continue;
    const std::size_t at = static_cast<std::size_t>(k) * width() + lane;
    at_start_[at] += weights.start * cotangent[k];
    at_end_[at] += weights.end * cotangent[k];
    for (int j = 0; j < scheme_.n_stages; ++j)
      of_stages_[static_cast<std::size_t>(j) * n_ * width() + at] += weights.stages[j] * cotangent[k];
  }
}

void RosenbrockAdjoint::step_back(const Step& step, const double* prelude, RosenbrockStages& states,
                                  std::span<double> adjoint, std::span<double> gradient) {
  curvature_.evaluate(step.t, step.x, prelude, step.stages, scheme_.n_stages);
  const Way way{scheme_,           n_,
                entries_,          step.h,
                at_start_.data(),  at_end_.data(),
                of_stages_.data(), through_rates_.data(),
                by_stage_.data(),  adjoint.data(),
                gradient.data()};
  spread_end(width(), way);
  for (int i = scheme_.n_stages - 1; i >= 0; --i) {
    states.matrix().solve_transposed(of_stages_.data() + static_cast<std::ptrdiff_t>(i) * n_ * width());
    spread_stage(width(), way, i, model_.code().jacobian, states.jacobian(i), states.by_parameter(i));
  }
  spread_curvature(width(), way, model_.code().curvature, curvature_);
  std::ranges::fill(at_start_, 0.0);
  std::ranges::fill(at_end_, 0.0);
  std::ranges::fill(of_stages_, 0.0);
}

}  // namespace kinetune::simulate
