#pragma once

#include <filesystem>
#include <string>

namespace kinetune::study {

struct CheckResult {
  int n_errors;
  std::string text;  ///< every error with file and line, then what the input holds
};

/// Looks over a PEtab problem (.yaml, .yml) or an SBML model and reports everything that is wrong at once.
CheckResult check(const std::filesystem::path&);

}  // namespace kinetune::study
