#pragma once

#include <algorithm>
#include <cassert>
#include <unordered_set>

#include "model/ode_model.hpp"

namespace kinetune::model {

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
  explicit Expansion(symbolic::Graph& graph) : graph_(graph) {}

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
    std::unordered_set<Expr, symbolic::ExprHash> seen;
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

  symbolic::Graph& graph_;
  std::unordered_map<Expr, Definition, symbolic::ExprHash> definitions_;
  symbolic::ExprMap known_;
  std::unordered_set<Expr, symbolic::ExprHash> open_;
  std::vector<Expr> stack_;
};

}  // namespace kinetune::model
