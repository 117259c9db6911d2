#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "petab/diagnostics.hpp"
#include "petab/problem.hpp"

namespace kinetune::petab {

/// Reports what the tables say wrongly together: repeated ids, bounds, references that lead nowhere, numbers
/// of observable and noise parameters, measurements that have no logarithm. read_problem calls it.
void check_tables(const Problem&, Diagnostics&);

/// The part of it that version 2 alone has: experiments, formulas of conditions, declared placeholders.
void check_experiments(const Problem&, Diagnostics&);

/// Reports what is wrong in the visualization tables of a problem whose other tables are right. Nothing else
/// reads them: a mistake there ends no study.
void check_visualizations(const Problem&, Diagnostics&);

/// What an id of the model stands for, as far as PEtab makes a difference.
enum class EntityKind {
  parameter,    ///< a number that the problem may set
  compartment,  ///< a condition may set its size
  state,        ///< a species, or what a rate rule governs: a condition may set its initial value
  assigned,     ///< an assignment rule gives it: formulas may use it, nothing may set it
  other,        ///< a reaction or anything else that formulas may use
};

using ModelEntities = std::unordered_map<std::string, EntityKind>;

/// Reports ids of formulas, conditions and the parameter table that neither the models nor the problem know,
/// and model entities that are set where they must not be. Each model has to fit its own measurements alone.
/// @param entities  of the problem's models, in their order
void check_against_models(const Problem&, const std::vector<ModelEntities>& entities, Diagnostics&);

}  // namespace kinetune::petab
