#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "estimate/problem.hpp"

namespace kinetune::study {

/// The estimated parameters' values (n_x), on their scales: nominal ones, replaced by those of a table with
/// columns parameterId and value (linear) or scaledValue. Lines that begin with # are comments.
/// @throws core::Error
std::vector<double> parameter_vector(const std::optional<std::filesystem::path>& table,
                                     const estimate::Problem&);

}  // namespace kinetune::study
