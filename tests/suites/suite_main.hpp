#pragma once

#include <filesystem>
#include <string>

#include "suites/suite_report.hpp"

namespace kinetune::suites {

/// The main function of a suite's program: PROGRAM DIR [--table out.tsv] [--seconds 60]. Each folder in DIR
/// is a case, and has a process of its own.
/// @param subject  what it runs, for --help
/// @returns the exit code: 1 where a case has failed
int run_suite(int argc, char** argv, const std::string& subject,
              CaseResult (*run_case)(const std::filesystem::path& folder));

}  // namespace kinetune::suites
