#include <algorithm>
#include <cassert>
#include <cmath>

#include "symbolic/expr.hpp"

namespace kinetune::symbolic {

double compute(Op op, std::span<const double> a) {
  switch (op) {
    case Op::constant:
    case Op::symbol:
      break;
    case Op::add: {
      double sum = 0.0;
      for (const double term : a) sum += term;
      return sum;
    }
    case Op::mul: {
      double product = 1.0;
      for (const double factor : a) product *= factor;
      return product;
    }
    case Op::pow:
      return std::pow(a[0], a[1]);
    case Op::exp:
      return std::exp(a[0]);
    case Op::log:
      return std::log(a[0]);
    case Op::sin:
      return std::sin(a[0]);
    case Op::cos:
      return std::cos(a[0]);
    case Op::tan:
      return std::tan(a[0]);
    case Op::asin:
      return std::asin(a[0]);
    case Op::acos:
      return std::acos(a[0]);
    case Op::atan:
      return std::atan(a[0]);
    case Op::sinh:
      return std::sinh(a[0]);
    case Op::cosh:
      return std::cosh(a[0]);
    case Op::tanh:
      return std::tanh(a[0]);
    case Op::asinh:
      return std::asinh(a[0]);
    case Op::acosh:
      return std::acosh(a[0]);
    case Op::atanh:
      return std::atanh(a[0]);
    case Op::abs:
      return std::fabs(a[0]);
    case Op::sign:
      return a[0] > 0.0 ? 1.0 : a[0] < 0.0 ? -1.0 : a[0];
    case Op::floor:
      return std::floor(a[0]);
    case Op::ceil:
      return std::ceil(a[0]);
    case Op::min:
      return a[0] < a[1] ? a[0] : a[1];
    case Op::max:
      return a[0] > a[1] ? a[0] : a[1];
    case Op::remainder:
      return a[0] - a[1] * std::floor(a[0] / a[1]);
    case Op::less:
      return a[0] < a[1];
    case Op::less_equal:
      return a[0] <= a[1];
    case Op::equal:
      return a[0] == a[1];
    case Op::logical_and:
      return a[0] != 0.0 && a[1] != 0.0;
    case Op::logical_or:
      return a[0] != 0.0 || a[1] != 0.0;
    case Op::logical_not:
      return a[0] == 0.0;
    case Op::select:
      return a[0] != 0.0 ? a[1] : a[2];
    case Op::xlogy:
      return a[0] == 0.0 ? 0.0 : a[0] * std::log(a[1]);
  }
  assert(false);
  return 0.0;
}

std::vector<Expr> reachable(std::span<const Expr> roots) {
  std::vector<Expr> found;
  if (roots.empty()) return found;
  std::vector<bool> seen(roots[0].graph().size());
  std::vector<Expr> pending(roots.begin(), roots.end());
  while (!pending.empty()) {
    const Expr e = pending.back();
    pending.pop_back();
    if (seen[e.id()]) continue;
    seen[e.id()] = true;
    found.push_back(e);
    pending.insert(pending.end(), e.args().begin(), e.args().end());
  }
  std::ranges::sort(found, {}, &Expr::id);
  return found;
}

std::vector<Expr> free_symbols(std::span<const Expr> roots) {
  std::vector<Expr> found = reachable(roots);
  std::erase_if(found, [](const Expr& e) { return !e.is_symbol(); });
  return found;
}

std::vector<Expr> free_symbols(Expr e) { return free_symbols(std::span(&e, 1)); }

double evaluate(Expr root, const std::function<double(Expr)>& values) {
  std::unordered_map<std::uint32_t, double> known;
  std::vector<double> args;
  for (const Expr& e : reachable(std::span(&root, 1))) {
    if (e.is_constant()) {
      known[e.id()] = e.value();
    } else if (e.is_symbol()) {
      known[e.id()] = values(e);
    } else {
      args.clear();
      for (const Expr& arg : e.args()) args.push_back(known[arg.id()]);
      known[e.id()] = compute(e.op(), args);
    }
  }
  return known[root.id()];
}

}  // namespace kinetune::symbolic
