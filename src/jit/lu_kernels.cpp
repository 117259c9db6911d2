#include "jit/lu_kernels.hpp"

#include <array>
#include <map>

#include <fmt/format.h>

#include "jit/elimination.hpp"

namespace kinetune::jit {
namespace {

using symbolic::Expr;
using symbolic::Op;

// Code for more takes long to compile and leaves the processor's cache for instructions: at 15,000 loops over
// index lists are as fast.
constexpr long most_products = 4000;

/// Writes out the operations as they are meant: simplification would flatten sums and products, and compute
/// what they share twice.
class LuWriter {
 public:
  LuWriter(symbolic::Graph& graph, const Elimination& pattern)
      : graph_(graph),
        pattern_(pattern),
        n_lower_(static_cast<int>(pattern.lower.columns.size())),
        n_upper_(static_cast<int>(pattern.upper.columns.size())),
        minus_one_(graph.constant(-1.0)) {}

  /// Values of the matrix to L, U, the pivots' inverses, and whether all pivots can be trusted.
  Kernel factor() {
    Kernel kernel{"lu_factor", std::vector<Expr>(n_lower_ + n_upper_ + pattern_.n + 1), {}};
    std::vector<Expr> upper(n_upper_), inverse_pivots(pattern_.n);
    Expr good;
    for (int p = 0; p < pattern_.n; ++p) {
      const int i = pattern_.order[p];
      std::map<int, std::vector<Expr>> terms;  // of each column
      for (int e = pattern_.entry_starts[p]; e < pattern_.entry_starts[p + 1]; ++e)
        terms[pattern_.entry_columns[e]] = {given(kernel, Slot::Array::argument, pattern_.entry_values[e])};
      for (int e = pattern_.lower.starts[p]; e < pattern_.lower.starts[p + 1]; ++e) {
        const int k = pattern_.lower.columns[e], above = pattern_.place[k];
        const Expr factor = product({sum(terms[k]), inverse_pivots[k]});
        kernel.results[e] = factor;
        for (int u = pattern_.upper.starts[above]; u < pattern_.upper.starts[above + 1]; ++u)
          terms[pattern_.upper.columns[u]].push_back(product({minus_one_, factor, upper[u]}));
      }
      for (int u = pattern_.upper.starts[p]; u < pattern_.upper.starts[p + 1]; ++u)
        upper[u] = kernel.results[n_lower_ + u] = sum(terms[pattern_.upper.columns[u]]);
      const Expr pivot = sum(terms[i]), is_good = can_be_trusted(pivot, terms[i]);
      inverse_pivots[i] = intern(Op::pow, {pivot, minus_one_});
      kernel.results[n_lower_ + n_upper_ + i] = inverse_pivots[i];
      good = good ? intern(Op::logical_and, {good, is_good}) : is_good;
    }
    kernel.results.back() = intern(Op::select, {good, graph_.constant(1.0), graph_.constant(0.0)});
    return kernel;
  }

  /// Those and a right-hand side to the solution.
  Kernel solve() {
    Kernel kernel{"lu_solve", {}, {}};
    std::vector<std::vector<Expr>> terms = right_hand_side(kernel);
    std::vector<Expr> b(pattern_.n);
    for (int p = 0; p < pattern_.n; ++p) {
      const int i = pattern_.order[p];
      subtract(kernel, pattern_.lower, 0, p, [&](int k, Expr l) { terms[i].push_back(negative(l, b[k])); });
      b[i] = sum(terms[i]);
    }
    for (int p = pattern_.n - 1; p >= 0; --p) {
      const int i = pattern_.order[p];
      std::vector<Expr> of_row{b[i]};
      subtract(kernel, pattern_.upper, n_lower_, p,
               [&](int j, Expr u) { of_row.push_back(negative(u, b[j])); });
      b[i] = product({sum(of_row), inverse_pivot(kernel, i)});
    }
    kernel.results = b;
    return kernel;
  }

  /// The same for the transposed matrix.
  Kernel solve_transposed() {
    Kernel kernel{"lu_solve_transposed", {}, {}};
    std::vector<std::vector<Expr>> terms = right_hand_side(kernel);
    for (int p = 0; p < pattern_.n; ++p) {
      const int i = pattern_.order[p];
      const Expr value = product({sum(terms[i]), inverse_pivot(kernel, i)});
      terms[i] = {value};
      subtract(kernel, pattern_.upper, n_lower_, p,
               [&](int j, Expr u) { terms[j].push_back(negative(u, value)); });
    }
    std::vector<Expr> b(pattern_.n);
    for (int p = pattern_.n - 1; p >= 0; --p) {
      const int i = pattern_.order[p];
      b[i] = sum(terms[i]);
      subtract(kernel, pattern_.lower, 0, p, [&](int k, Expr l) { terms[k].push_back(negative(l, b[i])); });
    }
    kernel.results = b;
    return kernel;
  }

 private:
  Expr intern(Op op, std::initializer_list<Expr> args) {
    return graph_.intern(op, std::span(args.begin(), args.size()));
  }
  Expr product(std::initializer_list<Expr> factors) { return intern(Op::mul, factors); }
  Expr negative(Expr a, Expr b) { return product({minus_one_, a, b}); }
  Expr sum(const std::vector<Expr>& terms) {
    if (terms.empty()) return graph_.constant(0.0);
    return terms.size() == 1 ? terms.front() : graph_.intern(Op::add, terms);
  }

  Expr can_be_trusted(Expr pivot, const std::vector<Expr>& terms) {
    std::vector<Expr> sizes;
    for (const Expr term : terms) sizes.push_back(intern(Op::abs, {term}));
    const Expr least = product({graph_.constant(worst_cancellation), sum(sizes)});
    return intern(Op::less, {least, intern(Op::abs, {pivot})});  // nor can be what is no number
  }

  Expr given(Kernel& kernel, Slot::Array array, int index) {
    const Expr symbol = graph_.symbol(fmt::format("#lu{}_{}", static_cast<int>(array), index));
    kernel.own.emplace(symbol.id(), Slot{array, index});
    return symbol;
  }
  Expr inverse_pivot(Kernel& kernel, int i) {
    return given(kernel, Slot::Array::argument, n_lower_ + n_upper_ + i);
  }
  std::vector<std::vector<Expr>> right_hand_side(Kernel& kernel) {
    std::vector<std::vector<Expr>> terms;
    for (int i = 0; i < pattern_.n; ++i) terms.push_back({given(kernel, Slot::Array::state, i)});
    return terms;
  }

  /// Calls add(column, value) for each entry of a row.
  void subtract(Kernel& kernel, const Elimination::Triangle& triangle, int offset, int p, const auto& add) {
    for (int e = triangle.starts[p]; e < triangle.starts[p + 1]; ++e)
      add(triangle.columns[e], given(kernel, Slot::Array::argument, offset + e));
  }

  symbolic::Graph& graph_;
  const Elimination& pattern_;
  int n_lower_, n_upper_;
  Expr minus_one_;
};

}  // namespace

void add_lu_kernels(symbolic::Graph& graph, ModelCode& code, KernelSet& set) {
  if (code.n_states == 0) return;
  const Elimination elimination = eliminate(code.jacobian);
  if (elimination.n_products() > most_products) return;
  LuWriter writer(graph, elimination);
  set.kernels.insert(set.kernels.end(), {writer.factor(), writer.solve(), writer.solve_transposed()});
  code.has_lu = true;
}

}  // namespace kinetune::jit
