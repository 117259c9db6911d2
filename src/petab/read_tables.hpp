#pragma once

#include "petab/diagnostics.hpp"
#include "petab/problem.hpp"
#include "petab/table.hpp"

namespace kinetune::petab {

// Each adds one table's rows to the problem and reports what is wrong with single rows. What several rows or
// tables say together is for check_tables. All throw core::Error where a required column is missing.

void read_parameters(const Table&, Problem&, Diagnostics&);
void read_conditions(const Table&, Problem&, Diagnostics&);
void read_observables(const Table&, Problem&, Diagnostics&);
void read_measurements(const Table&, Problem&, Diagnostics&);

}  // namespace kinetune::petab
