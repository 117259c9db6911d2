#pragma once

#include <string>

#include "sbml/document.hpp"

namespace kinetune::sbml {

/// Looks over a hierarchical model (package comp) before libSBML flattens it: it would read files that nobody
/// has looked at, follow models that contain themselves, and instantiate any number of them.
/// @param name  the document's file; those it refers to are sought in its folder
/// @throws core::Error for models that contain themselves, for far too many submodels, and for what
///         refuse_hostile_xml finds in the files referred to
void refuse_hostile_hierarchy(const SBMLDocument&, const std::string& name);

}  // namespace kinetune::sbml
