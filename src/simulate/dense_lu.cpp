#include "simulate/dense_lu.hpp"

#include <algorithm>
#include <cmath>

#include "simulate/simd.hpp"

namespace kinetune::simulate {
namespace {

KINETUNE_SIMD void subtract_multiple(int n, double factor, const double* __restrict x, double* __restrict y) {
  for (int i = 0; i < n; ++i) y[i] -= factor * x[i];
}

KINETUNE_SIMD double dot(int n, const double* x, const double* y) {
  double sum = 0.0;
  for (int i = 0; i < n; ++i) sum += x[i] * y[i];
  return sum;
}

KINETUNE_SIMD void scale(int n, double factor, double* x) {
  for (int i = 0; i < n; ++i) x[i] *= factor;
}

}  // namespace

DenseLu::DenseLu(const jit::Pattern& pattern)
    : pattern_(pattern), n_(pattern.n_rows), matrix_(static_cast<std::size_t>(n_) * n_), pivots_(n_) {}

LaneBits DenseLu::factor(const double* values) {
  std::ranges::fill(matrix_, 0.0);
  for (int j = 0; j < n_; ++j) {
    for (int e = pattern_.column_starts[j]; e < pattern_.column_starts[j + 1]; ++e)
      row(pattern_.rows[e])[j] = values[e];
  }
  for (int k = 0; k < n_; ++k) {
    int pivot = k;
    for (int i = k + 1; i < n_; ++i) {
      if (std::fabs(row(i)[k]) > std::fabs(row(pivot)[k])) pivot = i;
    }
    const double value = row(pivot)[k];
    if (value == 0.0 || !std::isfinite(value)) return false;
    pivots_[k] = pivot;
    if (pivot != k) std::swap_ranges(row(k), row(k) + n_, row(pivot));
    for (int i = k + 1; i < n_; ++i) {
      if (row(i)[k] == 0.0) continue;
      const double factor = row(i)[k] /= value;
      subtract_multiple(n_ - k - 1, factor, row(k) + k + 1, row(i) + k + 1);
    }
  }
  return true;
}

void DenseLu::solve(double* b) {
  for (int k = 0; k < n_; ++k) std::swap(b[k], b[pivots_[k]]);
  for (int i = 1; i < n_; ++i) b[i] -= dot(i, row(i), b);
  for (int i = n_ - 1; i >= 0; --i) b[i] = (b[i] - dot(n_ - i - 1, row(i) + i + 1, b + i + 1)) / row(i)[i];
}

void DenseLu::solve_transposed(double* b) {
  for (int i = 0; i < n_; ++i) {
    b[i] /= row(i)[i];
    subtract_multiple(n_ - i - 1, b[i], row(i) + i + 1, b + i + 1);
  }
  for (int i = n_ - 1; i > 0; --i) subtract_multiple(i, b[i], row(i), b);
  for (int k = n_ - 1; k >= 0; --k) std::swap(b[k], b[pivots_[k]]);
}

void DenseLu::solve_block(double* b, int n_columns) {
  const auto of = [&](int i) { return b + static_cast<std::size_t>(i) * n_columns; };
  for (int k = 0; k < n_; ++k) {
    if (pivots_[k] != k) std::swap_ranges(of(k), of(k) + n_columns, of(pivots_[k]));
  }
  for (int i = 1; i < n_; ++i) {
    for (int j = 0; j < i; ++j) {
      if (row(i)[j] != 0.0) subtract_multiple(n_columns, row(i)[j], of(j), of(i));
    }
  }
  for (int i = n_ - 1; i >= 0; --i) {
    for (int j = i + 1; j < n_; ++j) {
      if (row(i)[j] != 0.0) subtract_multiple(n_columns, row(i)[j], of(j), of(i));
    }
    scale(n_columns, 1.0 / row(i)[i], of(i));
  }
}

}  // namespace kinetune::simulate
