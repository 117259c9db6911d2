#include "symbolic/maths_parser.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>

namespace kinetune::symbolic {
namespace {

/// Deeper formulas are no science; the limit keeps the recursion far from the end of the stack.
constexpr int max_nesting = 400;
constexpr std::size_t max_length = 1'000'000;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_name_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_name_part(char c) { return is_name_start(c) || is_digit(c); }
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_utf8_tail(char c) { return (static_cast<unsigned char>(c) & 0xC0u) == 0x80u; }

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool equal_but_for_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

using Args = std::span<const Expr>;

struct Function {
  std::string_view name;
  Expr (*build)(Args);
  std::size_t n_args = 1;
};

template <Op op>
Expr apply(Args a) {
  return a[0].graph().make(op, a);
}

Expr inverse(Expr x) { return pow(x, -1.0); }
Expr log_to(Expr x, double base) { return unary(Op::log, x) / unary(Op::log, x.graph().constant(base)); }

/// PEtab's functions; under asin, …, floor and ceil those that to_string writes and PEtab lacks or names
/// otherwise.
constexpr std::array functions{
    Function{"exp", apply<Op::exp>},
    Function{"ln", apply<Op::log>},
    Function{"log2", [](Args a) { return log_to(a[0], 2); }},
    Function{"log10", [](Args a) { return log_to(a[0], 10); }},
    Function{"sqrt", [](Args a) { return sqrt(a[0]); }},
    Function{"abs", apply<Op::abs>},
    Function{"sign", apply<Op::sign>},
    Function{"pow", apply<Op::pow>, 2},
    Function{"min", apply<Op::min>, 2},
    Function{"max", apply<Op::max>, 2},

    Function{"sin", apply<Op::sin>},
    Function{"cos", apply<Op::cos>},
    Function{"tan", apply<Op::tan>},
    Function{"cot", [](Args a) { return unary(Op::cos, a[0]) / unary(Op::sin, a[0]); }},
    Function{"sec", [](Args a) { return inverse(unary(Op::cos, a[0])); }},
    Function{"csc", [](Args a) { return inverse(unary(Op::sin, a[0])); }},
    Function{"arcsin", apply<Op::asin>},
    Function{"arccos", apply<Op::acos>},
    Function{"arctan", apply<Op::atan>},
    Function{"arccot", [](Args a) { return unary(Op::atan, inverse(a[0])); }},
    Function{"arcsec", [](Args a) { return unary(Op::acos, inverse(a[0])); }},
    Function{"arccsc", [](Args a) { return unary(Op::asin, inverse(a[0])); }},

    Function{"sinh", apply<Op::sinh>},
    Function{"cosh", apply<Op::cosh>},
    Function{"tanh", apply<Op::tanh>},
    Function{"coth", [](Args a) { return inverse(unary(Op::tanh, a[0])); }},
    Function{"sech", [](Args a) { return inverse(unary(Op::cosh, a[0])); }},
    Function{"csch", [](Args a) { return inverse(unary(Op::sinh, a[0])); }},
    Function{"arcsinh", apply<Op::asinh>},
    Function{"arccosh", apply<Op::acosh>},
    Function{"arctanh", apply<Op::atanh>},
    Function{"arccoth", [](Args a) { return unary(Op::atanh, inverse(a[0])); }},
    Function{"arcsech", [](Args a) { return unary(Op::acosh, inverse(a[0])); }},
    Function{"arccsch", [](Args a) { return unary(Op::asinh, inverse(a[0])); }},

    Function{"asin", apply<Op::asin>},
    Function{"acos", apply<Op::acos>},
    Function{"atan", apply<Op::atan>},
    Function{"asinh", apply<Op::asinh>},
    Function{"acosh", apply<Op::acosh>},
    Function{"atanh", apply<Op::atanh>},
    Function{"floor", apply<Op::floor>},
    Function{"ceil", apply<Op::ceil>},
};

Expr piecewise(Args a) {
  Expr result = a.back();
  for (std::size_t i = a.size() - 1; i > 0; i -= 2) result = select(a[i - 1], a[i - 2], result);
  return result;
}

/// What a call stands for: no value where the function takes `expected` instead, nothing at all where none
/// has the name.
struct Call {
  std::string_view expected;
  Expr value;
};

Call call_function(std::string_view name, Args args) {
  if (name == "piecewise") {
    const bool fits = args.size() >= 3 && args.size() % 2 == 1;
    return {"piecewise(value, condition, ..., otherwise)", fits ? piecewise(args) : Expr{}};
  }
  if (name == "log") {
    if (args.size() == 1) return {"1 or 2 arguments", unary(Op::log, args[0])};
    return {"log(x) or log(x, base)",
            args.size() == 2 ? unary(Op::log, args[0]) / unary(Op::log, args[1]) : Expr{}};
  }
  for (const Function& function : functions) {
    if (function.name != name) continue;
    const Expr value = args.size() == function.n_args ? function.build(args) : Expr{};
    return {function.n_args == 1 ? "1 argument" : "2 arguments", value};
  }
  return {};
}

/// A piece of the formula. Operators and punctuation are told apart by their text; the end has none.
struct Token {
  enum class Kind { number, name, symbol, end };
  Kind kind = Kind::end;
  std::string_view text;
  std::size_t offset = 0;  ///< in bytes

  bool is(std::string_view symbol) const { return kind == Kind::symbol && text == symbol; }
};

class Parser {
 public:
  Parser(Graph& graph, std::string_view formula, const core::Location& where)
      : graph_(graph), formula_(formula), where_(where) {}

  Expr parse() {
    if (formula_.size() > max_length) fail(0, "a formula this long is refused", "a shorter formula");
    advance();
    const Expr result = logic();
    if (token_.kind != Token::Kind::end) fail_here("an operator or the end of the formula");
    return result;
  }

 private:
  // One function for each precedence, the loosest first. Each is entered with token_ at its first token and
  // leaves it at the first token that is not its own.
  Expr logic();
  Expr comparison();
  Expr additive();
  Expr multiplicative();
  Expr unary_operator();
  Expr power();
  Expr primary();
  Expr number();
  Expr name();
  Expr call(const Token& function);

  void advance();
  std::size_t token_length(std::size_t begin) const;
  std::size_t number_length(std::size_t begin) const;
  bool take(std::string_view symbol);
  void expect(std::string_view symbol);

  [[noreturn]] void fail_here(const std::string& expected) const;
  [[noreturn]] void fail(std::size_t offset, const std::string& what, const std::string& expected) const;

  Graph& graph_;
  std::string_view formula_;
  const core::Location& where_;
  Token token_;
  std::size_t next_ = 0;  ///< where the token after token_ begins, or blanks before it
  int nesting_ = 0;
};

Expr Parser::logic() {
  Expr left = comparison();
  while (token_.is("&&") || token_.is("||")) {  // of equal precedence, unlike in C
    const Op op = token_.is("&&") ? Op::logical_and : Op::logical_or;
    advance();
    left = binary(op, left, comparison());
  }
  return left;
}

bool is_comparison(const Token& token) {
  return token.is("<") || token.is("<=") || token.is(">") || token.is(">=") || token.is("==") ||
         token.is("!=");
}

Expr compare(std::string_view symbol, Expr left, Expr right) {
  if (symbol == "<") return binary(Op::less, left, right);
  if (symbol == "<=") return binary(Op::less_equal, left, right);
  if (symbol == ">") return binary(Op::less, right, left);
  if (symbol == ">=") return binary(Op::less_equal, right, left);
  const Expr equal = binary(Op::equal, left, right);
  return symbol == "==" ? equal : unary(Op::logical_not, equal);
}

Expr Parser::comparison() {
  const Expr left = additive();
  if (!is_comparison(token_)) return left;
  const std::string_view symbol = token_.text;
  advance();
  const Expr right = additive();
  if (is_comparison(token_)) fail_here("&& between two comparisons, or parentheses: they do not chain");
  return compare(symbol, left, right);
}

// Terms and factors are collected first: adding them one by one would make a long sum quadratic.
Expr Parser::additive() {
  std::vector<Expr> terms{multiplicative()};
  while (token_.is("+") || token_.is("-")) {
    const bool subtract = token_.is("-");
    advance();
    const Expr term = multiplicative();
    terms.push_back(subtract ? -term : term);
  }
  return terms.size() == 1 ? terms.front() : sum(graph_, terms);
}

Expr Parser::multiplicative() {
  std::vector<Expr> factors{unary_operator()};
  while (token_.is("*") || token_.is("/")) {
    const bool divide = token_.is("/");
    advance();
    const Expr factor = unary_operator();
    if (divide && factors.size() == 1) {
      factors.front() = factors.front() / factor;  // rounds once where both are numbers
    } else {
      factors.push_back(divide ? pow(factor, -1.0) : factor);
    }
  }
  return factors.size() == 1 ? factors.front() : graph_.make(Op::mul, factors);
}

Expr Parser::unary_operator() {
  // Every way to nest passes through here.
  if (++nesting_ > max_nesting) fail(token_.offset, "the formula is nested too deeply", "fewer levels");
  Expr result;
  if (take("-")) {
    result = -unary_operator();
  } else if (take("+")) {
    result = unary_operator();
  } else if (take("!")) {
    result = unary(Op::logical_not, unary_operator());
  } else {
    result = power();
  }
  --nesting_;
  return result;
}

Expr Parser::power() {
  const Expr base = primary();
  return take("^") ? pow(base, unary_operator()) : base;
}

Expr Parser::primary() {
  if (token_.kind == Token::Kind::number) return number();
  if (token_.kind == Token::Kind::name) return name();
  if (!take("(")) fail_here("a number, a name, a function or '('");
  const Expr inner = logic();
  expect(")");
  return inner;
}

Expr Parser::number() {
  double value = 0;
  const char* end = token_.text.data() + token_.text.size();
  const auto [stop, code] = std::from_chars(token_.text.data(), end, value);
  if (code != std::errc{} || stop != end) fail_here("a number that fits into double precision");
  advance();
  return graph_.constant(value);
}

Expr Parser::name() {
  const Token token = token_;
  advance();
  if (take("(")) return call(token);
  if (token.text == "true") return graph_.constant(1);
  if (token.text == "false") return graph_.constant(0);
  if (token.text == "inf") return graph_.constant(std::numeric_limits<double>::infinity());
  if (token.text == "nan") return graph_.constant(std::numeric_limits<double>::quiet_NaN());
  for (const std::string_view reserved : {"true", "false", "inf", "nan"}) {
    if (equal_but_for_case(token.text, reserved)) {
      fail(token.offset, fmt::format("found the reserved name '{}'", token.text),
           fmt::format("'{}'", reserved));
    }
  }
  return graph_.symbol(token.text);
}

Expr Parser::call(const Token& function) {
  std::vector<Expr> args;
  if (!token_.is(")")) {
    do args.push_back(logic());
    while (take(","));
  }
  expect(")");
  const auto [expected, value] = call_function(function.text, args);
  if (expected.empty())
    fail(function.offset, fmt::format("found '{}('", function.text), "a function that PEtab knows");
  if (!value) {
    fail(function.offset, fmt::format("found {} argument(s) of '{}'", args.size(), function.text),
         std::string(expected));
  }
  return value;
}

std::size_t Parser::number_length(std::size_t begin) const {
  std::size_t end = begin;
  const auto skip_digits = [&] {
    while (end < formula_.size() && is_digit(formula_[end])) ++end;
  };
  skip_digits();
  if (end < formula_.size() && formula_[end] == '.') {
    ++end;
    skip_digits();
  }
  if (end < formula_.size() && (formula_[end] == 'e' || formula_[end] == 'E')) {
    const std::size_t before_exponent = end++;
    if (end < formula_.size() && (formula_[end] == '+' || formula_[end] == '-')) ++end;
    const std::size_t digits = end;
    skip_digits();
    if (end == digits) end = before_exponent;
  }
  return end - begin;
}

std::size_t Parser::token_length(std::size_t begin) const {
  const std::string_view pair = formula_.substr(begin, 2);
  for (const std::string_view symbol : {"&&", "||", "<=", ">=", "==", "!=", "**"}) {
    if (pair == symbol) return 2;
  }
  std::size_t end = begin + 1;
  if (is_name_start(formula_[begin])) {
    while (end < formula_.size() && is_name_part(formula_[end])) ++end;
  } else {
    while (end < formula_.size() && is_utf8_tail(formula_[end])) ++end;  // keeps a foreign character whole
  }
  return end - begin;
}

void Parser::advance() {
  while (next_ < formula_.size() && is_blank(formula_[next_])) ++next_;
  token_ = {Token::Kind::end, {}, next_};
  if (next_ == formula_.size()) return;
  const char first = formula_[next_];
  const bool numeric =
      is_digit(first) || (first == '.' && next_ + 1 < formula_.size() && is_digit(formula_[next_ + 1]));
  token_.kind = numeric                ? Token::Kind::number
                : is_name_start(first) ? Token::Kind::name
                                       : Token::Kind::symbol;
  token_.text = formula_.substr(next_, numeric ? number_length(next_) : token_length(next_));
  next_ += token_.text.size();
}

bool Parser::take(std::string_view symbol) {
  if (!token_.is(symbol)) return false;
  advance();
  return true;
}

void Parser::expect(std::string_view symbol) {
  if (!take(symbol)) fail_here(fmt::format("'{}'", symbol));
}

void Parser::fail_here(const std::string& expected) const {
  if (token_.is("**")) fail(token_.offset, "found '**'", "'^' for a power");
  const bool at_end = token_.kind == Token::Kind::end;
  fail(token_.offset, at_end ? "found the end of the formula" : fmt::format("found '{}'", token_.text),
       expected);
}

/// The formula, or the part of it around the offset when it is long.
std::string excerpt(std::string_view formula, std::size_t offset) {
  constexpr std::size_t reach = 30;
  std::size_t begin = offset > reach ? offset - reach : 0;
  std::size_t end = std::min(formula.size(), offset + reach);
  while (begin > 0 && is_utf8_tail(formula[begin])) --begin;
  while (end < formula.size() && is_utf8_tail(formula[end])) ++end;
  return fmt::format("{}{}{}", begin > 0 ? "..." : "", formula.substr(begin, end - begin),
                     end < formula.size() ? "..." : "");
}

void Parser::fail(std::size_t offset, const std::string& what, const std::string& expected) const {
  const auto before = formula_.substr(0, offset);
  const auto column =
      1 + std::count_if(before.begin(), before.end(), [](char c) { return !is_utf8_tail(c); });
  throw core::Error(where_,
                    fmt::format("formula '{}', column {}: {}", excerpt(formula_, offset), column, what),
                    "expected " + expected);
}

}  // namespace

Expr parse_maths(Graph& graph, std::string_view formula, const core::Location& where) {
  return Parser(graph, formula, where).parse();
}

bool is_identifier(std::string_view text) {
  return !text.empty() && is_name_start(text.front()) && std::all_of(text.begin(), text.end(), is_name_part);
}

}  // namespace kinetune::symbolic
