#pragma once

#include <filesystem>

#include "suites/suite_report.hpp"

namespace kinetune::suites {

/// Runs one case of the SBML semantic test suite: a folder with a model in one or more levels, of which the
/// newest is taken, settings, the results that are expected, and a description with tags. The comparison is
/// by the settings' own tolerances.
CaseResult run_sbml_case(const std::filesystem::path& folder);

}  // namespace kinetune::suites
