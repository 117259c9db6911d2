#include "sbml/read_model.hpp"

#include <sbml/SBMLTypes.h>

#include "core/file.hpp"
#include "sbml/import.hpp"

namespace kinetune::sbml {

model::OdeModel read_model(const std::filesystem::path& path) {
  return parse_model(core::read_file(path), path.string());
}

model::OdeModel parse_model(const std::string& text, const std::string& name) {
  const Document document = open_document(text, name);
  Import import(*document->getModel(), name);
  declare_all(import);
  note_what_changes(import);
  add_sizes_and_parameters(import);
  add_species(import);
  add_reactions(import);
  add_events(import);
  add_algebraic_rules(import);
  model::solve_algebraic(import.model);
  import.model.delays = import.maths.delays();
  define_rates_asked_for(import);
  return std::move(import.model);
}

}  // namespace kinetune::sbml
