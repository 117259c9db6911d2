#include <algorithm>
#include <cassert>
#include <unordered_set>

#include "model/ode_model.hpp"

namespace kinetune::model {
namespace {

using symbolic::ExprHash;
using symbolic::ExprMap;
using symbolic::Graph;

/// What a symbol stands for, and where that is written.
struct Definition {
  Expr value;
  const std::string* id;
  const core::Location* where;
};

/// Replaces defined symbols by what they stand for, and what that stands for in turn. Every node is visited
/// once over all calls. The walk keeps its own stack, so a chain of definitions may be of any length.
class Expansion {
 public:
  explicit Expansion(Graph& graph) : graph_(graph) {}

  template <class Entry>
  void define(const Entry& entry, Expr value) {
    [[maybe_unused]] const bool is_new =
        definitions_.emplace(entry.symbol, Definition{value, &entry.id, &entry.where}).second;
    assert(is_new);
  }

  /// @throws core::Error when a definition depends on itself
  Expr operator()(Expr root) {
    stack_.assign(1, root);
    while (!stack_.empty()) {
      const Expr top = stack_.back();
      if (!known_.contains(top) && open_.insert(top).second) {
        push_what_is_needed(top);
        continue;
      }
      if (!known_.contains(top)) known_.emplace(top, rebuilt(top));
      open_.erase(top);
      stack_.pop_back();
    }
    return known_.at(root);
  }

 private:
  void push_what_is_needed(Expr node) {
    if (const auto definition = definitions_.find(node); definition != definitions_.end()) {
      push(definition->second.value);
    } else if (!node.is_constant() && !node.is_symbol()) {
      for (const Expr arg : node.args()) push(arg);
    }
  }

  void push(Expr node) {
    if (known_.contains(node)) return;
    if (open_.contains(node)) refuse_cycle(node);  // still open: the walk came from it
    stack_.push_back(node);
  }

  Expr rebuilt(Expr node) {
    if (const auto definition = definitions_.find(node); definition != definitions_.end()) {
      return known_.at(definition->second.value);
    }
    if (node.is_constant() || node.is_symbol()) return node;
    const auto before = node.args();
    const std::vector<Expr> old(before.begin(), before.end());
    std::vector<Expr> args;
    args.reserve(old.size());
    for (const Expr arg : old) args.push_back(known_.at(arg));
    return args == old ? node : graph_.make(node.op(), args);
  }

  [[noreturn]] void refuse_cycle(Expr closing) const {
    // From the top down to where `closing` was opened. Below, a node may wait on the stack a second time.
    std::vector<const Definition*> cycle;
    std::unordered_set<Expr, ExprHash> seen;
    for (auto node = stack_.rbegin(); node != stack_.rend(); ++node) {
      const auto definition = definitions_.find(*node);
      if (definition != definitions_.end() && open_.contains(*node) && seen.insert(*node).second) {
        cycle.push_back(&definition->second);
      }
      if (*node == closing) break;
    }
    std::ranges::reverse(cycle);
    std::string names;
    for (const Definition* definition : cycle) names += *definition->id + " -> ";
    throw core::Error(*cycle.front()->where,
                      "quantities are defined by each other: " + names + *cycle.front()->id,
                      "break the cycle");
  }

  Graph& graph_;
  std::unordered_map<Expr, Definition, ExprHash> definitions_;
  ExprMap known_;
  std::unordered_set<Expr, ExprHash> open_;
  std::vector<Expr> stack_;
};

/// What everything is at the start of a simulation.
Expansion initial_expansion(const OdeModel& model) {
  Expansion expand(*model.graph);
  for (const State& state : model.states) expand.define(state, state.initial);
  for (const InitialConstant& constant : model.initial_constants) expand.define(constant, constant.initial);
  for (const Derived& derived : model.derived) expand.define(derived, derived.value);
  return expand;
}

/// The initial constants as they stay for the rest of the simulation, which begins at time 0.
std::vector<Expr> values_of_initial_constants(const OdeModel& model, Expansion& at_start) {
  std::vector<Expr> values;
  for (const InitialConstant& constant : model.initial_constants) values.push_back(at_start(constant.symbol));
  return symbolic::substitute(values, {{model.time, model.graph->constant(0)}});
}

}  // namespace

FlatModel flatten(const OdeModel& model) {
  FlatModel flat;
  flat.graph = model.graph;
  flat.time = model.time;
  Expansion at_start = initial_expansion(model);
  Expansion always(*model.graph);

  const auto constants = values_of_initial_constants(model, at_start);
  for (std::size_t i = 0; i < constants.size(); ++i) {
    always.define(model.initial_constants[i], constants[i]);
    flat.replacements.emplace(model.initial_constants[i].symbol, constants[i]);
  }
  for (const Derived& derived : model.derived) always.define(derived, derived.value);
  for (const Derived& derived : model.derived) {
    flat.replacements.emplace(derived.symbol, always(derived.symbol));
  }
  for (const State& state : model.states) {
    flat.state_symbols.push_back(state.symbol);
    flat.state_ids.push_back(state.id);
    flat.rates.push_back(always(state.rate));
    flat.initials.push_back(at_start(state.symbol));
  }
  for (const Parameter& parameter : model.parameters) {
    flat.parameter_symbols.push_back(parameter.symbol);
    flat.parameter_ids.push_back(parameter.id);
  }
  return flat;
}

Expr FlatModel::flatten(Expr expression) const { return symbolic::substitute(expression, replacements); }

}  // namespace kinetune::model
