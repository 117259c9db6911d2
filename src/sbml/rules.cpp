#include <algorithm>

#include <fmt/format.h>
#include <sbml/SBMLTypes.h>

#include "sbml/import.hpp"

namespace kinetune::sbml {
namespace {

/// Time derivatives of states and of what follows from them.
class Rates {
 public:
  explicit Rates(Import& import) : import_(import), differentiate_(*import.model.graph) {
    for (const model::State& state : import.model.states) states_.emplace(state.symbol, state.rate);
    for (const model::Derived& derived : import.model.derived)
      derived_.emplace(derived.symbol, derived.value);
  }

  /// By the chain rule; may ask for further rates.
  Expr operator()(Expr symbol) {
    if (const auto state = states_.find(symbol); state != states_.end()) return state->second;
    symbolic::Graph& graph = *import_.model.graph;
    const auto derived = derived_.find(symbol);
    if (derived == derived_.end()) return graph.constant(0);
    refuse_delays(symbol, derived->second);
    std::vector<Expr> terms{differentiate_(derived->second, import_.model.time)};
    for (const Expr variable : symbolic::free_symbols(derived->second)) {
      if (!states_.contains(variable) && !derived_.contains(variable)) continue;
      terms.push_back(differentiate_(derived->second, variable) * import_.maths.rate_of(variable));
    }
    return symbolic::sum(graph, terms);
  }

 private:
  void refuse_delays(Expr symbol, Expr value) const {
    const auto used = symbolic::free_symbols(value);
    for (const model::Delay& delay : import_.model.delays) {
      if (std::ranges::find(used, delay.symbol) == used.end()) continue;
      throw core::Error(delay.where,
                        fmt::format("rateOf({}) is not supported: it depends on a delay", symbol.name()));
    }
  }

  Import& import_;
  symbolic::Differentiator differentiate_;
  symbolic::ExprMap states_, derived_;
};

}  // namespace

void add_algebraic_rules(Import& import) {
  for (unsigned i = 0; i < import.source.getNumRules(); ++i) {
    const Rule& rule = *import.source.getRule(i);
    if (!rule.isAlgebraic() || !rule.isSetMath()) continue;
    const core::Location where = import.where(rule);
    import.model.algebraic.push_back({import.translate(rule, "an algebraic rule"), where});
  }
  if (import.model.algebraic.empty()) return;
  for (const Quantity& quantity : import.quantities) {
    if (quantity.may_solve_algebraic_rule) import.model.algebraic_unknowns.push_back(quantity.symbol);
  }
}

void define_rates_asked_for(Import& import) {
  Rates rates(import);
  // The list grows while it is worked off.
  for (std::size_t i = 0; i < import.maths.rates_asked_for().size(); ++i) {
    const Expr target = import.maths.rates_asked_for()[i];
    const Expr symbol = import.maths.rate_of(target);
    import.model.derived.push_back({symbol.name(), symbol, rates(target), {}, target});
  }
}

}  // namespace kinetune::sbml
