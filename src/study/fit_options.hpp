#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <string_view>

#include "estimate/posterior.hpp"
#include "optimize/local.hpp"
#include "sample/sampler.hpp"

namespace kinetune::study {

/// A multi-start study, as the run file stores it and a study file states it.
struct FitOptions {
  std::filesystem::path problem;  ///< PEtab, YAML; absolute once the study runs
  sample::SamplerOptions sampler;
  optimize::LocalOptions local;
  estimate::PosteriorOptions posterior{.integrator = {.method = simulate::Method::automatic}};
  std::uint64_t n_redraws = 10;  ///< how often at most another x0 is drawn where the objective fails

  /// @throws core::Error on what cannot be meant
  void validate() const;
  /// All options, each under the name of its command line flag.
  std::string to_yaml() const;
  /// Options that the text leaves out keep the values of `base`.
  /// @param name  of the file, for messages
  /// @throws core::Error with the line for unknown keys and values
  static FitOptions from_yaml(std::string_view text, const std::string& name, FitOptions base);
};

/// Spellings of choices, for flags, study files and messages.
std::string_view name(sample::Method);
std::string_view name(estimate::Sensitivities);
std::string_view name(simulate::LinearSolver);
sample::Method sampling_method(std::string_view);
optimize::Method local_method(std::string_view);
estimate::Sensitivities sensitivities(std::string_view);
simulate::LinearSolver linear_solver(std::string_view);
simulate::Method integration_method(std::string_view);

}  // namespace kinetune::study
