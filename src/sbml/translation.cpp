#include "sbml/translation.hpp"

#include <cmath>
#include <limits>
#include <numbers>
#include <utility>

#include <fmt/format.h>
#include <sbml/SBMLTypes.h>

namespace kinetune::sbml {
namespace {

using symbolic::binary;
using symbolic::Op;
using symbolic::unary;

constexpr int max_depth = 1000;
// Function definitions can double a formula at every call.
constexpr std::size_t max_nodes = 5'000'000;
constexpr std::size_t max_calls = 200'000;
constexpr double avogadro = 6.02214179e23;  // SBML Level 3 fixes this value (CODATA 2006)

/// Functions of one argument that are operations of ours.
const std::unordered_map<int, Op> direct = {
    {AST_FUNCTION_ABS, Op::abs},       {AST_FUNCTION_ARCCOS, Op::acos},   {AST_FUNCTION_ARCCOSH, Op::acosh},
    {AST_FUNCTION_ARCSIN, Op::asin},   {AST_FUNCTION_ARCSINH, Op::asinh}, {AST_FUNCTION_ARCTAN, Op::atan},
    {AST_FUNCTION_ARCTANH, Op::atanh}, {AST_FUNCTION_CEILING, Op::ceil},  {AST_FUNCTION_COS, Op::cos},
    {AST_FUNCTION_COSH, Op::cosh},     {AST_FUNCTION_EXP, Op::exp},       {AST_FUNCTION_FLOOR, Op::floor},
    {AST_FUNCTION_LN, Op::log},        {AST_FUNCTION_SIN, Op::sin},       {AST_FUNCTION_SINH, Op::sinh},
    {AST_FUNCTION_TAN, Op::tan},       {AST_FUNCTION_TANH, Op::tanh},     {AST_LOGICAL_NOT, Op::logical_not},
};

/// 1 / f(x).
const std::unordered_map<int, Op> reciprocal = {
    {AST_FUNCTION_SEC, Op::cos},   {AST_FUNCTION_CSC, Op::sin},   {AST_FUNCTION_COT, Op::tan},
    {AST_FUNCTION_SECH, Op::cosh}, {AST_FUNCTION_CSCH, Op::sinh}, {AST_FUNCTION_COTH, Op::tanh},
};

/// f(1 / x).
const std::unordered_map<int, Op> of_reciprocal = {
    {AST_FUNCTION_ARCSEC, Op::acos},   {AST_FUNCTION_ARCCSC, Op::asin},   {AST_FUNCTION_ARCCOT, Op::atan},
    {AST_FUNCTION_ARCSECH, Op::acosh}, {AST_FUNCTION_ARCCSCH, Op::asinh}, {AST_FUNCTION_ARCCOTH, Op::atanh},
};

std::string readable_name(const ASTNode& node) {
  if (const char* name = node.getName()) return name;
  if (const char* name = node.getOperatorName()) return name;
  return "an element";
}

}  // namespace

Expr Translation::operator()(const ASTNode& node) {
  if (++depth_ > max_depth) refuse("maths is nested too deeply", "split it by assignment rules");
  const Expr result = translated(node);
  --depth_;
  return result;
}

Expr Translation::translated(const ASTNode& node) {
  const int type = node.getType();
  if (const auto op = direct.find(type); op != direct.end()) return unary(op->second, only_child(node));
  if (const auto op = reciprocal.find(type); op != reciprocal.end()) {
    return graph_.constant(1) / unary(op->second, only_child(node));
  }
  if (const auto op = of_reciprocal.find(type); op != of_reciprocal.end()) {
    return unary(op->second, graph_.constant(1) / only_child(node));
  }
  switch (type) {
    case AST_PLUS:
    case AST_TIMES:
    case AST_MINUS:
    case AST_DIVIDE:
    case AST_FUNCTION_MIN:
    case AST_FUNCTION_MAX:
      return arithmetic(node);
    case AST_POWER:
    case AST_FUNCTION_POWER:
    case AST_FUNCTION_ROOT:
    case AST_FUNCTION_LOG:
      return power_or_logarithm(node);
    case AST_LOGICAL_AND:
    case AST_LOGICAL_OR:
    case AST_LOGICAL_XOR:
    case AST_LOGICAL_IMPLIES:
      return logic(node);
    case AST_RELATIONAL_EQ:
    case AST_RELATIONAL_NEQ:
    case AST_RELATIONAL_LT:
    case AST_RELATIONAL_LEQ:
    case AST_RELATIONAL_GT:
    case AST_RELATIONAL_GEQ:
      return comparison(node);
    case AST_FUNCTION_PIECEWISE:
      return piecewise(node);
    case AST_FUNCTION_QUOTIENT:
    case AST_FUNCTION_REM:
      return truncated_division(node);
    case AST_FUNCTION_FACTORIAL:
      return factorial(only_child(node));
    case AST_FUNCTION_RATE_OF:
      return rate_of(node);
    case AST_FUNCTION:
      return call(node);
    case AST_FUNCTION_DELAY:
      require_children(node, 2, 2);
      return maths_.delayed(child(node, 0), child(node, 1), place_.where);
    default:
      return leaf(node);
  }
}

Expr Translation::leaf(const ASTNode& node) {
  switch (node.getType()) {
    case AST_INTEGER:
      return graph_.constant(static_cast<double>(node.getInteger()));
    case AST_REAL:
    case AST_REAL_E:
    case AST_RATIONAL:
      return graph_.constant(node.getReal());
    case AST_CONSTANT_E:
      return graph_.constant(std::numbers::e);
    case AST_CONSTANT_PI:
      return graph_.constant(std::numbers::pi);
    case AST_CONSTANT_TRUE:
      return graph_.constant(1);
    case AST_CONSTANT_FALSE:
      return graph_.constant(0);
    case AST_NAME_AVOGADRO:
      return graph_.constant(avogadro);
    case AST_NAME_TIME:
      return maths_.time_;
    case AST_NAME:
      return name(node);
    default:
      refuse(readable_name(node) + " is not supported");
  }
}

Expr Translation::name(const ASTNode& node) {
  const std::string id = node.getName() ? node.getName() : "";
  if (locals_) {
    if (const auto local = locals_->find(id); local != locals_->end()) return local->second;
  }
  if (function_) refuse(fmt::format("function {} uses {}, which is not among its arguments", *function_, id));
  const auto global = maths_.globals_.find(id);
  if (global == maths_.globals_.end()) refuse(fmt::format("unknown symbol {}", id), "declare it");
  return global->second;
}

Expr Translation::arithmetic(const ASTNode& node) {
  switch (node.getType()) {
    case AST_PLUS:
      return symbolic::sum(graph_, children(node));
    case AST_TIMES: {
      const auto factors = children(node);
      if (factors.empty()) return graph_.constant(1);
      return factors.size() == 1 ? factors[0] : graph_.make(Op::mul, factors);
    }
    case AST_MINUS:
      require_children(node, 1, 2);
      return node.getNumChildren() == 1 ? -child(node, 0) : child(node, 0) - child(node, 1);
    case AST_DIVIDE:
      require_children(node, 2, 2);
      return child(node, 0) / child(node, 1);
    case AST_FUNCTION_MIN:
      return fold(Op::min, node);
    default:
      return fold(Op::max, node);
  }
}

Expr Translation::power_or_logarithm(const ASTNode& node) {
  if (node.getType() == AST_FUNCTION_ROOT) {
    require_children(node, 1, 2);
    if (node.getNumChildren() == 1) return sqrt(child(node, 0));
    return pow(child(node, 1), graph_.constant(1) / child(node, 0));
  }
  if (node.getType() == AST_FUNCTION_LOG) {
    require_children(node, 1, 2);
    const bool has_base = node.getNumChildren() == 2;
    const Expr base = has_base ? child(node, 0) : graph_.constant(10);
    return unary(Op::log, child(node, has_base ? 1 : 0)) / unary(Op::log, base);
  }
  require_children(node, 2, 2);
  return pow(child(node, 0), child(node, 1));
}

Expr Translation::logic(const ASTNode& node) {
  const auto args = children(node);
  const int type = node.getType();
  if (type == AST_LOGICAL_IMPLIES) {
    require_children(node, 2, 2);
    return binary(Op::logical_or, unary(Op::logical_not, args[0]), args[1]);
  }
  if (type != AST_LOGICAL_XOR) {
    const bool conjunction = type == AST_LOGICAL_AND;
    Expr result = graph_.constant(conjunction ? 1 : 0);
    for (const Expr arg : args) result = binary(conjunction ? Op::logical_and : Op::logical_or, result, arg);
    return result;
  }
  // The negations make truth values of numbers, which may then be compared.
  Expr is_even = graph_.constant(1);
  for (const Expr arg : args) is_even = binary(Op::equal, is_even, unary(Op::logical_not, arg));
  return unary(Op::logical_not, is_even);
}

/// a < b < c means a < b and b < c.
Expr Translation::comparison(const ASTNode& node) {
  const auto args = children(node);
  const auto compared = [&](Expr a, Expr b) {
    switch (node.getType()) {
      case AST_RELATIONAL_LT:
        return binary(Op::less, a, b);
      case AST_RELATIONAL_LEQ:
        return binary(Op::less_equal, a, b);
      case AST_RELATIONAL_GT:
        return binary(Op::less, b, a);
      case AST_RELATIONAL_GEQ:
        return binary(Op::less_equal, b, a);
      case AST_RELATIONAL_NEQ:
        return unary(Op::logical_not, binary(Op::equal, a, b));
      default:
        return binary(Op::equal, a, b);
    }
  };
  if (node.getType() == AST_RELATIONAL_NEQ) require_children(node, 2, 2);
  Expr result = graph_.constant(1);
  for (std::size_t i = 1; i < args.size(); ++i) {
    result = binary(Op::logical_and, result, compared(args[i - 1], args[i]));
  }
  return result;
}

Expr Translation::piecewise(const ASTNode& node) {
  const auto args = children(node);
  const std::size_t n_pieces = args.size() / 2;
  const double undefined = std::numeric_limits<double>::quiet_NaN();
  Expr result = args.size() % 2 ? args.back() : graph_.constant(undefined);
  for (std::size_t i = n_pieces; i-- > 0;) result = select(args[2 * i + 1], args[2 * i], result);
  return result;
}

/// MathML's quotient is cut towards zero, so that the remainder has the sign of the dividend.
Expr Translation::truncated_division(const ASTNode& node) {
  require_children(node, 2, 2);
  const Expr dividend = child(node, 0), divisor = child(node, 1);
  const Expr ratio = dividend / divisor;
  const Expr quotient =
      select(binary(Op::less, ratio, graph_.constant(0)), unary(Op::ceil, ratio), unary(Op::floor, ratio));
  return node.getType() == AST_FUNCTION_QUOTIENT ? quotient : dividend - divisor * quotient;
}

/// A table of all factorials that a double can hold, searched by halving. Undefined off the integers.
Expr Translation::factorial(Expr n) {
  constexpr int largest = 170;
  const auto search = [&](auto&& self, int first, int last) -> Expr {
    if (first == last) {
      const Expr value = graph_.constant(std::round(std::tgamma(first + 1.0)));
      const Expr undefined = graph_.constant(std::numeric_limits<double>::quiet_NaN());
      return select(binary(Op::equal, n, graph_.constant(first)), value, undefined);
    }
    const int middle = (first + last) / 2;
    return select(binary(Op::less_equal, n, graph_.constant(middle)), self(self, first, middle),
                  self(self, middle + 1, last));
  };
  return search(search, 0, largest);
}

Expr Translation::rate_of(const ASTNode& node) {
  require_children(node, 1, 1);
  const Expr target = child(node, 0);
  if (node.getChild(0)->getType() != AST_NAME || !target.is_symbol()) {
    refuse("rateOf() needs the id of a quantity as its argument");
  }
  return maths_.rate_of(target);
}

Expr Translation::call(const ASTNode& node) {
  const std::string id = node.getName() ? node.getName() : "";
  const auto args = children(node);
  std::string key = id;
  for (const Expr arg : args) key += fmt::format(" {}", arg.id());
  if (const auto known = maths_.calls_.find(key); known != maths_.calls_.end()) return known->second;

  const Expr result = function_body(id, args);
  if (graph_.size() > max_nodes || maths_.calls_.size() > max_calls)
    refuse("function definitions make the maths too large");
  maths_.calls_.emplace(std::move(key), result);
  return result;
}

Expr Translation::function_body(const std::string& id, const std::vector<Expr>& args) {
  const auto found = maths_.functions_.find(id);
  if (found == maths_.functions_.end()) refuse(fmt::format("unknown function {}", id), "define it");
  Maths::Function& function = found->second;
  const FunctionDefinition& definition = *function.definition;
  if (function.open) throw core::Error(function.where, fmt::format("function {} calls itself", id));
  if (!definition.isSetMath() || !definition.getBody()) {
    throw core::Error(function.where, fmt::format("function {} has no body", id));
  }
  if (args.size() != definition.getNumArguments()) {
    refuse(
        fmt::format("function {} takes {} arguments, not {}", id, definition.getNumArguments(), args.size()));
  }
  Scope arguments;
  for (unsigned i = 0; i < args.size(); ++i) {
    const char* name = definition.getArgument(i)->getName();
    if (!name) throw core::Error(function.where, fmt::format("an argument of function {} has no name", id));
    arguments.emplace(name, args[i]);
  }

  const Scope* outer_locals = std::exchange(locals_, &arguments);
  const std::string* outer_function = std::exchange(function_, &id);
  function.open = true;
  const Expr result = (*this)(*definition.getBody());
  function.open = false;
  locals_ = outer_locals;
  function_ = outer_function;
  return result;
}

Expr Translation::child(const ASTNode& node, unsigned i) { return (*this)(*node.getChild(i)); }

Expr Translation::only_child(const ASTNode& node) {
  require_children(node, 1, 1);
  return child(node, 0);
}

std::vector<Expr> Translation::children(const ASTNode& node) {
  std::vector<Expr> expressions;
  expressions.reserve(node.getNumChildren());
  for (unsigned i = 0; i < node.getNumChildren(); ++i) expressions.push_back(child(node, i));
  return expressions;
}

void Translation::require_children(const ASTNode& node, unsigned least, unsigned most) {
  const unsigned n = node.getNumChildren();
  if (n < least || n > most) refuse(fmt::format("{} has {} arguments", readable_name(node), n));
}

Expr Translation::fold(Op op, const ASTNode& node) {
  const auto args = children(node);
  if (args.empty()) refuse(fmt::format("{} has no arguments", readable_name(node)));
  Expr result = args[0];
  for (std::size_t i = 1; i < args.size(); ++i) result = binary(op, result, args[i]);
  return result;
}

void Translation::refuse(const std::string& what, const std::string& suggestion) const {
  throw core::Error(place_.where, fmt::format("{}, in {}", what, place_.of), suggestion);
}

}  // namespace kinetune::sbml
