#pragma once

#include <string_view>

#include "petab/diagnostics.hpp"
#include "petab/problem.hpp"
#include "symbolic/expr.hpp"

namespace kinetune::petab {

/// The observable whose placeholder the id would be by its form; empty where it has another form. Models
/// exist whose ordinary parameters have the form, so the observable must exist, too, before the id is one.
std::string_view placeholder_owner(std::string_view id);

/// Version 1: sets the observable's lists of placeholders from the parsed formulas. Reports placeholders of
/// other observables, noise placeholders in the observable's formula, and gaps in the numbering.
void find_placeholders(Observable&, const symbolic::Expr& formula, const symbolic::Expr& noise_formula,
                       Diagnostics&);

}  // namespace kinetune::petab
