#include "study/version.hpp"

namespace kinetune::study {

std::string version() { return KINETUNE_VERSION; }

}  // namespace kinetune::study
