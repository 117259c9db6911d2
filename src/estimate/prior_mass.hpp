#pragma once

#include "petab/problem.hpp"

namespace kinetune::estimate {

/// The share of a prior that lies where truncation leaves it: 1 for what is not truncated, and for the
/// parameter_scale_* types, which no version truncates.
double prior_mass(const petab::Prior&);

}  // namespace kinetune::estimate
