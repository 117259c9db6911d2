#include "jit/switches.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace kinetune::jit {

using symbolic::binary;
using symbolic::Expr;
using symbolic::Op;
using symbolic::unary;

namespace {

/// Whether the first term that is no number has a negative factor. Of a difference and its negative, one has.
bool is_negative(Expr e) {
  if (e.op() == Op::add) {
    const auto terms = e.args();
    return is_negative(terms[0].is_constant() && terms.size() > 1 ? terms[1] : terms[0]);
  }
  return e.op() == Op::mul && e.args()[0].is_constant() && e.args()[0].value() < 0.0;
}

/// Term by term, so that b - a is found to be the negative of a - b.
Expr negated(Expr e) {
  if (e.op() != Op::add) return -e;
  std::vector<Expr> terms;
  for (const Expr term : e.args()) terms.push_back(-term);
  return symbolic::sum(e.graph(), terms);
}

bool is_wave(Op op) { return op == Op::sin || op == Op::cos || op == Op::tan; }

bool any_in(Expr e, const std::unordered_set<std::uint32_t>& symbols) {
  return std::ranges::any_of(symbolic::free_symbols(e), [&](Expr s) { return symbols.contains(s.id()); });
}

}  // namespace

SwitchBoard::SwitchBoard(const model::FlatModel& model) : model_(model), graph_(*model.graph) {
  depends_.insert(model.time.id());
  for (const Expr state : model.state_symbols) depends_.insert(state.id());
}

Expr SwitchBoard::rewrite(Expr root) {
  for (const Expr e : symbolic::reachable(std::span(&root, 1))) {
    if (image_.contains(e)) continue;
    if (std::ranges::any_of(e.args(), [&](Expr arg) { return depends(arg); })) depends_.insert(e.id());
    const Expr image = depends(e) && !e.is_symbol() ? rewritten(e) : e;
    if (depends(e)) depends_.insert(image.id());
    image_.emplace(e, image);
  }
  return image_.at(root);
}

Expr SwitchBoard::rewrite_condition(Expr condition) {
  const Expr image = rewrite(condition);
  return truth(condition, image);
}

Expr SwitchBoard::rewritten(Expr e) {
  const std::vector<Expr> old(e.args().begin(), e.args().end());
  std::vector<Expr> args;
  for (const Expr arg : old) args.push_back(image_.at(arg));
  const Expr zero = graph_.constant(0);
  const auto side = [&](Expr difference) { return binary(Op::less, sign_of(difference, false), zero); };
  switch (e.op()) {
    case Op::less:
    case Op::less_equal:
    case Op::equal:
      return compared(e.op(), args[0], args[1]);
    case Op::sign:
      return sign_of(args[0], true);
    case Op::abs:
      return select(side(args[0]), -args[0], args[0]);
    case Op::min:
      return select(side(args[0] - args[1]), args[0], args[1]);
    case Op::max:
      return select(side(args[0] - args[1]), args[1], args[0]);
    case Op::floor:
      return add_switch(Switch::Kind::floor, args[0], true);
    case Op::ceil:
      return add_switch(Switch::Kind::ceil, args[0], true);
    case Op::remainder:
      return args[0] - args[1] * add_switch(Switch::Kind::floor, args[0] / args[1], true);
    case Op::select:
      args[0] = truth(old[0], args[0]);
      return graph_.make(e.op(), args);
    case Op::logical_and:
    case Op::logical_or:
    case Op::logical_not:
      for (std::size_t i = 0; i < args.size(); ++i) args[i] = truth(old[i], args[i]);
      return graph_.make(e.op(), args);
    default:
      return args == old ? e : graph_.make(e.op(), args);
  }
}

/// A number where a condition is wanted is true where it is not 0.
Expr SwitchBoard::truth(Expr condition, Expr image) {
  if (!depends(condition) || symbolic::is_logical(condition.op())) return image;
  return unary(Op::logical_not, compared(Op::equal, image, graph_.constant(0)));
}

/// By the sign of the difference, so that a < b and b <= a share a switch.
Expr SwitchBoard::compared(Op op, Expr a, Expr b) {
  return binary(op, sign_of(a - b, true), graph_.constant(0));
}

Expr SwitchBoard::sign_of(Expr difference, bool jumps) {
  if (is_negative(difference)) return -add_switch(Switch::Kind::sign, negated(difference), jumps);
  return add_switch(Switch::Kind::sign, difference, jumps);
}

/// The symbol of the switch with that argument; a number if the argument is one.
Expr SwitchBoard::add_switch(Switch::Kind kind, Expr argument, bool jumps) {
  if (argument.is_constant()) {
    const Op op = kind == Switch::Kind::sign ? Op::sign : kind == Switch::Kind::floor ? Op::floor : Op::ceil;
    return unary(op, argument);
  }
  for (std::size_t k = 0; k < arguments_.size(); ++k) {
    if (arguments_[k] != argument || kinds_[k] != kind) continue;
    jumps_[k] = jumps_[k] || jumps;
    return symbols_[k];
  }
  const Expr symbol = graph_.symbol(fmt::format("#switch{}", symbols_.size()));
  depends_.insert(symbol.id());
  symbols_.push_back(symbol);
  arguments_.push_back(argument);
  kinds_.push_back(kind);
  jumps_.push_back(jumps);
  return symbol;
}

/// The symbols of the states that move between events.
std::unordered_set<std::uint32_t> SwitchBoard::moving() const {
  std::unordered_set<std::uint32_t> symbols;
  for (std::size_t i = 0; i < model_.state_symbols.size(); ++i) {
    if (!model_.rates[i].is_constant(0.0)) symbols.insert(model_.state_symbols[i].id());
  }
  for (const auto& delay : model_.delays) symbols.insert(model_.state_symbols[delay.state].id());
  return symbols;
}

std::vector<Expr> SwitchBoard::phases() const {
  auto of_time = moving();
  of_time.insert(model_.time.id());
  std::vector<Expr> found;
  for (const Expr e : symbolic::reachable(arguments_)) {
    if (is_wave(e.op()) && any_in(e, of_time) && std::ranges::find(found, e.args()[0]) == found.end())
      found.push_back(e.args()[0]);
  }
  return found;
}

std::vector<Switch> SwitchBoard::layout(std::span<const int> differentiated,
                                        std::vector<Expr>& slopes) const {
  const auto moving = this->moving();
  std::unordered_set<std::uint32_t> sensitive;  // symbols
  for (const Expr state : model_.state_symbols) sensitive.insert(state.id());
  for (const int index : differentiated) sensitive.insert(model_.parameter_symbols[index].id());
  symbolic::Differentiator differentiate(graph_);

  std::vector<Switch> result;
  for (std::size_t k = 0; k < arguments_.size(); ++k) {
    const Expr slope = differentiate(arguments_[k], model_.time);
    Switch made{.kind = kinds_[k], .jumps = jumps_[k], .by_parameter = any_in(arguments_[k], sensitive)};
    if (made.by_parameter) sensitive.insert(symbols_[k].id());
    auto of_time = moving;
    of_time.insert(model_.time.id());
    const auto swings = [&](Expr e) { return is_wave(e.op()) && any_in(e, of_time); };
    if (!any_in(arguments_[k], of_time))
      made.driver = Switch::Driver::nothing;
    else if (std::ranges::any_of(symbolic::reachable({&arguments_[k], 1}), swings))
      made.driver = Switch::Driver::wave;
    else if (!any_in(arguments_[k], moving))
      made.driver = any_in(slope, of_time) ? Switch::Driver::wave : Switch::Driver::clock;
    slopes.push_back(made.driver == Switch::Driver::clock ? slope : graph_.constant(0));
    result.push_back(made);
  }
  return result;
}

}  // namespace kinetune::jit
