#pragma once

#include <span>
#include <unordered_set>
#include <vector>

#include "jit/model_code.hpp"

namespace kinetune::jit {

/// Takes apart what jumps in expressions of time and states: each place where a condition, a floor, the side
/// of an abs, min, max can change becomes a switch, a symbol whose value is held while integrating. What
/// depends on parameters alone stays as it is.
class SwitchBoard {
 public:
  explicit SwitchBoard(const model::FlatModel&);

  /// The same expression with switches in it: smooth in time and states as long as they are held.
  symbolic::Expr rewrite(symbolic::Expr);
  /// The same for a condition, which becomes 0 or 1.
  symbolic::Expr rewrite_condition(symbolic::Expr);

  const std::vector<symbolic::Expr>& symbols() const { return symbols_; }
  /// What each looks at, in terms of time, states, parameters and switches before it.
  const std::vector<symbolic::Expr>& arguments() const { return arguments_; }
  /// The layout of each, and by slopes the derivatives by time of the arguments that are linear in it.
  std::vector<Switch> layout(std::span<const int> differentiated, std::vector<symbolic::Expr>& slopes) const;
  /// What sin, cos and tan are taken of, in the arguments that move.
  std::vector<symbolic::Expr> phases() const;

 private:
  using Expr = symbolic::Expr;

  Expr rewritten(Expr);
  Expr truth(Expr condition, Expr image);
  Expr compared(symbolic::Op, Expr a, Expr b);
  Expr sign_of(Expr difference, bool jumps);
  Expr add_switch(Switch::Kind, Expr argument, bool jumps);
  std::unordered_set<std::uint32_t> moving() const;
  bool depends(Expr e) const { return depends_.contains(e.id()); }

  const model::FlatModel& model_;
  symbolic::Graph& graph_;
  symbolic::ExprMap image_;
  std::unordered_set<std::uint32_t> depends_;  // nodes that depend on time or states
  std::vector<Expr> symbols_, arguments_;
  std::vector<Switch::Kind> kinds_;
  std::vector<bool> jumps_;
};

}  // namespace kinetune::jit
