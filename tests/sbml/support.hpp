#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/error.hpp"
#include "model/ode_model.hpp"
#include "sbml/read_model.hpp"

namespace kinetune::sbml::test {

/// The folder of public data, which may be absent.
inline std::filesystem::path shared_data() {
  const char* folder = std::getenv("KINETUNE_SHARED");
  return (folder ? std::filesystem::path(folder)
                 : std::filesystem::path(KINETUNE_SOURCE_DIR) / ".." / "shared") /
         "data";
}

/// A Level 3 Version 2 document around the content of its model, which begins on line 3.
inline std::string document(const std::string& content, const std::string& model_attributes = "") {
  return "<?xml version='1.0' encoding='UTF-8'?>\n"
         "<sbml xmlns='http://www.sbml.org/sbml/level3/version2/core' level='3' version='2'><model id='m' " +
         model_attributes + ">\n" + content + "</model></sbml>";
}

inline std::string math(const std::string& content) {
  return "<math xmlns='http://www.w3.org/1998/Math/MathML'>" + content + "</math>";
}

/// The message with which a text is refused, as model or when it is flattened.
inline std::string refusal_of(const std::string& text) {
  try {
    model::flatten(sbml::parse_model(text, "m.xml"));
  } catch (const core::Error& error) {
    return error.what();
  }
  return "accepted";
}

/// A flat model with its numbers filled in, integrated by the classical Runge-Kutta method with fixed steps:
/// slow and plain.
class Walk {
 public:
  explicit Walk(const model::OdeModel& model) : flat_(model::flatten(model)) {
    for (const model::Parameter& parameter : model.parameters) values_[parameter.symbol] = parameter.value;
    values_[flat_.time] = 0;
    std::vector<double> initials;
    for (const symbolic::Expr initial : flat_.initials) initials.push_back(number(initial));
    set_states(initials);
  }

  double value(symbolic::Expr expression) const { return number(flat_.flatten(expression)); }

  void advance(double to, int n_steps) {
    const double start = values_.at(flat_.time);
    for (int i = 0; i < n_steps; ++i) step(start + (to - start) * i / n_steps, (to - start) / n_steps);
  }

 private:
  double number(symbolic::Expr expression) const {
    return symbolic::evaluate(expression, [&](symbolic::Expr symbol) { return values_.at(symbol); });
  }

  void set_states(const std::vector<double>& states) {
    states_ = states;
    for (std::size_t i = 0; i < states.size(); ++i) values_[flat_.state_symbols[i]] = states[i];
  }

  std::vector<double> rates_at(double time, const std::vector<double>& states) {
    values_[flat_.time] = time;
    set_states(states);
    std::vector<double> rates;
    for (const symbolic::Expr rate : flat_.rates) rates.push_back(number(rate));
    return rates;
  }

  void step(double time, double h) {
    const std::vector<double> start = states_;
    const auto moved = [&](const std::vector<double>& rates, double by) {
      std::vector<double> states = start;
      for (std::size_t i = 0; i < states.size(); ++i) states[i] += by * rates[i];
      return states;
    };
    const auto k1 = rates_at(time, start);
    const auto k2 = rates_at(time + h / 2, moved(k1, h / 2));
    const auto k3 = rates_at(time + h / 2, moved(k2, h / 2));
    const auto k4 = rates_at(time + h, moved(k3, h));
    std::vector<double> end = start;
    for (std::size_t i = 0; i < end.size(); ++i) end[i] += h / 6 * (k1[i] + 2 * k2[i] + 2 * k3[i] + k4[i]);
    values_[flat_.time] = time + h;
    set_states(end);
  }

  model::FlatModel flat_;
  std::vector<double> states_;
  std::unordered_map<symbolic::Expr, double, symbolic::ExprHash> values_;
};

}  // namespace kinetune::sbml::test
