#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "model/expansion.hpp"

namespace kinetune::model {
namespace {

/// Solves the equations one after the other; each solution is put into the equations that follow. What is
/// linear in none of its unknowns is put off until the others are solved, and then made an ODE.
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
    put_off_.push_back(&equation);
  }

  /// Differentiates 0 = g(y, x, t) by time: y' = -(g_t + g_x x') / g_y. What the model gives as initial value
  /// is where the solution is looked for.
  void solve_what_was_put_off() {
    for (const Algebraic* equation : std::exchange(put_off_, {})) {
      const Expr residual = symbolic::substitute(expand_(equation->residual), solutions_);
      std::vector<Expr> candidates;
      for (const Expr unknown : unknowns_) {
        if (contains(residual, unknown)) candidates.push_back(unknown);
      }
      if (candidates.size() != 1) {
        throw core::Error(
            equation->where,
            fmt::format("the algebraic rule is not linear in any quantity that it may determine, and {}",
                        candidates.empty() ? "determines none" : "the others do not leave just one to it"),
            "solve it for one of them by an assignment rule");
      }
      make_state(*equation, residual, candidates.front());
    }
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

  /// Takes the unknown out of what the model has it as.
  void release(const Algebraic& equation, Expr unknown) {
    if (is_set_by_events(unknown)) {
      throw core::Error(equation.where,
                        fmt::format("an event sets {}, which the algebraic rule determines", id_of(unknown)),
                        "let one of them alone do it");
    }
    std::erase(unknowns_, unknown);
    const auto is_unknown = [&](const auto& entry) { return entry.symbol == unknown; };
    std::erase_if(model_.states, is_unknown);
    std::erase_if(model_.parameters, is_unknown);
    std::erase_if(model_.initial_constants, is_unknown);
  }

  void make_state(const Algebraic& equation, Expr residual, Expr unknown) {
    const std::string id = id_of(unknown);
    const Expr slope = differentiate_(residual, unknown), start = given_value(unknown);
    release(equation, unknown);
    Expr drift = differentiate_(residual, model_.time);
    for (const Expr symbol : symbolic::free_symbols(residual)) {
      if (symbol == unknown || symbol == model_.time) continue;
      const auto state = std::ranges::find(model_.states, symbol, &State::symbol);
      if (state != model_.states.end()) {
        drift = drift + differentiate_(residual, symbol) * state->rate;
      } else if (std::ranges::find(model_.delays, symbol, &Delay::symbol) != model_.delays.end()) {
        throw core::Error(equation.where, "an algebraic rule that is not linear looks at a delayed value",
                          "solve it for " + id + " by an assignment rule");
      }
    }
    model_.states.push_back({id, unknown, -drift / slope, start, equation.where});
    model_.constraints.push_back({unknown, residual, equation.where});
  }

  /// Where the model says that the unknown starts; 1 if it does not.
  Expr given_value(Expr unknown) const {
    for (const State& state : model_.states) {
      if (state.symbol == unknown) return state.initial;
    }
    for (const InitialConstant& constant : model_.initial_constants) {
      if (constant.symbol == unknown) return constant.initial;
    }
    for (const Parameter& parameter : model_.parameters) {
      if (parameter.symbol == unknown && !std::isnan(parameter.value))
        return model_.graph->constant(parameter.value);
    }
    return model_.graph->constant(1);
  }

  void settle(const Algebraic& equation, Expr unknown, Expr solution) {
    const std::string id = id_of(unknown);
    release(equation, unknown);
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
  std::vector<const Algebraic*> put_off_;
};

}  // namespace

void solve_algebraic(OdeModel& model) {
  if (model.algebraic.empty()) return;
  Elimination elimination(model);
  for (const Algebraic& equation : model.algebraic) elimination.solve(equation);
  elimination.solve_what_was_put_off();
  model.algebraic.clear();
  model.algebraic_unknowns.clear();
}

}  // namespace kinetune::model
