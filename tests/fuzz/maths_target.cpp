#include <stdexcept>

#include "core/error.hpp"
#include "fuzz/targets.hpp"
#include "symbolic/expr.hpp"
#include "symbolic/maths_parser.hpp"

namespace kinetune::fuzz {
namespace {

/// What to_string writes must be read back. Only the limit on nesting may be in the way, because the text has
/// parentheses that the formula had not.
void check_round_trip(symbolic::Graph& graph, symbolic::Expr expression) {
  const std::string text = to_string(expression);
  try {
    (void)symbolic::parse_maths(graph, text);
  } catch (const core::Error& error) {
    if (std::string_view(error.what()).find("nested") == std::string_view::npos)
      throw std::logic_error("printed as " + text + ", which is refused: " + error.what());
  }
}

}  // namespace

void parse_maths(std::string_view input) {
  symbolic::Graph graph;
  symbolic::Expr formula;
  try {
    formula = symbolic::parse_maths(graph, input, {"formula", 1});
  } catch (const core::Error&) {
    return;
  }
  check_round_trip(graph, formula);
  symbolic::Differentiator differentiate(graph);
  constexpr std::size_t max_symbols = 4;
  auto symbols = free_symbols(formula);
  symbols.resize(std::min(symbols.size(), max_symbols));
  for (const symbolic::Expr symbol : symbols) {
    const symbolic::Expr slope = differentiate(formula, symbol);
    (void)evaluate(slope, [](symbolic::Expr) { return 0.7; });
  }
  (void)evaluate(formula, [](symbolic::Expr) { return 0.0; });
}

}  // namespace kinetune::fuzz
