#include <string>

#include "core/error.hpp"
#include "fuzz/targets.hpp"
#include "sbml/read_model.hpp"

namespace kinetune::fuzz {

void import_sbml(std::string_view input) {
  try {
    flatten(sbml::parse_model(std::string(input), "model.xml"));
  } catch (const core::Error&) {
  }
}

}  // namespace kinetune::fuzz
