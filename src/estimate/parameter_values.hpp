#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "estimate/conditions.hpp"
#include "estimate/problem.hpp"

namespace kinetune::estimate {

/// Where the values of the model's parameters come from. A value is a number or an estimated parameter; what
/// conditions give as a formula of estimated parameters becomes part of the model, and a number chooses it.
class ParameterValues {
 public:
  using Assign = std::function<void(const std::string& parameter, Binding)>;

  /// @param petab, model  must outlive the object
  ParameterValues(const petab::Problem& petab, model::OdeModel& model);

  /// Changes the model.
  void make_formulas_choices(const Effects&);

  /// Sets a parameter, or what stands behind it, to what a condition says.
  void assign(const std::string& parameter, symbolic::Expr value, const Assign&) const;

  Binding of(const model::Parameter&) const;
  Binding of(const petab::Value&) const;

 private:
  std::optional<Binding> plain(symbolic::Expr value) const;

  const petab::Problem& petab_;
  model::OdeModel& model_;
  std::map<std::string, const petab::Parameter*> rows_;
  std::map<std::string, int> estimated_;
  std::map<std::string, std::vector<symbolic::Expr>> choices_;
};

}  // namespace kinetune::estimate
