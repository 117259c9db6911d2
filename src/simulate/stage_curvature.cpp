#include "simulate/stage_curvature.hpp"

#include <algorithm>
#include <cmath>

#include "simulate/rosenbrock_stages.hpp"
#include "simulate/simd.hpp"

namespace kinetune::simulate {
namespace {

/// Of one step, its stages go side by side; of several, the steps.
template <int width>
inline KINETUNE_LOOPS void contract_all(const jit::Contraction& contraction, const double* values,
                                        const double* directions, double* out) {
  constexpr int n_together = StageCurvature::n_together;
  constexpr int wide = width == 1 ? n_together : width, n_packs = n_together * width / wide;
  const int n = contraction.pattern.n_nonzeros();
  const int* starts = contraction.term_starts.data();
  const int* value_of = contraction.values.data();
  const int* direction_of = contraction.directions.data();
  for (int e = 0; e < n; ++e) {
    Pack<wide> sums[n_packs] = {};
    for (int term = starts[e]; term < starts[e + 1]; ++term) {
      const Pack<width> value = pack<width>(values, value_of[term]);
      const double* direction =
          directions + static_cast<std::ptrdiff_t>(direction_of[term]) * n_together * width;
      for (int i = 0; i < n_packs; ++i) sums[i] += value * pack<wide>(direction, i);
    }
    for (int i = 0; i < n_packs; ++i) pack<wide>(out, static_cast<std::ptrdiff_t>(e) * n_packs + i) = sums[i];
  }
}

KINETUNE_SIMD void contract(int width, const jit::Contraction& contraction, const double* values,
                            const double* directions, double* out) {
  with_width(width, [&]<int w>() KINETUNE_LOOPS { contract_all<w>(contraction, values, directions, out); });
}

/// (n_stages, n, width) to (n, n_together, width)
KINETUNE_SIMD void put_together(int width, int n_stages, int n, const double* stages, double* together) {
  with_width(width, [&]<int w>() KINETUNE_LOOPS {
    for (int i = 0; i < n_stages; ++i) {
      for (int k = 0; k < n; ++k)
        pack<w>(together, k * StageCurvature::n_together + i) = pack<w>(stages, i * n + k);
    }
  });
}

/// Where a pattern that holds part of another's entries has an entry; its number of entries if it has not.
int find(const jit::Pattern& pattern, int row, int column) {
  const auto first = pattern.rows.begin() + pattern.column_starts[column];
  const auto last = pattern.rows.begin() + pattern.column_starts[column + 1];
  const auto found = std::lower_bound(first, last, row);
  return found != last && *found == row ? static_cast<int>(found - pattern.rows.begin())
                                        : pattern.n_nonzeros();
}

}  // namespace

StageCurvature::StageCurvature(const jit::CompiledModel& model, const jit::RateKernels& kernels)
    : curvature_(model.code().curvature), kernels_(kernels), n_states_(model.n_states()) {
  const auto width = static_cast<std::size_t>(kernels.width());
  second_.resize(curvature_.n_values * width);
  directions_.resize((n_states_ + 1) * n_together * width);
  by_state_.resize((curvature_.by_state.pattern.n_nonzeros() + 1) * n_together * width);
  by_parameter_.resize((curvature_.by_parameter.pattern.n_nonzeros() + 1) * n_together * width);
}

void StageCurvature::evaluate(const double* t, const double* x, const double* prelude, const double* stages,
                              int n_stages) {
  const int width = kernels_.width();
  kernels_.second_derivatives(t, x, prelude, second_.data());
  put_together(width, n_stages, n_states_ + 1, stages, directions_.data());
  contract(width, curvature_.by_state, second_.data(), directions_.data(), by_state_.data());
  contract(width, curvature_.by_parameter, second_.data(), directions_.data(), by_parameter_.data());
  has_values_ = true;
  leave_out_what_stays(curvature_.by_state, by_state_);
  leave_out_what_stays(curvature_.by_parameter, by_parameter_);
}

/// Where a sum has no value: without the infinite second derivatives by what does not move.
void StageCurvature::leave_out_what_stays(const jit::Contraction& contraction, PackVector& sums) {
  constexpr int wide = n_together;  // whatever the width, for speed
  if (finite_lanes(wide, sums.data(), static_cast<int>(sums.size()) / wide) == all_lanes(wide)) return;
  const int width = kernels_.width(), length = n_together * width;
  for (int e = 0; e < contraction.pattern.n_nonzeros(); ++e) {
    for (int number = 0; number < length; ++number) {  // stage and lane
      double& sum = sums[static_cast<std::size_t>(e) * length + number];
      if (std::isfinite(sum)) continue;
      sum = 0.0;
      for (int term = contraction.term_starts[e]; term < contraction.term_starts[e + 1]; ++term) {
        const double direction =
            directions_[static_cast<std::size_t>(contraction.directions[term]) * length + number];
        if (direction != 0.0)
          sum += second_[static_cast<std::size_t>(contraction.values[term]) * width + number % width] *
                 direction;
      }
      has_values_ = has_values_ && std::isfinite(sum);
    }
  }
}

void StageCurvature::leave_out_by(const std::function<bool(int state, int lane)>& rests) {
  if (has_values_) return;
  const jit::Pattern& pattern = curvature_.by_state.pattern;
  const int width = kernels_.width(), length = n_together * width;
  for (int state = 0; state < pattern.n_cols; ++state) {
    for (int e = pattern.column_starts[state]; e < pattern.column_starts[state + 1]; ++e) {
      for (int number = 0; number < length; ++number) {
        double& sum = by_state_[static_cast<std::size_t>(e) * length + number];
        if (!std::isfinite(sum) && rests(state, number % width)) sum = 0.0;
      }
    }
  }
}

std::vector<ParameterEntry> parameter_entries(const jit::ModelCode& code, std::span<const int> active) {
  const jit::Pattern& pattern = code.rates_by_parameter;
  std::vector<ParameterEntry> entries;
  for (std::size_t k = 0; k < active.size(); ++k) {
    const int j = active[k];
    if (j < 0) continue;
    for (int e = pattern.column_starts[j]; e < pattern.column_starts[j + 1]; ++e) {
      const int second = find(code.curvature.by_parameter.pattern, pattern.rows[e], j);
      entries.push_back({pattern.rows[e], static_cast<int>(k), e, second});
    }
  }
  return entries;
}

}  // namespace kinetune::simulate
