#include "sbml/read_model.hpp"

#include <sbml/SBMLTypes.h>

#include "core/file.hpp"
#include "core/log.hpp"
#include "sbml/import.hpp"

namespace kinetune::sbml {

namespace {

/// They say when a model loses its meaning; no equation depends on them.
void warn_about_constraints(const Model& model, const std::string& name) {
  const unsigned n = model.getNumConstraints();
  if (n == 0) return;
  core::log(core::LogLevel::warning, "{}:{}: {} constraint{} of the model {} not watched", name,
            location_of(*model.getConstraint(0), name).line, n, n == 1 ? "" : "s", n == 1 ? "is" : "are");
}

model::OdeModel import_model(const Model& model, const std::string& name) {
  Import import(model, name);
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

}  // namespace

model::OdeModel read_model(const std::filesystem::path& path) {
  const Document document = open_document(core::read_file(path), path.string());
  warn_about_constraints(*document->getModel(), path.string());
  return import_model(*document->getModel(), path.string());
}

std::vector<core::Error> find_inconsistencies(const std::filesystem::path& path) {
  const Document document = open_document(core::read_file(path), path.string());
  return inconsistencies_of(*document, path.string());
}

model::OdeModel parse_model(const std::string& text, const std::string& name) {
  const Document document = open_document(text, name);
  return import_model(*document->getModel(), name);
}

}  // namespace kinetune::sbml
