#include "jit/second_derivatives.hpp"

#include <unordered_map>

namespace kinetune::jit {
namespace {

using symbolic::Differentiator;
using symbolic::Expr;

/// Second derivatives that are equal as expressions are computed once.
class DistinctValues {
 public:
  int index_of(Expr value) {
    const auto [entry, is_new] = index_.try_emplace(value.id(), static_cast<int>(values_.size()));
    if (is_new) values_.push_back(value);
    return entry->second;
  }
  std::vector<Expr> take() { return std::move(values_); }

 private:
  std::unordered_map<std::uint32_t, int> index_;
  std::vector<Expr> values_;
};

/// A direction of the contraction that a symbol stands for.
using Directions = std::unordered_map<std::uint32_t, int>;

/// What a matrix of first derivatives changes by along the directions.
Contraction contract(const Pattern& pattern, const std::vector<Expr>& first, const Directions& directions,
                     int& terms_left, Differentiator& d, DistinctValues& values) {
  Contraction result;
  result.pattern.n_rows = pattern.n_rows;
  result.pattern.n_cols = pattern.n_cols;
  result.pattern.column_starts.push_back(0);
  result.term_starts.push_back(0);
  for (int column = 0; column < pattern.n_cols; ++column) {
    for (int e = pattern.column_starts[column]; e < pattern.column_starts[column + 1]; ++e) {
      for (const Expr symbol : symbolic::free_symbols(first[e])) {
        const auto direction = directions.find(symbol.id());
        if (direction == directions.end()) continue;
        const Expr value = d(first[e], symbol);
        if (value.is_constant(0.0)) continue;
        if (--terms_left < 0) return {};
        result.values.push_back(values.index_of(value));
        result.directions.push_back(direction->second);
      }
      if (result.n_terms() == result.term_starts.back()) continue;
      result.pattern.rows.push_back(pattern.rows[e]);
      result.term_starts.push_back(result.n_terms());
    }
    result.pattern.column_starts.push_back(result.pattern.n_nonzeros());
  }
  return result;
}

}  // namespace

void add_second_derivatives(const model::FlatModel& model, const std::vector<Expr>& rates,
                            const RateDerivatives& first, int max_terms, Differentiator& d, ModelCode& code,
                            KernelSet& set) {
  if (!model.delays.empty()) return;
  Kernel by_time{"rates_by_time", {}, {}};
  for (std::size_t i = 0; i < rates.size(); ++i) {
    const Expr slope = d(rates[i], model.time);
    if (slope.is_constant(0.0)) continue;
    by_time.results.push_back(slope);
    code.curvature.rates_by_time.push_back(static_cast<int>(i));
  }

  Directions directions;
  for (int j = 0; j < code.n_states; ++j) directions.emplace(model.state_symbols[j].id(), j);
  directions.emplace(model.time.id(), code.n_states);
  DistinctValues values;
  int terms_left = max_terms;
  code.curvature.by_state =
      contract(first.by_state_pattern, first.by_state, directions, terms_left, d, values);
  code.curvature.by_parameter =
      contract(first.by_parameter_pattern, first.by_parameter, directions, terms_left, d, values);
  if (terms_left < 0) {
    code.curvature = {};
    return;
  }
  Kernel second{"second_derivatives", values.take(), {}};
  code.curvature.n_values = static_cast<int>(second.results.size());
  code.curvature.is_present = true;
  set.kernels.push_back(std::move(by_time));
  set.kernels.push_back(std::move(second));
}

}  // namespace kinetune::jit
