#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>

#include "estimate/problem.hpp"
#include "model/ode_model.hpp"

namespace kinetune::estimate {

/// How conditions reach into the model: what they override stands behind parameters.
class Overrides {
 public:
  using Assign = std::function<void(const std::string& parameter, Binding)>;

  /// Sets the parameters behind a target to a value that a condition gives it.
  void apply(const std::string& target, Binding value, const Assign& assign) const;

  /// The id that a user knows, of a parameter of the changed model.
  std::string target_of(const std::string& parameter) const;

 private:
  friend Overrides make_overridable(const petab::Problem&, model::OdeModel&);

  struct Replacement {
    std::string value;   ///< parameter that holds the value
    std::string is_set;  ///< parameter that says whether the condition gives one; empty where all do
  };
  std::map<std::string, Replacement> replaced_;
};

/// Changes the model so that every target of the condition table is a parameter: states' initial values and
/// initial constants give way to one where conditions set them, and stay what they were elsewhere.
Overrides make_overridable(const petab::Problem&, model::OdeModel&);

}  // namespace kinetune::estimate
