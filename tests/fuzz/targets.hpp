#pragma once

#include <string_view>

namespace kinetune::fuzz {

// What the fuzzers and the regression tests run. Each takes any bytes; input that is wrong must end in
// core::Error and in nothing else, which the targets swallow. Whatever else leaves a target is a finding.

/// An SBML file: imported and flattened.
void import_sbml(std::string_view input);

/// The files of a PEtab problem: read, checked, and held against a small made-up model. A line "%%% name"
/// opens each file; problem.yaml is what is read.
void read_petab(std::string_view input);

/// A formula: parsed, printed, parsed again, differentiated and evaluated.
void parse_maths(std::string_view input);

}  // namespace kinetune::fuzz
