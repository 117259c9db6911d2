#pragma once

#include <string>

namespace kinetune::study {

/// As "0.1.0".
std::string version();

}  // namespace kinetune::study
