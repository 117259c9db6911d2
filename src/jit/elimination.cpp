#include "jit/elimination.hpp"

#include <algorithm>
#include <numeric>
#include <set>

namespace kinetune::jit {
namespace {

/// Chooses the order.
/// @returns the columns of each row in the end, without the diagonal
std::vector<std::vector<int>> order_rows(const Pattern& pattern, Elimination& result) {
  const int n = result.n;
  std::vector<std::set<int>> rows(n), columns(n);  // of what is not eliminated yet, without the diagonal
  std::vector<std::vector<int>> filled(n);
  for (int j = 0; j < n; ++j) {
    for (int e = pattern.column_starts[j]; e < pattern.column_starts[j + 1]; ++e) {
      if (pattern.rows[e] == j) continue;
      rows[pattern.rows[e]].insert(j);
      columns[j].insert(pattern.rows[e]);
    }
  }
  result.place.resize(n);
  std::vector<int> left(n);
  std::iota(left.begin(), left.end(), 0);
  while (!left.empty()) {
    const auto pivot =
        std::ranges::min_element(left, {}, [&](int i) { return rows[i].size() * columns[i].size(); });
    const int k = *pivot;
    left.erase(pivot);
    result.place[k] = static_cast<int>(result.order.size());
    result.order.push_back(k);
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
  return filled;
}

void add_row(int row, std::vector<int> columns, Elimination& result) {
  std::ranges::sort(columns, {}, [&](int j) { return result.place[j]; });
  Elimination::Triangle &lower = result.lower, &upper = result.upper;
  for (const int j : columns) {
    const int place = result.place[j];
    if (place > result.place[row]) {
      upper.columns.push_back(j);
      continue;
    }
    lower.columns.push_back(j);
    const auto first = upper.columns.begin() + upper.starts[place];
    const auto last = upper.columns.begin() + upper.starts[place + 1];
    const auto found = std::find(first, last, row);
    result.on_diagonal.push_back(found == last ? -1 : static_cast<int>(found - upper.columns.begin()));
  }
  lower.starts.push_back(static_cast<int>(lower.columns.size()));
  upper.starts.push_back(static_cast<int>(upper.columns.size()));
}

void add_entries(const Pattern& pattern, Elimination& result) {
  std::vector<std::vector<std::pair<int, int>>> by_row(result.n);
  for (int j = 0; j < result.n; ++j) {
    for (int e = pattern.column_starts[j]; e < pattern.column_starts[j + 1]; ++e)
      by_row[pattern.rows[e]].emplace_back(e, j);
  }
  result.entry_starts.push_back(0);
  for (const int i : result.order) {
    for (const auto& [value, column] : by_row[i]) {
      result.entry_values.push_back(value);
      result.entry_columns.push_back(column);
    }
    result.entry_starts.push_back(static_cast<int>(result.entry_values.size()));
  }
}

}  // namespace

long Elimination::n_products() const {
  long n_products = static_cast<long>(lower.columns.size());
  for (const int k : lower.columns) n_products += upper.starts[place[k] + 1] - upper.starts[place[k]];
  return n_products;
}

Elimination eliminate(const Pattern& pattern) {
  Elimination result;
  result.n = pattern.n_rows;
  const auto filled = order_rows(pattern, result);
  for (const int i : result.order) add_row(i, filled[i], result);
  add_entries(pattern, result);
  return result;
}

}  // namespace kinetune::jit
