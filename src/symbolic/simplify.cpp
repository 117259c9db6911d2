#include "symbolic/simplify.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

namespace kinetune::symbolic {
namespace {

// Longer sums and products are kept as one term, so that adding terms one by one stays linear.
constexpr std::size_t flattened_up_to = 32;

struct ById {
  bool operator()(const Expr& a, const Expr& b) const { return a.id() < b.id(); }
};

/// Terms (of a sum: coefficients; of a product: exponents) by what they belong to.
using Collected = std::map<Expr, double, ById>;

bool is_integer(double value) { return std::isfinite(value) && value == std::trunc(value); }

struct Scaled {
  double factor;
  Expr rest;
};

/// A product's leading constant, which is where simplified products keep it, and what it multiplies.
Scaled split_factor(Expr e) {
  if (e.op() != Op::mul || !e.args()[0].is_constant()) return {1.0, e};
  const auto rest = e.args().subspan(1);
  return {e.args()[0].value(), rest.size() == 1 ? rest[0] : e.graph().intern(Op::mul, rest)};
}

void collect_terms(Expr e, double factor, double& constant, Collected& terms) {
  if (e.is_constant()) {
    constant += factor * e.value();
  } else if (e.op() == Op::add && e.args().size() <= flattened_up_to) {
    for (const Expr& arg : e.args()) collect_terms(arg, factor, constant, terms);
  } else if (const auto [inner, rest] = split_factor(e); inner != 1.0) {
    collect_terms(rest, factor * inner, constant, terms);
  } else {
    terms[e] += factor;
  }
}

Expr simplified_sum(Graph& graph, std::span<const Expr> args) {
  double constant = 0.0;
  Collected terms;
  for (const Expr& arg : args) collect_terms(arg, 1.0, constant, terms);
  std::vector<Expr> sum;
  for (const auto& [term, factor] : terms) {
    if (factor != 0.0) sum.push_back(factor == 1.0 ? term : graph.constant(factor) * term);
  }
  if (constant != 0.0) sum.insert(sum.begin(), graph.constant(constant));
  if (sum.empty()) return graph.constant(0.0);
  return sum.size() == 1 ? sum[0] : graph.intern(Op::add, sum);
}

void collect_factors(Expr e, double& constant, Collected& factors) {
  if (e.is_constant()) {
    constant *= e.value();
  } else if (e.op() == Op::mul && e.args().size() <= flattened_up_to) {
    for (const Expr& arg : e.args()) collect_factors(arg, constant, factors);
  } else if (e.op() == Op::pow && e.args()[1].is_constant()) {
    factors[e.args()[0]] += e.args()[1].value();
  } else {
    factors[e] += 1.0;
  }
}

Expr simplified_product(Graph& graph, std::span<const Expr> args) {
  double constant = 1.0;
  Collected factors;
  for (const Expr& arg : args) collect_factors(arg, constant, factors);
  if (constant == 0.0) return graph.constant(0.0);
  std::vector<Expr> product;
  for (const auto& [base, exponent] : factors) {
    const Expr factor = pow(base, exponent);
    if (factor.is_constant())
      constant *= factor.value();
    else
      product.push_back(factor);
  }
  if (product.empty()) return graph.constant(constant);
  std::ranges::sort(product, ById{});
  if (constant != 1.0) product.insert(product.begin(), graph.constant(constant));
  return product.size() == 1 ? product[0] : graph.intern(Op::mul, product);
}

Expr simplified_power(Graph& graph, Expr base, Expr exponent) {
  if (exponent.is_constant(0.0) || base.is_constant(1.0)) return graph.constant(1.0);
  if (exponent.is_constant(1.0)) return base;
  if (exponent.is_constant() && is_integer(exponent.value())) {
    if (base.op() == Op::pow && base.args()[1].is_constant()) {
      return pow(base.args()[0], base.args()[1].value() * exponent.value());
    }
    if (const auto [factor, rest] = split_factor(base); factor != 1.0) {
      return graph.constant(std::pow(factor, exponent.value())) * pow(rest, exponent);
    }
  }
  return graph.intern(Op::pow, std::array{base, exponent});
}

/// Whether the node's value is 0 or 1 by construction.
bool is_logical(Expr e) { return is_logical(e.op()) || e.is_constant(0.0) || e.is_constant(1.0); }

Expr simplified_junction(Graph& graph, Op op, Expr a, Expr b) {
  const bool absorbing = op == Op::logical_or;  // true decides an or, false an and
  for (const auto& [known, other] : {std::pair{a, b}, std::pair{b, a}}) {
    if (!known.is_constant()) continue;
    if ((known.value() != 0.0) == absorbing) return graph.constant(absorbing ? 1.0 : 0.0);
    if (is_logical(other)) return other;
  }
  if (a == b && is_logical(a)) return a;
  return graph.intern(op, std::array{a, b});
}

Expr simplified_select(Graph& graph, std::span<const Expr> args) {
  if (args[0].is_constant()) return args[0].value() != 0.0 ? args[1] : args[2];
  return args[1] == args[2] ? args[1] : graph.intern(Op::select, args);
}

}  // namespace

Expr simplified(Graph& graph, Op op, std::span<const Expr> args) {
  if (op == Op::add) return simplified_sum(graph, args);
  if (op == Op::mul) return simplified_product(graph, args);
  if (std::ranges::all_of(args, [](const Expr& arg) { return arg.is_constant(); })) {
    std::array<double, 3> values{};
    std::ranges::transform(args, values.begin(), &Expr::value);
    return graph.constant(compute(op, std::span(values).first(args.size())));
  }
  switch (op) {
    case Op::pow:
      return simplified_power(graph, args[0], args[1]);
    case Op::exp:
      return args[0].op() == Op::log ? args[0].args()[0] : graph.intern(op, args);
    case Op::log:
      return args[0].op() == Op::exp ? args[0].args()[0] : graph.intern(op, args);
    case Op::min:
    case Op::max:
      return args[0] == args[1] ? args[0] : graph.intern(op, args);
    case Op::logical_and:
    case Op::logical_or:
      return simplified_junction(graph, op, args[0], args[1]);
    case Op::logical_not:
      return args[0].op() == Op::logical_not && is_logical(args[0].args()[0]) ? args[0].args()[0]
                                                                              : graph.intern(op, args);
    case Op::select:
      return simplified_select(graph, args);
    case Op::xlogy:
      if (args[0].is_constant(0.0) || args[1].is_constant(1.0)) return graph.constant(0.0);
      return graph.intern(op, args);
    default:
      return graph.intern(op, args);
  }
}

}  // namespace kinetune::symbolic
