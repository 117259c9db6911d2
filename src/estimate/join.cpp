#include "estimate/join.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include <fmt/format.h>

#include "estimate/overrides.hpp"
#include "petab/check.hpp"
#include "symbolic/maths_parser.hpp"

namespace kinetune::estimate {
namespace {

using symbolic::Expr;

petab::ModelEntities entities(const model::OdeModel& model) {
  petab::ModelEntities result;
  for (const auto& p : model.parameters) result.emplace(p.id, petab::EntityKind::parameter);
  for (const auto& c : model.initial_constants) result.emplace(c.id, petab::EntityKind::parameter);
  for (const auto& s : model.states) result.emplace(s.id, petab::EntityKind::state);
  for (const auto& d : model.derived) result.emplace(d.id, petab::EntityKind::assigned);
  return result;
}

/// Joins step by step; each step reads what the ones before it have left.
class Joiner {
 public:
  Joiner(const petab::Problem& petab, model::OdeModel model) : petab_(petab), model_(std::move(model)) {
    for (std::size_t i = 0; i < petab_.parameters.size(); ++i) {
      parameter_row_.emplace(petab_.parameters[i].id, static_cast<int>(i));
    }
  }

  Joined join() {
    refuse_unsupported();
    add_estimated_parameters();
    overrides_ = make_overridable(petab_, model_);
    add_missing_parameters();
    add_observables();
    add_simulations();
    choose_differentiated();
    check_values();
    return std::move(result_);
  }

 private:
  void refuse_unsupported() const {
    for (const auto& m : petab_.measurements) {
      if (!m.preequilibration_condition_id.empty()) {
        throw core::Error(m.where, "pre-equilibration is not supported yet",
                          "start from explicit initial values");
      }
      if (std::isinf(m.time))
        throw core::Error(m.where, "measurements at a steady state (time inf) are not supported yet");
    }
  }

  void add_estimated_parameters() {
    for (const petab::Parameter& p : petab_.parameters) {
      if (p.estimate == petab::Estimate::no) continue;
      estimated_index_.emplace(p.id, static_cast<int>(result_.problem.parameters.size()));
      result_.problem.parameters.push_back({p.id, p.name, p.scale, scaled(p.scale, p.lower_bound),
                                            scaled(p.scale, p.upper_bound), scaled(p.scale, p.nominal_value),
                                            p.objective_prior});
    }
  }

  /// Parameters that only the PEtab tables know become parameters of the model.
  void add_missing_parameters() {
    for (const petab::Parameter& p : petab_.parameters) {
      std::erase_if(model_.initial_constants, [&](const auto& c) { return c.id == p.id; });
      if (!model_.has(p.id)) model_.parameters.push_back({p.id, model_.graph->symbol(p.id), p.nominal_value});
    }
  }

  void add_observables() {
    result_.source.model = model::flatten(model_);
    result_.problem.state_ids = result_.source.model.state_ids;
    result_.problem.model_parameter_ids = result_.source.model.parameter_ids;
    for (std::size_t i = 0; i < result_.problem.model_parameter_ids.size(); ++i) {
      model_parameter_index_.emplace(result_.problem.model_parameter_ids[i], static_cast<int>(i));
    }
    for (const petab::Observable& o : petab_.observables) {
      observable_index_.emplace(o.id, static_cast<int>(result_.problem.observables.size()));
      result_.problem.observables.push_back({o.id, o.transformation, o.noise_distribution});
      jit::ObservableSource source{formula(o.formula), formula(o.noise_formula), {}};
      for (int k = 1; k <= o.n_observable_parameters; ++k) {
        source.placeholders.push_back(model_.graph->symbol(petab::observable_placeholder(o.id, k)));
      }
      for (int k = 1; k <= o.n_noise_parameters; ++k) {
        source.placeholders.push_back(model_.graph->symbol(petab::noise_placeholder(o.id, k)));
      }
      check_symbols(source, o);
      result_.source.observables.push_back(std::move(source));
    }
  }

  Expr formula(const petab::Formula& text) {
    return result_.source.model.flatten(symbolic::parse_maths(*model_.graph, text.text, text.where));
  }

  void check_symbols(const jit::ObservableSource& source, const petab::Observable& o) const {
    const auto& flat = result_.source.model;
    for (const Expr& symbol : symbolic::free_symbols(std::vector{source.value, source.noise})) {
      const auto is = [&](const std::vector<Expr>& known) {
        return std::ranges::find(known, symbol) != known.end();
      };
      if (symbol == flat.time || is(flat.state_symbols) || is(flat.parameter_symbols) ||
          is(source.placeholders))
        continue;
      throw core::Error(o.formula.where,
                        fmt::format("'{}' in observable {} is not known", symbol.name(), o.id),
                        "use ids of the model or of the parameter table");
    }
  }

  void add_simulations() {
    std::map<std::string, std::vector<int>> rows;  // of each condition
    std::vector<std::string> order;
    for (std::size_t i = 0; i < petab_.measurements.size(); ++i) {
      const auto& id = petab_.measurements[i].simulation_condition_id;
      if (!rows.contains(id)) order.push_back(id);
      rows[id].push_back(static_cast<int>(i));
    }
    for (const std::string& id : order) result_.problem.simulations.push_back(simulation(id, rows.at(id)));
  }

  Simulation simulation(const std::string& condition_id, const std::vector<int>& rows) {
    Simulation s{condition_id, {}, {}, {}, {}};
    for (const auto& p : model_.parameters) s.parameters.push_back(binding(p));
    for (const auto& [target, value] : petab_.condition(condition_id)->overrides) {
      overrides_.apply(target, binding(value), [&](const std::string& parameter, Binding to) {
        s.parameters[model_parameter_index_.at(parameter)] = to;
      });
    }
    std::set<double> times;
    for (const int row : rows) times.insert(petab_.measurements[row].time);
    s.times.assign(times.begin(), times.end());
    for (const int row : rows) s.data.push_back(data_point(row, s.times));
    std::ranges::stable_sort(s.data, {}, &DataPoint::time_index);
    return s;
  }

  DataPoint data_point(int row, const std::vector<double>& times) const {
    const petab::Measurement& m = petab_.measurements[row];
    DataPoint point{row,
                    static_cast<int>(std::ranges::lower_bound(times, m.time) - times.begin()),
                    observable_index_.at(m.observable_id),
                    m.value,
                    {}};
    for (const petab::Value& value : m.observable_parameters) point.placeholders.push_back(binding(value));
    for (const petab::Value& value : m.noise_parameters) point.placeholders.push_back(binding(value));
    return point;
  }

  Binding binding(const model::Parameter& p) const {
    return parameter_row_.contains(p.id) ? binding(petab::Value(p.id)) : Binding{p.value, -1};
  }

  Binding binding(const petab::Value& value) const {
    if (const auto* number = std::get_if<double>(&value)) return {*number, -1};
    const std::string& id = std::get<std::string>(value);
    if (const auto entry = estimated_index_.find(id); entry != estimated_index_.end())
      return {0.0, entry->second};
    if (const auto row = parameter_row_.find(id); row != parameter_row_.end()) {
      return {petab_.parameters[row->second].nominal_value, -1};
    }
    if (const auto* p = model_.parameter(id)) return {p->value, -1};
    throw core::Error({petab_.yaml_file.string(), 0}, fmt::format("'{}' is no parameter", id),
                      "use a number or an id of the parameter table");
  }

  /// Derivatives are taken by what some simulation sets to an estimated parameter.
  void choose_differentiated() {
    for (std::size_t i = 0; i < result_.problem.model_parameter_ids.size(); ++i) {
      const bool estimated = std::ranges::any_of(
          result_.problem.simulations, [&](const Simulation& s) { return s.parameters[i].estimated >= 0; });
      if (estimated) result_.source.differentiated.push_back(static_cast<int>(i));
    }
  }

  /// Every number that the simulations use must be known.
  void check_values() const {
    std::vector<Expr> used = result_.source.model.rates;
    used.insert(used.end(), result_.source.model.initials.begin(), result_.source.model.initials.end());
    for (const auto& o : result_.source.observables) used.insert(used.end(), {o.value, o.noise});
    for (const Expr& symbol : symbolic::free_symbols(used)) {
      const auto index = model_parameter_index_.find(symbol.name());
      if (index == model_parameter_index_.end()) continue;
      for (const Simulation& s : result_.problem.simulations) {
        const Binding& b = s.parameters[index->second];
        if (b.estimated < 0 && std::isnan(b.constant)) {
          throw core::Error({petab_.model_file.string(), 0},
                            fmt::format("'{}' has no value in condition {}",
                                        overrides_.target_of(symbol.name()), s.condition_id),
                            "give it one in the model, the condition table or the parameter table");
        }
      }
    }
  }

  const petab::Problem& petab_;
  model::OdeModel model_;
  Overrides overrides_;
  Joined result_;
  std::map<std::string, int> parameter_row_, estimated_index_, model_parameter_index_, observable_index_;
};

}  // namespace

void check(const petab::Problem& petab, const model::OdeModel& model, petab::Diagnostics& diagnostics) {
  petab::check_against_model(petab, entities(model), diagnostics);
}

Joined join(const petab::Problem& petab, model::OdeModel model) {
  return Joiner(petab, std::move(model)).join();
}

}  // namespace kinetune::estimate
