#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace kinetune::symbolic {

class Graph;

/// What a node computes. Comparisons and logic give 0 or 1; as a condition, anything but 0 is true.
enum class Op : std::uint8_t {
  constant,  ///< value
  symbol,    ///< name
  add,       ///< n-ary sum
  mul,       ///< n-ary product
  pow,       ///< (base, exponent), as C's pow
  exp,
  log,
  sin,
  cos,
  tan,
  asin,
  acos,
  atan,
  sinh,
  cosh,
  tanh,
  asinh,
  acosh,
  atanh,
  abs,
  sign,
  floor,
  ceil,
  min,
  max,        ///< binary
  remainder,  ///< (a, b): a - b floor(a / b), the sign of b
  less,
  less_equal,
  equal,  ///< binary
  logical_and,
  logical_or,  ///< binary
  logical_not,
  select,  ///< (condition, value if true, value otherwise); only the chosen value matters
  xlogy,   ///< (x, y): x log(y), and 0 where x = 0: keeps derivatives of powers finite at a base of 0
};

/// Whether the operation says yes or no: 1 or 0.
constexpr bool is_logical(Op op) { return op >= Op::less && op <= Op::logical_not; }

/// A handle to one node of a Graph; cheap to copy, equal exactly when the nodes are the same.
/// Valid as long as its graph lives.
class Expr {
 public:
  Expr() = default;
  Expr(Graph* graph, std::uint32_t id) : graph_(graph), id_(id) {}

  explicit operator bool() const noexcept { return graph_ != nullptr; }
  Graph& graph() const noexcept { return *graph_; }
  std::uint32_t id() const noexcept { return id_; }
  Op op() const;
  std::span<const Expr> args() const;
  double value() const;             ///< of a constant
  const std::string& name() const;  ///< of a symbol
  bool is_constant() const { return op() == Op::constant; }
  bool is_constant(double v) const { return op() == Op::constant && value() == v; }
  bool is_symbol() const { return op() == Op::symbol; }

  friend bool operator==(const Expr& a, const Expr& b) noexcept {
    return a.id_ == b.id_ && a.graph_ == b.graph_;
  }

 private:
  Graph* graph_ = nullptr;
  std::uint32_t id_ = 0;
};

struct ExprHash {
  std::size_t operator()(const Expr& e) const noexcept { return e.id() * 0x9e3779b97f4a7c15ull; }
};
using ExprMap = std::unordered_map<Expr, Expr, ExprHash>;

/// A pool of expressions in which equal expressions are one node (hash-consing). Nodes are simplified as they
/// are made (constants folded; sums and products flattened, ordered and collected) and never removed. An
/// argument's id is always below its user's, so ids are a topological order. Not thread-safe.
class Graph {
 public:
  Graph();
  ~Graph();
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  Expr constant(double);
  Expr symbol(std::string_view name);  ///< the same name gives the same node
  std::size_t size() const;            ///< number of nodes
  Expr at(std::uint32_t id) { return {this, id}; }

  /// The simplified node for op over args (of this graph). Not for constants and symbols.
  Expr make(Op op, std::span<const Expr> args);
  /// The node for op over args as they stand, for what has been simplified already.
  Expr intern(Op op, std::span<const Expr> args);

 private:
  friend class Expr;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

Expr operator+(Expr, Expr);
Expr operator-(Expr, Expr);
Expr operator*(Expr, Expr);
Expr operator/(Expr, Expr);
Expr operator-(Expr);
Expr operator+(Expr, double);
Expr operator-(Expr, double);
Expr operator*(double, Expr);
Expr pow(Expr base, Expr exponent);
Expr pow(Expr base, double exponent);
Expr sqrt(Expr);
Expr unary(Op, Expr);         ///< any operation of one argument
Expr binary(Op, Expr, Expr);  ///< any operation of two
Expr select(Expr condition, Expr if_true, Expr otherwise);
Expr sum(Graph&, std::span<const Expr>);

/// d expr / d symbol. Derivatives of select are taken branch by branch, of floor, ceil, sign and comparisons
/// are 0. Differentiates many expressions by many symbols of one graph and remembers every intermediate
/// result.
class Differentiator {
 public:
  explicit Differentiator(Graph& graph) : graph_(graph) {}
  Expr operator()(Expr, Expr symbol);

 private:
  Expr differentiate_node(Expr, Expr symbol);
  const Expr* known(Expr, Expr symbol) const;

  Graph& graph_;
  std::unordered_map<std::uint64_t, Expr> known_;
};

/// Every node that the expressions are made of, ids ascending: arguments come before their users.
std::vector<Expr> reachable(std::span<const Expr>);

/// Every symbol that the expressions depend on, ids ascending.
std::vector<Expr> free_symbols(std::span<const Expr>);
std::vector<Expr> free_symbols(Expr);

/// Replaces symbols (once: what stands in a replacement is not replaced again).
Expr substitute(Expr, const ExprMap& replacements);
std::vector<Expr> substitute(std::span<const Expr>, const ExprMap& replacements);

/// What an operation gives for numbers; the one definition that folding, evaluation and native code agree on.
double compute(Op, std::span<const double> args);

/// The number; `values` is asked for each symbol.
double evaluate(Expr, const std::function<double(Expr symbol)>& values);

/// Infix text that parse_maths reads back.
std::string to_string(Expr);

}  // namespace kinetune::symbolic
