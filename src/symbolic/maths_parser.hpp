#pragma once

#include <string_view>

#include "core/error.hpp"
#include "symbolic/expr.hpp"

namespace kinetune::symbolic {

/// Reads a formula of the PEtab maths grammar (PEtab specification v2, "Math expressions syntax"; v1's is a
/// part of it):
/// + - * / ^ (right-associative, above unary minus), comparisons (not chained), && || !, the listed
/// functions, piecewise(value, condition, …, otherwise), true, false, inf, nan. Every other name becomes a
/// symbol of the graph; `time` among them.
///
/// @param where  of the formula, for messages
/// @throws core::Error with the column, what stands there and what was expected
Expr parse_maths(Graph&, std::string_view formula, const core::Location& where = {});

/// Whether a text can be an id of SBML or PEtab: a letter or underscore, then letters, digits, underscores.
bool is_identifier(std::string_view);

}  // namespace kinetune::symbolic
