#pragma once

#include <map>
#include <string>
#include <vector>

#include "estimate/course.hpp"
#include "model/ode_model.hpp"

namespace kinetune::estimate {

/// What the conditions of one stage come to.
struct StageEffect {
  /// Of parameters of the changed model; in terms of parameters that no condition sets.
  std::map<std::string, symbolic::Expr> values;
  /// Of states of the changed model, all at once: formulas of states, parameters and time as they are before.
  std::vector<std::pair<std::string, symbolic::Expr>> resets;
};

/// By course and stage.
using Effects = std::vector<std::vector<StageEffect>>;

/// Changes the model so that all that conditions do is to give values to parameters and to reset states:
/// initial values and initial constants give way to parameters where a course's first conditions set them;
/// what later conditions set by formulas of states becomes a state itself, and so does a constant with an
/// initial assignment that later conditions would change, as initial assignments count but once.
/// @throws core::Error for what cannot be set, or not to that
Effects apply_conditions(const petab::Problem&, const std::vector<Course>&, model::OdeModel&);

/// The id that a user knows, of a parameter that apply_conditions has added.
std::string known_name(const std::string& parameter);

}  // namespace kinetune::estimate
