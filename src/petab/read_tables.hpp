#pragma once

#include <initializer_list>

#include "petab/diagnostics.hpp"
#include "petab/problem.hpp"
#include "petab/table.hpp"
#include "symbolic/expr.hpp"

namespace kinetune::petab {

// Each adds one table's rows to the problem and reports what is wrong with single rows. What several rows or
// tables say together is for check_tables. All throw core::Error where a required column is missing.

/// Version 1.
void read_parameters(const Table&, Problem&, Diagnostics&);
void read_conditions(const Table&, Problem&, Diagnostics&);
void read_observables(const Table&, Problem&, Diagnostics&);
void read_measurements(const Table&, Problem&, Diagnostics&);

namespace v2 {

void read_parameters(const Table&, Problem&, Diagnostics&);
void read_conditions(const Table&, Problem&, Diagnostics&);
void read_experiments(const Table&, Problem&, Diagnostics&);
void read_observables(const Table&, Problem&, Diagnostics&);
void read_measurements(const Table&, Problem&, Diagnostics&);
void read_mappings(const Table&, Problem&, Diagnostics&);

}  // namespace v2

/// @throws core::Error for the first that is missing
void require_columns(const Table&, std::initializer_list<const char*> names);

/// Reports a noise that is a number, but not a positive one.
void check_noise(const Observable&, const symbolic::Expr& noise, Diagnostics&);

}  // namespace kinetune::petab
