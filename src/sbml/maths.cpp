#include "sbml/maths.hpp"

#include <fmt/format.h>
#include <sbml/SBMLTypes.h>

#include "sbml/translation.hpp"

namespace kinetune::sbml {

void Maths::define_function(const FunctionDefinition& definition, core::Location where) {
  functions_.emplace(definition.getId(), Function{&definition, std::move(where)});
}

Expr Maths::translate(const ASTNode& node, const FormulaPlace& place) {
  return Translation(*this, place)(node);
}

Expr Maths::delayed(Expr value, Expr lag, const core::Location& where) {
  for (const model::Delay& known : delays_) {
    if (known.value == value && known.lag == lag) return known.symbol;
  }
  const std::string id = fmt::format("delay#{}", delays_.size() + 1);
  delays_.push_back({id, graph_.symbol(id), value, lag, where});
  return delays_.back().symbol;
}

Expr Maths::rate_of(Expr symbol) {
  if (rates_known_.insert(symbol).second) rates_asked_for_.push_back(symbol);
  return graph_.symbol(fmt::format("rateOf({})", symbol.name()));
}

}  // namespace kinetune::sbml
