#include <array>
#include <cmath>

#include <fmt/format.h>

#include "symbolic/expr.hpp"

namespace kinetune::symbolic {
namespace {

constexpr std::array names{"",      "",     "",     "",      "",     "exp",  "log",  "sin",   "cos",
                           "tan",   "asin", "acos", "atan",  "sinh", "cosh", "tanh", "asinh", "acosh",
                           "atanh", "abs",  "sign", "floor", "ceil", "min",  "max",  "",      "<",
                           "<=",    "==",   "&&",   "||",    "!",    "",     ""};
static_assert(names.size() == static_cast<std::size_t>(Op::xlogy) + 1);

std::string number(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "(-inf)";
  return value < 0 ? fmt::format("({})", value) : fmt::format("{}", value);
}

std::string compose(Expr e, const std::vector<std::string>& a) {
  const char* name = names[static_cast<std::size_t>(e.op())];
  switch (e.op()) {
    case Op::constant:
      return number(e.value());
    case Op::symbol:
      return e.name();
    case Op::add:
      return fmt::format("({})", fmt::join(a, " + "));
    case Op::mul:
      return fmt::format("({})", fmt::join(a, " * "));
    case Op::pow:
      return fmt::format("({} ^ {})", a[0], a[1]);
    case Op::remainder:
      return fmt::format("({0} - {1} * floor({0} / {1}))", a[0], a[1]);
    case Op::less:
    case Op::less_equal:
    case Op::equal:
    case Op::logical_and:
    case Op::logical_or:
      return fmt::format("({} {} {})", a[0], name, a[1]);
    case Op::logical_not:
      return fmt::format("(!{})", a[0]);
    case Op::select:
      return fmt::format("piecewise({}, {}, {})", a[1], a[0], a[2]);
    case Op::xlogy:
      return fmt::format("piecewise(0, {0} == 0, {0} * log({1}))", a[0], a[1]);
    default:
      return fmt::format("{}({})", name, fmt::join(a, ", "));
  }
}

}  // namespace

std::string to_string(Expr root) {
  std::unordered_map<std::uint32_t, std::string> known;
  std::vector<std::string> args;
  for (const Expr& e : reachable(std::span(&root, 1))) {
    args.clear();
    for (const Expr& arg : e.args()) args.push_back(known[arg.id()]);
    known[e.id()] = compose(e, args);
  }
  return known[root.id()];
}

}  // namespace kinetune::symbolic
