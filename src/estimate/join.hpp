#pragma once

#include "estimate/problem.hpp"
#include "jit/model_code.hpp"
#include "model/ode_model.hpp"
#include "petab/diagnostics.hpp"
#include "petab/problem.hpp"

namespace kinetune::estimate {

/// A PEtab problem and its models brought together: what to compile, and what to compare with which data.
struct Joined {
  Problem problem;
  std::vector<jit::ModelSource> sources;  ///< one for each of the problem's parts
};

/// Reports what the tables and the models say wrongly together.
/// @param models  in the problem's order
void check(const petab::Problem&, const std::vector<model::OdeModel>& models, petab::Diagnostics&);

/// Conditions, scales, overrides and observables become parameters, bindings and expressions of the models.
/// @param models  in the problem's order; changed: what conditions override becomes a parameter
/// @throws core::Error for what does not fit together, and for what is not supported
Joined join(const petab::Problem&, std::vector<model::OdeModel> models);

}  // namespace kinetune::estimate
