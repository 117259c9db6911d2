#pragma once

#include <filesystem>
#include <optional>

#include "jit/model_code.hpp"

namespace kinetune::jit {

/// Where compiled models are kept for later runs: $KINETUNE_CACHE, or else kinetune in $XDG_CACHE_HOME or
/// ~/.cache. None where KINETUNE_CACHE is set and empty, or none of these is set.
std::optional<std::filesystem::path> cache_folder();

/// As compile(), but what has been compiled before from the same expressions, with the same options, by the
/// same build of this program for the same processor, is read from the folder. Several processes may use it
/// at a time. What cannot be read or written there is no error: then it is compiled.
ModelCode compile_cached(const ModelSource&, const CompileOptions& = {},
                         const std::optional<std::filesystem::path>& folder = cache_folder());

}  // namespace kinetune::jit
