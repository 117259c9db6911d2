#pragma once

#include <functional>

#include "suites/suite_report.hpp"

namespace kinetune::suites {

/// Runs a case in a process of its own, so that neither a crash nor a runaway ends the suite.
/// @param name     of the case, for when the process does not answer
/// @param seconds  after which it is ended
CaseResult run_isolated(const std::string& name, unsigned seconds, const std::function<CaseResult()>& run);

}  // namespace kinetune::suites
