#include <algorithm>
#include <array>
#include <unordered_set>

#include <fmt/format.h>

#include "jit/kernels.hpp"

namespace kinetune::jit {
namespace {

using symbolic::Expr;
using symbolic::Op;

/// Rewrites expressions so that what depends on parameters alone is a symbol of the prelude.
class Hoister {
 public:
  Hoister(symbolic::Graph& graph, const std::vector<Expr>& parameters) : graph_(graph) {
    for (const Expr& p : parameters) fixed_.insert(p.id());
  }

  std::vector<Expr> rewrite(const std::vector<Expr>& results) {
    for (const Expr& e : symbolic::reachable(results)) visit(e);
    std::vector<Expr> images;
    for (const Expr& e : results) images.push_back(as_argument(e));
    return images;
  }

  const std::vector<Expr>& prelude() const { return prelude_; }
  const std::vector<Expr>& symbols() const { return symbols_; }

 private:
  bool is_fixed(Expr e) const { return e.is_constant() || fixed_.contains(e.id()); }

  void visit(Expr e) {
    if (e.is_constant() || e.is_symbol() || fixed_.contains(e.id()) || image_.contains(e)) return;
    if (std::ranges::all_of(e.args(), [&](const Expr& arg) { return is_fixed(arg); })) {
      fixed_.insert(e.id());
      return;
    }
    std::vector<Expr> powers, args, fixed;
    const bool regroup = e.op() == Op::add || e.op() == Op::mul;
    const bool is_quotient = e.op() == Op::mul && std::ranges::any_of(e.args(), [&](const Expr& arg) {
                               return is_divisor_power(arg) && !is_fixed(arg);
                             });
    for (const Expr& arg : e.args()) {
      if (is_quotient && is_large_power(arg))
        powers.push_back(power_as_argument(arg));
      else if (regroup && is_fixed(arg))
        fixed.push_back(arg);
      else
        args.push_back(as_argument(arg));
    }
    // intern, not make: simplification would take the group apart again
    if (fixed.size() > 1) {
      const Expr group = graph_.intern(e.op(), fixed);
      fixed_.insert(group.id());
      fixed = {group};
    }
    for (const Expr& arg : fixed) args.insert(args.begin(), as_argument(arg));
    args.insert(args.begin(), powers.begin(), powers.end());  // they meet the divisors first
    image_.emplace(e, graph_.intern(e.op(), args));
  }

  static bool is_divisor_power(Expr e) {
    return e.op() == Op::pow && e.args()[1].is_constant() && e.args()[1].value() <= -2.0;
  }

  /// A power whose size can be anything, or a power of one with a constant exponent.
  static bool is_large_power(Expr e) {
    return e.op() == Op::pow && (!e.args()[1].is_constant() || is_large_power(e.args()[0]));
  }

  /// A power above a divisor's power stays a factor, and its square two: the product of such factors, as of
  /// Hill terms, would often overflow though the quotient does not.
  Expr power_as_argument(Expr e) {
    const Expr base = e.args()[0], exponent = e.args()[1];
    return exponent.is_constant() ? graph_.intern(Op::pow, std::array{as_argument(base), exponent})
                                  : as_argument(e);
  }

  /// What stands for e where something else uses it.
  Expr as_argument(Expr e) {
    if (const auto image = image_.find(e); image != image_.end()) return image->second;
    if (e.is_constant() || e.is_symbol()) return e;
    const Expr symbol = graph_.symbol(fmt::format("#prelude{}", prelude_.size()));
    prelude_.push_back(e);
    symbols_.push_back(symbol);
    image_.emplace(e, symbol);
    return symbol;
  }

  symbolic::Graph& graph_;
  std::unordered_set<std::uint32_t> fixed_;  // depend on parameters alone
  symbolic::ExprMap image_;
  std::vector<Expr> prelude_, symbols_;
};

/// Initial values are asked for once a simulation: hoisting them would only copy them.
bool is_hoisted_from(const Kernel& kernel) { return !kernel.name.starts_with("initials"); }

}  // namespace

int hoist(KernelSet& set, const model::FlatModel& model) {
  Hoister hoister(*model.graph, model.parameter_symbols);
  for (Kernel& kernel : set.kernels) {
    if (is_hoisted_from(kernel)) kernel.results = hoister.rewrite(kernel.results);
  }
  const int n_hoisted = static_cast<int>(hoister.prelude().size());
  for (int i = 0; i < n_hoisted; ++i)
    set.common.emplace(hoister.symbols()[i].id(), Slot{Slot::Array::prelude, i});

  Kernel prelude{"prelude", hoister.prelude(), {}};
  const int n_parameters = static_cast<int>(model.parameter_symbols.size());
  for (int i = 0; i < n_parameters; ++i) {
    const Expr symbol = model.parameter_symbols[i];
    prelude.results.push_back(symbol);
    prelude.own.emplace(symbol.id(), Slot{Slot::Array::argument, i});
    set.common.emplace(symbol.id(), Slot{Slot::Array::prelude, n_hoisted + i});
  }
  set.kernels.insert(set.kernels.begin(), std::move(prelude));
  return n_hoisted + n_parameters;
}

}  // namespace kinetune::jit
