#pragma once

#include "sample/box.hpp"
#include "study/fit_options.hpp"
#include "study/load.hpp"

namespace kinetune::study {

/// What a study's starts are drawn from.
/// @throws core::Error when a bound is infinite, a nominal value is missing, or a prior has nothing within
/// the bounds
sample::Box start_box(const LoadedProblem&, StartRange, double factor);

/// Between ranks.
std::string to_bytes(const sample::Box&);
sample::Box box_from_bytes(std::string_view);

}  // namespace kinetune::study
