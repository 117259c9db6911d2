#pragma once

#include <filesystem>

#include "suites/suite_report.hpp"

namespace kinetune::suites {

/// Runs one case of the PEtab test suite: a folder with a problem, and with a solution that says what
/// likelihood, chi2, priors and simulated values it has at its nominal parameters, and how far off one may
/// be.
CaseResult run_petab_case(const std::filesystem::path& folder);

}  // namespace kinetune::suites
