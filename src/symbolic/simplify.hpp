#pragma once

#include <span>

#include "symbolic/expr.hpp"

namespace kinetune::symbolic {

/// The simplest known node equal to op over args wherever both are finite. What Graph::make does; no need to
/// call it.
Expr simplified(Graph&, Op, std::span<const Expr> args);

}  // namespace kinetune::symbolic
