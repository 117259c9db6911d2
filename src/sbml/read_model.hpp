#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "model/ode_model.hpp"

namespace kinetune::sbml {

/// The model of an SBML file, Level 1 to 3; hierarchical models are flattened first.
///
/// - A species in a compartment of constant size is one state with the meaning that its id has in formulas:
///   amount if hasOnlySubstanceUnits or if the compartment has no size, concentration otherwise.
/// - A species in a compartment whose size changes is kept as an amount, the state "S.amount"; its
///   concentration "S" is derived.
/// - Every reaction is a derived quantity, its rate. Its local parameter k is the parameter "R.k".
/// - rateOf(x) is a derived quantity "rateOf(x)", there if it is used.
/// - What no rule, reaction or event changes is a parameter, or an initial constant if an expression sets it.
///
/// Constraints are not watched; a warning says so.
///
/// @throws core::Error with file and line for what is malformed, contradictory or not supported
model::OdeModel read_model(const std::filesystem::path&);

/// The same for a text, without the warning. Models that include others by file name are resolved against the
/// folder of `name`.
/// @param name  stands for the file in messages
model::OdeModel parse_model(const std::string& text, const std::string& name);

/// What libSBML's validation finds wrong, units and style aside. Models can have a clear meaning in spite of
/// it, so read_model does not ask.
/// @throws core::Error when the file cannot be read at all
std::vector<core::Error> find_inconsistencies(const std::filesystem::path&);

}  // namespace kinetune::sbml
