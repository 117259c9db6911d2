#pragma once

#include <string>

#include "sbml/maths.hpp"

namespace kinetune::sbml {

/// One formula on its way from libSBML's tree to an expression. Recursive: depth is counted and bounded.
class Translation {
 public:
  Translation(Maths& maths, const FormulaPlace& place)
      : maths_(maths), graph_(maths.graph_), place_(place), locals_(place.locals) {}

  Expr operator()(const ASTNode&);

 private:
  Expr translated(const ASTNode&);
  Expr leaf(const ASTNode&);
  Expr name(const ASTNode&);
  Expr arithmetic(const ASTNode&);
  Expr power_or_logarithm(const ASTNode&);
  Expr logic(const ASTNode&);
  Expr comparison(const ASTNode&);
  Expr piecewise(const ASTNode&);
  Expr truncated_division(const ASTNode&);
  Expr factorial(Expr);
  Expr rate_of(const ASTNode&);
  Expr call(const ASTNode&);
  Expr function_body(const std::string& id, const std::vector<Expr>& args);

  Expr child(const ASTNode&, unsigned i);
  Expr only_child(const ASTNode&);
  std::vector<Expr> children(const ASTNode&);
  void require_children(const ASTNode&, unsigned least, unsigned most);
  Expr fold(symbolic::Op, const ASTNode&);
  [[noreturn]] void refuse(const std::string& what, const std::string& suggestion = {}) const;

  Maths& maths_;
  symbolic::Graph& graph_;
  const FormulaPlace& place_;
  const Scope* locals_;                    ///< names of the place, or inside a function its arguments
  const std::string* function_ = nullptr;  ///< whose body is being translated
  int depth_ = 0;
};

}  // namespace kinetune::sbml
