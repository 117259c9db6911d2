#include "simulate/static_lu.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "simulate/simd.hpp"

namespace kinetune::simulate {
namespace {

using Numbers = StaticLu::Numbers;

/// What eliminate needs beyond that.
struct Elimination {
  const int* entry_starts;
  const int* entry_values;
  const int* entry_columns;
  const int* on_diagonal;
  const double* values;  // of the matrix
  double* row;           // memory
};

template <int width>
inline KINETUNE_LOOPS void add_absolute(Pack<width>& sum, const Pack<width>& v) {
  sum += v < 0.0 ? -v : v;
}

/// Row by row.
template <int width>
inline KINETUNE_LOOPS void eliminate(const Numbers& f, const Elimination& task) {
  using V = Pack<width>;
  double* row = task.row;
  V good = V{} + 1.0;
  for (int p = 0; p < f.n; ++p) {
    const int i = f.order[p];
    for (int e = f.upper.starts[p]; e < f.upper.starts[p + 1]; ++e)
      pack<width>(row, f.upper.columns[e]) = V{};
    for (int e = f.lower.starts[p]; e < f.lower.starts[p + 1]; ++e)
      pack<width>(row, f.lower.columns[e]) = V{};
    pack<width>(row, i) = V{};
    for (int e = task.entry_starts[p]; e < task.entry_starts[p + 1]; ++e)
      pack<width>(row, task.entry_columns[e]) = pack<width>(task.values, task.entry_values[e]);
    V size{}, pivot_size{};
    add_absolute<width>(size, pack<width>(row, i));
    for (int e = f.lower.starts[p]; e < f.lower.starts[p + 1]; ++e) {
      const int k = f.lower.columns[e];
      const V factor = pack<width>(row, k) * pack<width>(f.inverse_pivots, k);
      pack<width>(f.lower.values, e) = factor;
      const int above = f.place[k];
      for (int u = f.upper.starts[above]; u < f.upper.starts[above + 1]; ++u)
        pack<width>(row, f.upper.columns[u]) -= factor * pack<width>(f.upper.values, u);
      if (task.on_diagonal[e] >= 0)
        add_absolute<width>(size, factor * pack<width>(f.upper.values, task.on_diagonal[e]));
    }
    const V pivot = pack<width>(row, i);
    add_absolute<width>(pivot_size, pivot);
    good = pivot_size > jit::worst_cancellation * size ? good : V{};  // nor is what is no number
    pack<width>(f.inverse_pivots, i) = 1.0 / pivot;
    for (int e = f.upper.starts[p]; e < f.upper.starts[p + 1]; ++e)
      pack<width>(f.upper.values, e) = pack<width>(row, f.upper.columns[e]);
  }
  pack<width>(f.good, 0) = good;
}

KINETUNE_SIMD void eliminate_side_by_side(int width, const Numbers& f, const Elimination& task) {
  with_width(width, [&]<int w>() KINETUNE_LOOPS { eliminate<w>(f, task); });
}

/// row = (row - sum_e values_e b[columns_e]) factor, rows of `length` doubles; entries from first to last.
template <int width, int n_packs>
inline KINETUNE_LOOPS void update(const Numbers::Triangle& t, int first, int last, const Pack<width>& factor,
                                  const double* b, double* row, int length) {
  constexpr int wide = width == 1 && n_packs > 0 ? 8 : width;  // of one matrix: columns in packs of 8
  constexpr int n = n_packs > 0 ? n_packs : 1;
  Pack<wide> sums[n];
  for (int c = 0; c < n; ++c) sums[c] = pack<wide>(row, c);
  for (int e = first; e < last; ++e) {
    const Pack<width> value = pack<width>(t.values, e);
    const double* other = b + static_cast<std::ptrdiff_t>(t.columns[e]) * length;
    for (int c = 0; c < n; ++c) sums[c] -= value * pack<wide>(other, c);
  }
  for (int c = 0; c < n; ++c) pack<wide>(row, c) = sums[c] * factor;
}

template <int width>
inline KINETUNE_LOOPS void update_row(const Numbers::Triangle& t, int place, const Pack<width>& factor,
                                      double* b, int row, int length) {
  constexpr int wide = width == 1 ? 8 : width;
  const int first = t.starts[place], last = t.starts[place + 1];
  double* to = b + static_cast<std::ptrdiff_t>(row) * length;
  int c = 0;
  for (; c + 2 * wide <= length; c += 2 * wide)
    update<width, 2>(t, first, last, factor, b + c, to + c, length);
  for (; c + wide <= length; c += wide) update<width, 1>(t, first, last, factor, b + c, to + c, length);
  if constexpr (width == 1) {
    for (; c < length; ++c) update<1, 0>(t, first, last, factor, b + c, to + c, length);
  }
}

template <int width>
inline KINETUNE_LOOPS void solve(const Numbers& f, double* b, int length) {
  for (int p = 1; p < f.n; ++p) update_row<width>(f.lower, p, Pack<width>{} + 1.0, b, f.order[p], length);
  for (int p = f.n - 1; p >= 0; --p)
    update_row<width>(f.upper, p, pack<width>(f.inverse_pivots, f.order[p]), b, f.order[p], length);
}

KINETUNE_SIMD void solve_side_by_side(int width, const Numbers& f, double* b, int n_columns) {
  with_width(width, [&]<int w>() KINETUNE_LOOPS { solve<w>(f, b, n_columns * w); });
}

template <int width>
inline KINETUNE_LOOPS void solve_transposed(const Numbers& f, double* b) {
  using V = Pack<width>;
  const auto subtract = [&](const Numbers::Triangle& t, int p, const V& value) KINETUNE_LOOPS {
    for (int e = t.starts[p]; e < t.starts[p + 1]; ++e)
      pack<width>(b, t.columns[e]) -= pack<width>(t.values, e) * value;
  };
  for (int p = 0; p < f.n; ++p) {
    const V value = pack<width>(b, f.order[p]) * pack<width>(f.inverse_pivots, f.order[p]);
    pack<width>(b, f.order[p]) = value;
    subtract(f.upper, p, value);
  }
  for (int p = f.n - 1; p > 0; --p) subtract(f.lower, p, pack<width>(b, f.order[p]));
}

KINETUNE_SIMD void solve_transposed_side_by_side(int width, const Numbers& f, double* b) {
  with_width(width, [&]<int w>() KINETUNE_LOOPS { solve_transposed<w>(f, b); });
}

}  // namespace

StaticLu::StaticLu(const jit::Pattern& pattern, int width)
    : pattern_(pattern),
      elimination_(jit::eliminate(pattern)),
      n_(pattern.n_rows),
      width_(width),
      factors_((elimination_.lower.columns.size() + elimination_.upper.columns.size() + n_ + 1) * width),
      row_(static_cast<std::size_t>(n_) * width),
      careful_(width) {}

StaticLu::StaticLu(const jit::Pattern& pattern, const jit::RateKernels& kernels)
    : StaticLu(pattern, kernels.width()) {
  if (kernels.has_lu()) written_out_ = &kernels;
}

void StaticLu::forget() {
  for (const auto& careful : careful_) {
    if (careful) careful->forget();
  }
}

StaticLu::Numbers StaticLu::numbers() {
  double* next = factors_.data();
  const auto take = [&](std::size_t n) { return std::exchange(next, next + n * width_); };
  const auto view = [&](const jit::Elimination::Triangle& t) {
    return Numbers::Triangle{t.starts.data(), t.columns.data(), take(t.columns.size())};
  };
  const Numbers::Triangle lower = view(elimination_.lower), upper = view(elimination_.upper);
  double* inverse_pivots = take(n_);
  return {n_, elimination_.order.data(), elimination_.place.data(), lower, upper, inverse_pivots, take(1)};
}

LaneBits StaticLu::factor(const double* values) {
  const Numbers factors = numbers();
  if (written_out_)
    written_out_->factor(values, factors_.data());
  else
    eliminate_side_by_side(
        width_, factors,
        {elimination_.entry_starts.data(), elimination_.entry_values.data(),
         elimination_.entry_columns.data(), elimination_.on_diagonal.data(), values, row_.data()});
  const double* good = factors.good;
  of_careful_ = 0;
  LaneBits factored = 0;
  for (int lane = 0; lane < width_; ++lane) {
    if (good[lane] == 0.0 && factor_carefully(values, lane)) of_careful_ |= 1u << lane;
    if (good[lane] != 0.0 || has_lane(of_careful_, lane)) factored |= 1u << lane;
  }
  return factored;
}

bool StaticLu::factor_carefully(const double* values, int lane) {
  auto& careful = careful_[lane];
  if (!careful) careful = make_factorisation(pattern_, n_ > 100 ? LinearSolver::klu : LinearSolver::dense);
  if (width_ > 1) careful->forget();  // of another integration in this lane
  std::vector<double> of_lane(pattern_.rows.size());
  for (std::size_t e = 0; e < of_lane.size(); ++e) of_lane[e] = values[e * width_ + lane];
  return careful->factor(of_lane.data()) != 0;
}

/// Those lanes that have a careful factorisation by that one, the others by the static one.
template <class Static, class Careful>
void StaticLu::solve_each(double* b, std::size_t length, const Static& by_static, const Careful& by_careful) {
  if (of_careful_ == 0) return by_static();
  const PackVector given(b, b + length * width_);
  by_static();
  std::vector<double> of_lane(length);
  for (int lane = 0; lane < width_; ++lane) {
    if (!has_lane(of_careful_, lane)) continue;
    for (std::size_t i = 0; i < length; ++i) of_lane[i] = given[i * width_ + lane];
    by_careful(*careful_[lane], of_lane.data());
    for (std::size_t i = 0; i < length; ++i) b[i * width_ + lane] = of_lane[i];
  }
}

void StaticLu::solve(double* b) {
  solve_each(
      b, n_,
      [&] {
        if (!written_out_) return solve_side_by_side(width_, numbers(), b, 1);
        std::copy_n(b, row_.size(), row_.data());
        written_out_->solve(factors_.data(), row_.data(), b);
      },
      [](Factorisation& careful, double* of_lane) { careful.solve(of_lane); });
}

void StaticLu::solve_transposed(double* b) {
  solve_each(
      b, n_,
      [&] {
        if (!written_out_) return solve_transposed_side_by_side(width_, numbers(), b);
        std::copy_n(b, row_.size(), row_.data());
        written_out_->solve_transposed(factors_.data(), row_.data(), b);
      },
      [](Factorisation& careful, double* of_lane) { careful.solve_transposed(of_lane); });
}

void StaticLu::solve_block(double* b, int n_columns) {
  solve_each(
      b, static_cast<std::size_t>(n_) * n_columns,
      [&] { solve_side_by_side(width_, numbers(), b, n_columns); },
      [&](Factorisation& careful, double* of_lane) { careful.solve_block(of_lane, n_columns); });
}

}  // namespace kinetune::simulate
