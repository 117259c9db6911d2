#include <set>

#include <gtest/gtest.h>

#include "core/random.hpp"
#include "jit/elimination.hpp"

using namespace kinetune;

namespace {

jit::Pattern pattern_of(int n, const std::set<std::pair<int, int>>& entries) {
  jit::Pattern pattern{n, n, {0}, {}};
  for (int j = 0; j < n; ++j) {
    for (int i = 0; i < n; ++i)
      if (i == j || entries.contains({i, j})) pattern.rows.push_back(i);
    pattern.column_starts.push_back(pattern.n_nonzeros());
  }
  return pattern;
}

}  // namespace

TEST(Elimination, an_arrow_does_not_fill_whichever_way_it_points) {
  for (const int centre : {0, 3, 9}) {
    std::set<std::pair<int, int>> entries;
    for (int i = 0; i < 10; ++i) {
      entries.emplace(i, centre);
      entries.emplace(centre, i);
    }
    const auto elimination = jit::eliminate(pattern_of(10, entries));
    EXPECT_EQ(elimination.lower.columns.size(), 9);
    EXPECT_EQ(elimination.upper.columns.size(), 9);
    EXPECT_EQ(elimination.n_products(), 18) << "a factor and a product a row";
  }
}

TEST(Elimination, each_entry_of_the_matrix_and_each_fill_has_its_place) {
  core::RandomStream random(3, 0);
  std::set<std::pair<int, int>> entries;
  const int n = 30;
  while (entries.size() < 90)
    entries.emplace(static_cast<int>(random.uniform() * n), static_cast<int>(random.uniform() * n));
  const auto elimination = jit::eliminate(pattern_of(n, entries));
  std::set<std::pair<int, int>> filled;
  for (int p = 0; p < n; ++p) {
    const int row = elimination.order[p];
    EXPECT_EQ(elimination.place[row], p);
    for (const auto* triangle : {&elimination.lower, &elimination.upper})
      for (int e = triangle->starts[p]; e < triangle->starts[p + 1]; ++e) {
        const int column = triangle->columns[e];
        EXPECT_EQ(elimination.place[column] < p, triangle == &elimination.lower);
        EXPECT_TRUE(filled.emplace(row, column).second);
      }
  }
  for (const auto& [i, j] : entries) EXPECT_TRUE(i == j || filled.contains({i, j}));
  for (const auto& [i, k] : filled)
    for (int j = 0; j < n; ++j) {
      const int before = elimination.place[k];
      if (before >= elimination.place[i] || elimination.place[j] <= before || i == j) continue;
      EXPECT_TRUE(!filled.contains({k, j}) || filled.contains({i, j})) << "row " << i << " after " << k;
    }
}
