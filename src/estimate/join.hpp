#pragma once

#include "estimate/problem.hpp"
#include "jit/model_code.hpp"
#include "model/ode_model.hpp"
#include "petab/diagnostics.hpp"
#include "petab/problem.hpp"

namespace kinetune::estimate {

/// A PEtab problem and its model brought together: what to compile, and what to compare with which data.
struct Joined {
  Problem problem;
  jit::ModelSource source;
};

/// Reports what the tables and the model say wrongly together.
void check(const petab::Problem&, const model::OdeModel&, petab::Diagnostics&);

/// Conditions, scales, overrides and observables become parameters, bindings and expressions of one model.
/// @param model  changed: what conditions override becomes a parameter
/// @throws core::Error for what does not fit together, and for what is not supported
Joined join(const petab::Problem&, model::OdeModel model);

}  // namespace kinetune::estimate
