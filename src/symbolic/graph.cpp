#include <array>
#include <bit>
#include <cassert>
#include <deque>
#include <memory_resource>

#include "symbolic/expr.hpp"
#include "symbolic/simplify.hpp"

namespace kinetune::symbolic {
namespace {

struct Node {
  Op op;
  std::uint32_t payload = 0;     // of a symbol: index of its name
  double value = 0.0;            // of a constant
  std::span<const Expr> args{};  // in the graph's arena, so that spans stay valid while nodes are added
};

std::uint64_t mix(std::uint64_t hash, std::uint64_t value) {
  hash ^= value + 0x9e3779b97f4a7c15ull + (hash << 6) + (hash >> 2);
  return hash * 0xff51afd7ed558ccdull;
}

}  // namespace

struct Graph::Impl {
  std::vector<Node> nodes;
  std::deque<std::string> names;
  std::pmr::monotonic_buffer_resource arena;
  std::unordered_map<std::string_view, std::uint32_t> symbols;
  std::unordered_map<std::uint64_t, std::uint32_t> constants;  // by bit pattern
  std::unordered_multimap<std::uint64_t, std::uint32_t> operations;

  std::uint32_t add(Node node) {
    nodes.push_back(node);
    return static_cast<std::uint32_t>(nodes.size() - 1);
  }
};

Graph::Graph() : impl_(std::make_unique<Impl>()) {}
Graph::~Graph() = default;

std::size_t Graph::size() const { return impl_->nodes.size(); }

Expr Graph::constant(double value) {
  if (value == 0.0) value = 0.0;  // one zero, whatever its sign
  const auto [entry, is_new] = impl_->constants.try_emplace(std::bit_cast<std::uint64_t>(value), 0);
  if (is_new) entry->second = impl_->add({.op = Op::constant, .value = value});
  return {this, entry->second};
}

Expr Graph::symbol(std::string_view name) {
  if (const auto entry = impl_->symbols.find(name); entry != impl_->symbols.end())
    return {this, entry->second};
  impl_->names.emplace_back(name);
  const auto id =
      impl_->add({.op = Op::symbol, .payload = static_cast<std::uint32_t>(impl_->names.size() - 1)});
  impl_->symbols.emplace(impl_->names.back(), id);
  return {this, id};
}

Expr Graph::make(Op op, std::span<const Expr> args) { return simplified(*this, op, args); }

Expr Graph::intern(Op op, std::span<const Expr> args) {
  std::uint64_t hash = static_cast<std::uint64_t>(op);
  for (const Expr& arg : args) hash = mix(hash, arg.id());
  const auto [first, last] = impl_->operations.equal_range(hash);
  for (auto entry = first; entry != last; ++entry) {
    const Node& node = impl_->nodes[entry->second];
    if (node.op == op && std::ranges::equal(node.args, args)) return {this, entry->second};
  }
  auto* stored = static_cast<Expr*>(impl_->arena.allocate(args.size_bytes(), alignof(Expr)));
  std::uninitialized_copy(args.begin(), args.end(), stored);
  const auto id = impl_->add({.op = op, .args = {stored, args.size()}});
  impl_->operations.emplace(hash, id);
  return {this, id};
}

Op Expr::op() const { return graph_->impl_->nodes[id_].op; }
std::span<const Expr> Expr::args() const { return graph_->impl_->nodes[id_].args; }

double Expr::value() const {
  assert(is_constant());
  return graph_->impl_->nodes[id_].value;
}

const std::string& Expr::name() const {
  assert(is_symbol());
  return graph_->impl_->names[graph_->impl_->nodes[id_].payload];
}

Expr binary(Op op, Expr a, Expr b) { return a.graph().make(op, std::array{a, b}); }
Expr unary(Op op, Expr a) { return a.graph().make(op, std::array{a}); }
Expr select(Expr condition, Expr if_true, Expr otherwise) {
  return condition.graph().make(Op::select, std::array{condition, if_true, otherwise});
}
Expr sum(Graph& graph, std::span<const Expr> terms) { return graph.make(Op::add, terms); }

Expr operator+(Expr a, Expr b) { return binary(Op::add, a, b); }
Expr operator*(Expr a, Expr b) { return binary(Op::mul, a, b); }
Expr operator*(double a, Expr b) { return b.graph().constant(a) * b; }
Expr operator-(Expr a) { return -1.0 * a; }
Expr operator-(Expr a, Expr b) { return a + (-b); }
Expr operator+(Expr a, double b) { return a + a.graph().constant(b); }
Expr operator-(Expr a, double b) { return a + a.graph().constant(-b); }
Expr pow(Expr base, Expr exponent) { return binary(Op::pow, base, exponent); }
Expr pow(Expr base, double exponent) { return pow(base, base.graph().constant(exponent)); }
Expr sqrt(Expr a) { return pow(a, 0.5); }

Expr operator/(Expr a, Expr b) {
  // Folded here: a * (1 / b) rounds twice.
  if (a.is_constant() && b.is_constant()) return a.graph().constant(a.value() / b.value());
  return a * pow(b, -1.0);
}

}  // namespace kinetune::symbolic
