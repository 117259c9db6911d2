#pragma once

#include "model/ode_model.hpp"
#include "petab/problem.hpp"

namespace kinetune::estimate {

/// Gives the model's entities the names that the mapping table has for them. What the model does not have is
/// left out.
void apply_mappings(const petab::Problem&, model::OdeModel&);

}  // namespace kinetune::estimate
