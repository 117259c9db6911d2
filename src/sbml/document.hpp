#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/error.hpp"

class SBase;
class SBMLDocument;

namespace kinetune::sbml {

struct DocumentDeleter {
  void operator()(SBMLDocument*) const;
};
using Document = std::unique_ptr<SBMLDocument, DocumentDeleter>;

/// Reads a text with libSBML, refuses what libSBML finds wrong and what a required package would change,
/// flattens hierarchical models. The result has a model.
/// @throws core::Error
Document open_document(const std::string& text, const std::string& name);

/// What libSBML's validation of the document finds, units and style aside.
std::vector<core::Error> inconsistencies_of(SBMLDocument&, const std::string& name);

/// Where an element stands; line 0 for what flattening made.
core::Location location_of(const SBase&, const std::string& name);

}  // namespace kinetune::sbml
