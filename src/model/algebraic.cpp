#include <algorithm>

#include <fmt/format.h>

#include "model/expansion.hpp"

namespace kinetune::model {
namespace {

/// Solves the equations one after the other; each solution is put into the equations that follow.
class Elimination {
 public:
  explicit Elimination(OdeModel& model) : model_(model), expand_(*model.graph), differentiate_(*model.graph) {
    for (const Derived& derived : model.derived) expand_.define(derived, derived.value);
    for (const Expr unknown : model.algebraic_unknowns) unknowns_.push_back(what_is_kept(unknown));
    // What events set is better left to them. (clang 14 cannot compile the algorithm of std::ranges.)
    std::stable_partition(unknowns_.begin(), unknowns_.end(),
                          [&](Expr unknown) { return !is_set_by_events(unknown); });
  }

  void solve(const Algebraic& equation) {
    const Expr residual = symbolic::substitute(expand_(equation.residual), solutions_);
    for (const Expr unknown : unknowns_) {
      const Expr slope = differentiate_(residual, unknown);
      if (slope.is_constant(0.0) || contains(slope, unknown)) continue;
      const Expr rest = symbolic::substitute(residual, {{unknown, model_.graph->constant(0)}});
      settle(equation, unknown, -rest / slope);
      return;
    }
    throw core::Error(equation.where,
                      "the algebraic rule is not linear in any quantity that it may determine",
                      "solve it for one of them by an assignment rule");
  }

 private:
  static bool contains(Expr expression, Expr symbol) {
    return std::ranges::binary_search(symbolic::free_symbols(expression), symbol.id(), {}, &Expr::id);
  }

  bool is_set_by_events(Expr symbol) const {
    return std::ranges::any_of(model_.events, [&](const Event& event) {
      return std::ranges::find(event.assignments, symbol, &EventAssignment::target) !=
             event.assignments.end();
    });
  }

  /// The amount of a species whose concentration is derived, otherwise the unknown itself.
  Expr what_is_kept(Expr unknown) const {
    const State* amount = model_.state(unknown.name() + ".amount");
    return amount ? amount->symbol : unknown;
  }

  void settle(const Algebraic& equation, Expr unknown, Expr solution) {
    const std::string id = id_of(unknown);
    if (is_set_by_events(unknown)) {
      throw core::Error(equation.where,
                        fmt::format("an event sets {}, which the algebraic rule determines", id),
                        "let one of them alone do it");
    }
    std::erase(unknowns_, unknown);
    const auto is_unknown = [&](const auto& entry) { return entry.symbol == unknown; };
    std::erase_if(model_.states, is_unknown);
    std::erase_if(model_.parameters, is_unknown);
    std::erase_if(model_.initial_constants, is_unknown);
    model_.derived.push_back({id, unknown, solution, equation.where});
    for (auto& [symbol, earlier] : solutions_) earlier = symbolic::substitute(earlier, {{unknown, solution}});
    solutions_.emplace(unknown, solution);
  }

  std::string id_of(Expr symbol) const {
    const auto id_in = [&](const auto& entries) {
      const auto entry = std::ranges::find(entries, symbol, [](const auto& e) { return e.symbol; });
      return entry == entries.end() ? std::string() : entry->id;
    };
    for (const std::string& id : {id_in(model_.states), id_in(model_.parameters)}) {
      if (!id.empty()) return id;
    }
    return id_in(model_.initial_constants);
  }

  OdeModel& model_;
  Expansion expand_;
  symbolic::Differentiator differentiate_;
  std::vector<Expr> unknowns_;
  symbolic::ExprMap solutions_;  // none of them in terms of another
};

}  // namespace

void solve_algebraic(OdeModel& model) {
  if (model.algebraic.empty()) return;
  Elimination elimination(model);
  for (const Algebraic& equation : model.algebraic) elimination.solve(equation);
  model.algebraic.clear();
  model.algebraic_unknowns.clear();
}

}  // namespace kinetune::model
