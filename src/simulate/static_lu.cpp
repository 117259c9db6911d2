#include "simulate/static_lu.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "simulate/simd.hpp"

namespace kinetune::simulate {
namespace {

// A pivot below this share of the terms that it is the sum of has lost too many digits.
constexpr double worst_cancellation = 1e-7;

/// b = b - sum_e values_e b[columns_e], rows of length n_columns.
struct RowUpdate {
  const int* columns;
  const double* values;
  int n_entries;
};

using Lanes = double __attribute__((vector_size(64), aligned(8), may_alias));
constexpr int n_lanes = 8;

/// Rows of 8 or 16 columns stay in registers; others go column by column.
inline __attribute__((always_inline)) void update(const RowUpdate& u, double factor, const double* b,
                                                  double* row, int n_columns) {
  int c = 0;
  for (; c + 2 * n_lanes <= n_columns; c += 2 * n_lanes) {
    Lanes low = *reinterpret_cast<const Lanes*>(row + c);
    Lanes high = *reinterpret_cast<const Lanes*>(row + c + n_lanes);
    for (int e = 0; e < u.n_entries; ++e) {
      const double* other = b + static_cast<std::ptrdiff_t>(u.columns[e]) * n_columns + c;
      low -= u.values[e] * *reinterpret_cast<const Lanes*>(other);
      high -= u.values[e] * *reinterpret_cast<const Lanes*>(other + n_lanes);
    }
    *reinterpret_cast<Lanes*>(row + c) = low * factor;
    *reinterpret_cast<Lanes*>(row + c + n_lanes) = high * factor;
  }
  for (; c + n_lanes <= n_columns; c += n_lanes) {
    Lanes sum = *reinterpret_cast<const Lanes*>(row + c);
    for (int e = 0; e < u.n_entries; ++e) {
      const double* other = b + static_cast<std::ptrdiff_t>(u.columns[e]) * n_columns + c;
      sum -= u.values[e] * *reinterpret_cast<const Lanes*>(other);
    }
    *reinterpret_cast<Lanes*>(row + c) = sum * factor;
  }
  for (; c < n_columns; ++c) {
    double sum = row[c];
    for (int e = 0; e < u.n_entries; ++e) {
      sum -= u.values[e] * b[static_cast<std::ptrdiff_t>(u.columns[e]) * n_columns + c];
    }
    row[c] = sum * factor;
  }
}

struct TriangleView {
  const int* starts;
  const int* columns;
  const double* values;

  RowUpdate row(int place) const {
    return {columns + starts[place], values + starts[place], starts[place + 1] - starts[place]};
  }
};

KINETUNE_SIMD void solve_rows(int n, const int* order, const TriangleView& lower, const TriangleView& upper,
                              const double* inverse_pivots, double* b, int n_columns) {
  const auto row = [&](int i) { return b + static_cast<std::ptrdiff_t>(i) * n_columns; };
  for (int place = 1; place < n; ++place) update(lower.row(place), 1.0, b, row(order[place]), n_columns);
  for (int place = n - 1; place >= 0; --place) {
    update(upper.row(place), inverse_pivots[order[place]], b, row(order[place]), n_columns);
  }
}

}  // namespace

StaticLu::StaticLu(const jit::Pattern& pattern)
    : pattern_(pattern), n_(pattern.n_rows), inverse_pivots_(n_), row_(n_) {
  eliminate_symbolically();
  lower_.values.resize(lower_.columns.size());
  upper_.values.resize(upper_.columns.size());
}

void StaticLu::eliminate_symbolically() {
  std::vector<std::set<int>> rows(n_), columns(n_);  // of what is not eliminated yet, without the diagonal
  std::vector<std::vector<int>> filled(n_);          // columns of each row in the end
  for (int j = 0; j < n_; ++j) {
    for (int e = pattern_.column_starts[j]; e < pattern_.column_starts[j + 1]; ++e) {
      if (pattern_.rows[e] == j) continue;
      rows[pattern_.rows[e]].insert(j);
      columns[j].insert(pattern_.rows[e]);
    }
  }
  place_.resize(n_);
  std::vector<int> left(n_);
  for (int i = 0; i < n_; ++i) left[i] = i;
  while (!left.empty()) {
    const auto pivot =
        std::ranges::min_element(left, {}, [&](int i) { return rows[i].size() * columns[i].size(); });
    const int k = *pivot;
    left.erase(pivot);
    place_[k] = static_cast<int>(order_.size());
    order_.push_back(k);
    for (const int j : rows[k]) {
      columns[j].erase(k);
      filled[k].push_back(j);
    }
    for (const int i : columns[k]) {
      rows[i].erase(k);
      filled[i].push_back(k);
      for (const int j : rows[k]) {
        if (i != j && rows[i].insert(j).second) columns[j].insert(i);
      }
    }
  }
  for (const int i : order_) store_row(i, filled[i]);
  std::vector<std::vector<Entry>> by_row(n_);
  for (int j = 0; j < n_; ++j) {
    for (int e = pattern_.column_starts[j]; e < pattern_.column_starts[j + 1]; ++e)
      by_row[pattern_.rows[e]].push_back({e, j});
  }
  entry_starts_.push_back(0);
  for (const int i : order_) {
    entries_.insert(entries_.end(), by_row[i].begin(), by_row[i].end());
    entry_starts_.push_back(static_cast<int>(entries_.size()));
  }
}

void StaticLu::store_row(int row, const std::vector<int>& columns) {
  std::vector<int> sorted = columns;
  std::ranges::sort(sorted, {}, [&](int j) { return place_[j]; });
  for (const int j : sorted) {
    if (place_[j] > place_[row]) {
      upper_.columns.push_back(j);
      continue;
    }
    lower_.columns.push_back(j);
    const auto first = upper_.columns.begin() + upper_.starts[place_[j]];
    const auto last = upper_.columns.begin() + upper_.starts[place_[j] + 1];
    const auto found = std::find(first, last, row);
    on_diagonal_.push_back(found == last ? -1 : static_cast<int>(found - upper_.columns.begin()));
  }
  lower_.starts.push_back(static_cast<int>(lower_.columns.size()));
  upper_.starts.push_back(static_cast<int>(upper_.columns.size()));
}

void StaticLu::forget() {
  if (careful_) careful_->forget();
}

bool StaticLu::factor(const double* values) {
  is_careful_ = false;
  if (eliminate(values)) return true;
  if (!careful_) {
    careful_ = make_factorisation(pattern_, n_ > 100 ? LinearSolver::klu : LinearSolver::dense);
  }
  is_careful_ = careful_->factor(values);
  return is_careful_;
}

/// Row by row; false where a pivot cannot be trusted.
bool StaticLu::eliminate(const double* values) {
  double* row = row_.data();
  for (int place = 0; place < n_; ++place) {
    const int i = order_[place];
    for (int e = upper_.starts[place]; e < upper_.starts[place + 1]; ++e) row[upper_.columns[e]] = 0.0;
    for (int e = lower_.starts[place]; e < lower_.starts[place + 1]; ++e) row[lower_.columns[e]] = 0.0;
    row[i] = 0.0;
    for (int e = entry_starts_[place]; e < entry_starts_[place + 1]; ++e)
      row[entries_[e].column] = values[entries_[e].value];
    double size = std::fabs(row[i]);
    for (int e = lower_.starts[place]; e < lower_.starts[place + 1]; ++e) {
      const int k = lower_.columns[e];
      const double factor = lower_.values[e] = row[k] * inverse_pivots_[k];
      const int above = place_[k];
      for (int f = upper_.starts[above]; f < upper_.starts[above + 1]; ++f)
        row[upper_.columns[f]] -= factor * upper_.values[f];
      if (on_diagonal_[e] >= 0) size += std::fabs(factor * upper_.values[on_diagonal_[e]]);
    }
    if (!(std::fabs(row[i]) > worst_cancellation * size) || !std::isfinite(row[i])) return false;
    inverse_pivots_[i] = 1.0 / row[i];
    for (int e = upper_.starts[place]; e < upper_.starts[place + 1]; ++e)
      upper_.values[e] = row[upper_.columns[e]];
  }
  return true;
}

void StaticLu::solve(double* b) {
  if (is_careful_) return careful_->solve(b);
  for (int place = 1; place < n_; ++place) {
    double sum = b[order_[place]];
    for (int e = lower_.starts[place]; e < lower_.starts[place + 1]; ++e)
      sum -= lower_.values[e] * b[lower_.columns[e]];
    b[order_[place]] = sum;
  }
  for (int place = n_ - 1; place >= 0; --place) {
    double sum = b[order_[place]];
    for (int e = upper_.starts[place]; e < upper_.starts[place + 1]; ++e)
      sum -= upper_.values[e] * b[upper_.columns[e]];
    b[order_[place]] = sum * inverse_pivots_[order_[place]];
  }
}

void StaticLu::solve_transposed(double* b) {
  if (is_careful_) return careful_->solve_transposed(b);
  for (int place = 0; place < n_; ++place) {
    const double value = b[order_[place]] *= inverse_pivots_[order_[place]];
    for (int e = upper_.starts[place]; e < upper_.starts[place + 1]; ++e)
      b[upper_.columns[e]] -= upper_.values[e] * value;
  }
  for (int place = n_ - 1; place > 0; --place) {
    const double value = b[order_[place]];
    for (int e = lower_.starts[place]; e < lower_.starts[place + 1]; ++e)
      b[lower_.columns[e]] -= lower_.values[e] * value;
  }
}

void StaticLu::solve_block(double* b, int n_columns) {
  if (is_careful_) return careful_->solve_block(b, n_columns);
  const auto view = [](const Triangle& t) {
    return TriangleView{t.starts.data(), t.columns.data(), t.values.data()};
  };
  solve_rows(n_, order_.data(), view(lower_), view(upper_), inverse_pivots_.data(), b, n_columns);
}

}  // namespace kinetune::simulate
