#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "estimate/posterior.hpp"

namespace kinetune::study {

enum class Derivatives { none, forward, adjoint };

struct EvaluateOptions {
  std::filesystem::path problem;
  std::optional<std::filesystem::path> parameters;  ///< table; nominal values without
  Derivatives derivatives = Derivatives::forward;
  simulate::IntegratorOptions integrator;
  int repeat = 1;
};

/// For a reader: the reason and, where one is to blame, condition, model time and state.
std::string describe(const optimize::EvaluationFailure&);

/// One evaluation of the objective.
struct EvaluateResult {
  estimate::Problem problem;
  std::expected<estimate::Terms, optimize::EvaluationFailure> terms;
  estimate::Details details;
  double import_seconds;
  double compile_seconds;
  double seconds;  ///< of the evaluation, median over repeats

  std::string to_json() const;
  std::string to_text() const;  ///< for a reader
};

/// @throws core::Error for bad input
EvaluateResult evaluate(const EvaluateOptions&);

}  // namespace kinetune::study
