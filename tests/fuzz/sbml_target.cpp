#include <string>

#include "core/error.hpp"
#include "fuzz/targets.hpp"
#include "sbml/read_model.hpp"

/// What libSBML's own reader loses when it throws is not ours; the document itself is in a unique_ptr.
extern "C" const char* __lsan_default_suppressions() { return "leak:libsbml.so"; }

namespace kinetune::fuzz {

void import_sbml(std::string_view input) {
  try {
    flatten(sbml::parse_model(std::string(input), "model.xml"));
  } catch (const core::Error&) {
  }
}

}  // namespace kinetune::fuzz
