#include <array>

#include "symbolic/expr.hpp"

namespace kinetune::symbolic {
namespace {

std::uint64_t key(Expr e, Expr symbol) { return std::uint64_t{e.id()} << 32 | symbol.id(); }

/// f'(a) of an elementary function f of one argument.
Expr slope(Graph& graph, Op op, Expr a) {
  const Expr one = graph.constant(1.0);
  switch (op) {
    case Op::exp:
      return unary(Op::exp, a);
    case Op::log:
      return pow(a, -1.0);
    case Op::sin:
      return unary(Op::cos, a);
    case Op::cos:
      return -unary(Op::sin, a);
    case Op::tan:
      return one + pow(unary(Op::tan, a), 2.0);
    case Op::asin:
      return pow(one - pow(a, 2.0), -0.5);
    case Op::acos:
      return -pow(one - pow(a, 2.0), -0.5);
    case Op::atan:
      return pow(one + pow(a, 2.0), -1.0);
    case Op::sinh:
      return unary(Op::cosh, a);
    case Op::cosh:
      return unary(Op::sinh, a);
    case Op::tanh:
      return one - pow(unary(Op::tanh, a), 2.0);
    case Op::asinh:
      return pow(one + pow(a, 2.0), -0.5);
    case Op::acosh:
      return pow(a - 1.0, -0.5) * pow(a + 1.0, -0.5);
    case Op::atanh:
      return pow(one - pow(a, 2.0), -1.0);
    case Op::abs:
      return unary(Op::sign, a);
    default:
      return graph.constant(0.0);  // sign, floor, ceil, logical_not: constant between their jumps
  }
}

/// a / b. A power of b has its exponent lowered, which has a value at b = 0 where 0 / 0 has none.
Expr quotient(Expr a, Expr b) {
  const bool is_power_of_b = a.op() == Op::pow && a.args()[0] == b;
  return is_power_of_b ? pow(b, a.args()[1] - 1.0) : a / b;
}

}  // namespace

const Expr* Differentiator::known(Expr e, Expr symbol) const {
  const auto entry = known_.find(key(e, symbol));
  return entry == known_.end() ? nullptr : &entry->second;
}

Expr Differentiator::operator()(Expr root, Expr symbol) {
  // An explicit stack: formulas can be nested deeper than the call stack allows.
  std::vector<Expr> pending{root};
  while (!pending.empty()) {
    const Expr e = pending.back();
    const std::size_t before = pending.size();
    if (!known(e, symbol)) {
      for (const Expr& arg : e.args()) {
        if (!known(arg, symbol)) pending.push_back(arg);
      }
      if (pending.size() > before) continue;
      known_[key(e, symbol)] = differentiate_node(e, symbol);
    }
    pending.pop_back();
  }
  return *known(root, symbol);
}

Expr Differentiator::differentiate_node(Expr e, Expr symbol) {
  const Expr zero = graph_.constant(0.0);
  const auto args = e.args();
  const auto d = [&](std::size_t i) { return *known(args[i], symbol); };
  switch (e.op()) {
    case Op::constant:
      return zero;
    case Op::symbol:
      return graph_.constant(e == symbol ? 1.0 : 0.0);
    case Op::add: {
      std::vector<Expr> terms;
      for (std::size_t i = 0; i < args.size(); ++i) {
        if (!d(i).is_constant(0.0)) terms.push_back(d(i));
      }
      return sum(graph_, terms);
    }
    case Op::mul: {
      std::vector<Expr> terms;
      for (std::size_t i = 0; i < args.size(); ++i) {
        if (d(i).is_constant(0.0)) continue;
        std::vector<Expr> factors(args.begin(), args.end());
        factors[i] = d(i);
        terms.push_back(graph_.make(Op::mul, factors));
      }
      return sum(graph_, terms);
    }
    case Op::pow: {
      const Expr by_base = d(0).is_constant(0.0) ? zero : args[1] * pow(args[0], args[1] - 1.0) * d(0);
      const Expr by_exponent = d(1).is_constant(0.0) ? zero : binary(Op::xlogy, e, args[0]) * d(1);
      return by_base + by_exponent;
    }
    case Op::xlogy: {
      const Expr by_factor = d(0).is_constant(0.0) ? zero : binary(Op::xlogy, d(0), args[1]);
      return d(1).is_constant(0.0) ? by_factor : by_factor + quotient(args[0], args[1]) * d(1);
    }
    case Op::min:
      return select(binary(Op::less, args[0], args[1]), d(0), d(1));
    case Op::max:
      return select(binary(Op::less, args[1], args[0]), d(0), d(1));
    case Op::remainder:
      return d(0) - unary(Op::floor, args[0] / args[1]) * d(1);
    case Op::select:
      return select(args[0], d(1), d(2));
    case Op::less:
    case Op::less_equal:
    case Op::equal:
    case Op::logical_and:
    case Op::logical_or:
      return zero;
    default:
      return d(0).is_constant(0.0) ? zero : slope(graph_, e.op(), args[0]) * d(0);
  }
}

std::vector<Expr> substitute(std::span<const Expr> roots, const ExprMap& replacements) {
  std::vector<Expr> results(roots.begin(), roots.end());
  if (roots.empty() || replacements.empty()) return results;
  std::unordered_map<std::uint32_t, Expr> changed;
  const auto image = [&](Expr e) {
    const auto entry = changed.find(e.id());
    return entry == changed.end() ? e : entry->second;
  };
  std::vector<Expr> args;
  for (const Expr& e : reachable(roots)) {
    if (e.is_symbol()) {
      if (const auto entry = replacements.find(e); entry != replacements.end())
        changed[e.id()] = entry->second;
      continue;
    }
    bool differs = false;
    args.clear();
    for (const Expr& arg : e.args()) {
      args.push_back(image(arg));
      differs |= !(args.back() == arg);
    }
    if (differs) changed[e.id()] = e.graph().make(e.op(), args);
  }
  for (Expr& result : results) result = image(result);
  return results;
}

Expr substitute(Expr e, const ExprMap& replacements) { return substitute(std::span(&e, 1), replacements)[0]; }

}  // namespace kinetune::symbolic
