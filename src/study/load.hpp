#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "estimate/problem.hpp"
#include "jit/model_code.hpp"
#include "petab/problem.hpp"
#include "simulate/integrator.hpp"

namespace kinetune::study {

/// A PEtab problem that is ready to be evaluated.
struct LoadedProblem {
  petab::Problem petab;
  estimate::Problem problem;
  std::vector<jit::ModelCode> codes;  ///< of the problem's parts
  std::string inputs_checksum;        ///< of all input files, whatever folder they are in
  double import_seconds = 0;          ///< wall time for reading and checking
  double compile_seconds = 0;         ///< wall time for derivatives and native code
};

/// Reads, checks and compiles. @throws core::Error
/// @param method  that the code is for: Rosenbrock methods need second derivatives
/// @param lanes   simulations that are to go side by side; 0: as many as the processor can, if there are
///                several
LoadedProblem load(const std::filesystem::path& problem_yaml,
                   simulate::Method method = simulate::Method::automatic, int lanes = 1);

}  // namespace kinetune::study
