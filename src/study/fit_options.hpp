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

/// Where start vectors are drawn from, within the bounds and on the parameters' scales.
enum class StartRange {
  priors,   ///< PEtab's initialisation prior of a parameter that has one, otherwise uniformly between the
            ///< bounds
  bounds,   ///< uniformly between the bounds
  nominal,  ///< uniformly within a factor of the nominal value
};

/// A multi-start study, as the run file stores it and a study file states it.
struct FitOptions {
  std::filesystem::path problem;  ///< PEtab, YAML; absolute once the study runs
  sample::SamplerOptions sampler;
  StartRange start_range = StartRange::priors;
  double start_factor = 10;  ///< of StartRange::nominal: from nominal / factor to nominal * factor
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

/// That `wanted` is the study of `stored`: what it leaves to `auto` and the number of starts may differ.
/// @param run_file  that holds the study, for messages
/// @throws core::Error with the first option that differs
void require_same_study(const FitOptions& stored, const FitOptions& wanted, const std::string& run_file);

/// Spellings of choices, for flags, study files and messages.
std::string_view name(sample::Method);
std::string_view name(StartRange);
std::string_view name(estimate::Sensitivities);
std::string_view name(simulate::LinearSolver);
sample::Method sampling_method(std::string_view);
StartRange start_range(std::string_view);
optimize::Method local_method(std::string_view);
estimate::Sensitivities sensitivities(std::string_view);
simulate::LinearSolver linear_solver(std::string_view);
simulate::SteadyStateSearch steady_state_search(std::string_view);
simulate::SensitivityErrors sensitivity_errors(std::string_view);
simulate::Method integration_method(std::string_view);

}  // namespace kinetune::study
