#include "simulate/stage_curvature.hpp"

#include <algorithm>

#include "simulate/simd.hpp"

namespace kinetune::simulate {
namespace {

using Vector = double __attribute__((vector_size(64), may_alias));

KINETUNE_SIMD void contract(const jit::Contraction& contraction, const double* values,
                            const Lanes* directions, Lanes* out) {
  const int n = contraction.pattern.n_nonzeros();
  const int* starts = contraction.term_starts.data();
  const int* value_of = contraction.values.data();
  const int* direction_of = contraction.directions.data();
  for (int e = 0; e < n; ++e) {
    Vector sum{};
    for (int term = starts[e]; term < starts[e + 1]; ++term) {
      sum += values[value_of[term]] * *reinterpret_cast<const Vector*>(directions + direction_of[term]);
    }
    *reinterpret_cast<Vector*>(out + e) = sum;
  }
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

StageCurvature::StageCurvature(const jit::CompiledModel& model)
    : model_(model),
      second_(model.code().curvature.n_values),
      directions_(model.n_states() + 1),
      by_state_(model.code().curvature.by_state.pattern.n_nonzeros() + 1),
      by_parameter_(model.code().curvature.by_parameter.pattern.n_nonzeros() + 1) {}

void StageCurvature::evaluate(double t, const double* x, const double* prelude, const double* stages,
                              int n_stages) {
  model_.second_derivatives(t, x, prelude, second_.data());
  const int stride = model_.n_states() + 1;
  for (int i = 0; i < n_stages; ++i) {
    for (int k = 0; k < stride; ++k) directions_[k].values[i] = stages[i * stride + k];
  }
  const auto& curvature = model_.code().curvature;
  contract(curvature.by_state, second_.data(), directions_.data(), by_state_.data());
  contract(curvature.by_parameter, second_.data(), directions_.data(), by_parameter_.data());
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
