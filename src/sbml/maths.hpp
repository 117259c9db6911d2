#pragma once

#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "model/ode_model.hpp"

class ASTNode;
class FunctionDefinition;

namespace kinetune::sbml {

using symbolic::Expr;

/// What names mean.
using Scope = std::unordered_map<std::string, Expr>;

/// Where a formula stands, how messages call it, and the names that hide global ones there.
struct FormulaPlace {
  core::Location where;
  std::string of;  ///< "the kinetic law of reaction R1"
  const Scope* locals = nullptr;
};

/// Translates MathML, as libSBML reads it, into expressions. Function definitions are inlined.
class Maths {
 public:
  Maths(symbolic::Graph& graph, Expr time) : graph_(graph), time_(time) {}

  /// Makes a global name known. Names are unique; see Import::declare.
  void define(const std::string& id, Expr symbol) { globals_.emplace(id, symbol); }
  Expr global(const std::string& id) const { return globals_.at(id); }
  void define_function(const FunctionDefinition&, core::Location where);

  /// @throws core::Error for unknown names, wrong numbers of arguments, recursive functions, unsupported ones
  Expr translate(const ASTNode&, const FormulaPlace&);

  /// The symbol "rateOf(x)" of the time derivative of what a symbol stands for. It is recorded, because
  /// somebody has to define it.
  Expr rate_of(Expr symbol);
  /// The symbol of a value some time ago.
  Expr delayed(Expr value, Expr lag, const core::Location&);
  const std::vector<model::Delay>& delays() const { return delays_; }
  /// Whose rates were asked for, each once, in that order.
  const std::vector<Expr>& rates_asked_for() const { return rates_asked_for_; }

 private:
  friend class Translation;
  struct Function {
    const FunctionDefinition* definition;
    core::Location where;
    bool open = false;  ///< its body is being translated
  };

  symbolic::Graph& graph_;
  Expr time_;
  Scope globals_;
  std::unordered_map<std::string, Function> functions_;
  std::unordered_map<std::string, Expr> calls_;  ///< by function and arguments
  std::vector<Expr> rates_asked_for_;
  std::vector<model::Delay> delays_;
  std::unordered_set<Expr, symbolic::ExprHash> rates_known_;
};

}  // namespace kinetune::sbml
