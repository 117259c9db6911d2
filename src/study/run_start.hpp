#pragma once

#include <functional>
#include <optional>

#include "optimize/local.hpp"
#include "sample/sampler.hpp"
#include "study/start_outcome.hpp"

namespace kinetune::study {

/// Draws one start and refines it. The outcome depends on the arguments alone, but for its wall time; CPU
/// time and rank are left to the caller.
/// @param n_redraws  how often at most another x0 is drawn where the objective fails at the start
/// @param stop_requested  asked after each evaluation
/// @returns nothing when it was stopped
std::optional<StartOutcome> run_start(std::uint64_t id, const sample::Sampler&, std::string_view source,
                                      optimize::Objective&, const optimize::LocalOptions&,
                                      std::uint64_t n_redraws, const std::function<bool()>& stop_requested);

}  // namespace kinetune::study
