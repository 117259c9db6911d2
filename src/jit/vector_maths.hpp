#pragma once

#include <optional>
#include <string>

namespace kinetune::jit {

/// The library that has elementary functions of several arguments at once (glibc's, with errors of at most
/// 4 units in the last place); nullptr where there is none.
const char* vector_maths_library();

/// The name there of a function such as exp for `width` doubles, each in its own lane of one register.
std::optional<std::string> vector_function(const std::string& name, int n_arguments, int width);

}  // namespace kinetune::jit
