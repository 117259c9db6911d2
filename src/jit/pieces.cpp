#include "jit/pieces.hpp"

namespace kinetune::jit {
namespace {

using symbolic::Expr;

bool is_operation(Expr e) { return !e.is_constant() && !e.is_symbol(); }

/// Operations in the order of a depth-first walk from the results: what is computed is soon used.
std::vector<Expr> schedule(const std::vector<Expr>& results) {
  std::vector<Expr> order;
  std::unordered_map<std::uint32_t, bool> done;  // absent: not seen; false: its arguments are under way
  for (const Expr& result : results) {
    std::vector<Expr> pending{result};
    while (!pending.empty()) {
      const Expr e = pending.back();
      const auto [entry, is_new] = done.try_emplace(e.id(), false);
      if (!is_operation(e) || entry->second) {
        pending.pop_back();
      } else if (is_new) {
        for (auto arg = e.args().rbegin(); arg != e.args().rend(); ++arg) {
          if (is_operation(*arg) && !done.contains(arg->id())) pending.push_back(*arg);
        }
      } else {
        entry->second = true;
        order.push_back(e);
        pending.pop_back();
      }
    }
  }
  return order;
}

bool is_negative_power(Expr e) {
  return e.op() == symbolic::Op::pow && e.args()[1].is_constant() && e.args()[1].value() < 0.0;
}

}  // namespace

CutKernel cut(const Kernel& kernel, int max_operations) {
  CutKernel result;
  std::unordered_map<std::uint32_t, int> piece_of, uses;
  result.pieces.emplace_back();
  for (const Expr& e : schedule(kernel.results)) {
    if (static_cast<int>(result.pieces.back().operations.size()) >= max_operations)
      result.pieces.emplace_back();
    const int piece = static_cast<int>(result.pieces.size()) - 1;
    result.pieces.back().operations.push_back(e);
    piece_of.emplace(e.id(), piece);
    for (const Expr& arg : e.args()) {
      ++uses[arg.id()];
      if (is_operation(arg) && piece_of.at(arg.id()) != piece) {
        result.spilled.try_emplace(arg.id(), static_cast<int>(result.spilled.size()));
      }
    }
  }
  for (std::size_t i = 0; i < kernel.results.size(); ++i) {
    const Expr e = kernel.results[i];
    ++uses[e.id()];
    const int piece = is_operation(e) ? piece_of.at(e.id()) : static_cast<int>(result.pieces.size()) - 1;
    result.pieces[piece].results.push_back(static_cast<int>(i));
  }
  for (const Piece& piece : result.pieces) {
    for (const Expr& e : piece.operations) {
      if (e.op() != symbolic::Op::mul) continue;
      for (const Expr& arg : e.args()) {
        if (is_negative_power(arg) && uses.at(arg.id()) == 1 && !result.spilled.contains(arg.id())) {
          result.divisors.insert(arg.id());
        }
      }
    }
  }
  return result;
}

}  // namespace kinetune::jit
