#include "estimate/join.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include <fmt/format.h>

#include "estimate/conditions.hpp"
#include "estimate/mappings.hpp"
#include "estimate/parameter_values.hpp"
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

std::vector<EstimatedParameter> estimated_parameters(const petab::Problem& petab) {
  std::vector<EstimatedParameter> result;
  for (const petab::Parameter& p : petab.parameters) {
    if (p.estimate == petab::Estimate::no) continue;
    result.push_back({p.id, p.name, p.scale, scaled(p.scale, p.lower_bound), scaled(p.scale, p.upper_bound),
                      scaled(p.scale, p.nominal_value), p.objective_prior});
  }
  return result;
}

/// Joins a problem of one model, step by step; each step reads what the ones before it have left.
class Joiner {
 public:
  Joiner(const petab::Problem& petab, model::OdeModel model)
      : petab_(petab), model_(std::move(model)), values_(petab_, model_) {}

  void add_to(Joined& joined) {
    add_missing_parameters();
    courses_ = courses_of(petab_);
    effects_ = apply_conditions(petab_, courses_, model_);
    values_.make_formulas_choices(effects_);
    flatten_model();
    add_observables();
    for (std::size_t i = 0; i < courses_.size(); ++i) add_simulation(courses_[i], effects_[i]);
    choose_differentiated();
    check_values();
    joined.problem.parts.push_back(std::move(part_));
    joined.sources.push_back(std::move(source_));
  }

 private:
  /// Parameters that only the PEtab tables know become parameters of the model.
  void add_missing_parameters() {
    for (const petab::Parameter& p : petab_.parameters) {
      std::erase_if(model_.initial_constants, [&](const auto& c) { return c.id == p.id; });
      if (!model_.has(p.id)) model_.parameters.push_back({p.id, model_.graph->symbol(p.id), p.nominal_value});
    }
  }

  void flatten_model() {
    source_.model = model::flatten(model_);
    const model::FlatModel& flat = source_.model;
    part_.state_ids = flat.state_ids;
    part_.model_parameter_ids = flat.parameter_ids;
    for (std::size_t i = 0; i < flat.parameter_ids.size(); ++i)
      model_parameter_index_.emplace(flat.parameter_ids[i], static_cast<int>(i));
    for (std::size_t i = 0; i < flat.state_ids.size(); ++i)
      state_index_.emplace(flat.state_ids[i], static_cast<int>(i));
  }

  void add_observables() {
    for (const petab::Observable& o : petab_.observables) {
      observable_index_.emplace(o.id, static_cast<int>(part_.observables.size()));
      part_.observables.push_back({o.id, o.transformation, o.noise_distribution});
      jit::ObservableSource source{flatten(parse(o.formula)), flatten(noise_of(o)), {}};
      for (const auto* names : {&o.observable_placeholders, &o.noise_placeholders}) {
        for (const std::string& name : *names) source.placeholders.push_back(model_.graph->symbol(name));
      }
      check_symbols(source, o);
      source_.observables.push_back(std::move(source));
    }
  }

  Expr parse(const petab::Formula& text) const {
    return symbolic::parse_maths(*model_.graph, text.text, text.where);
  }
  Expr flatten(Expr expression) const { return source_.model.flatten(expression); }

  /// A noise formula may name observables.
  Expr noise_of(const petab::Observable& o) const {
    const Expr noise = parse(o.noise_formula);
    symbolic::ExprMap meanings;
    for (const Expr& symbol : symbolic::free_symbols(noise)) {
      const petab::Observable* named = petab_.observable(symbol.name());
      if (named && !model_.has(symbol.name())) meanings.emplace(symbol, parse(named->formula));
    }
    return symbolic::substitute(noise, meanings);
  }

  void check_symbols(const jit::ObservableSource& source, const petab::Observable& o) const {
    const auto& flat = source_.model;
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

  void add_simulation(const Course& course, const std::vector<StageEffect>& effects) {
    Simulation simulation{course.id, course.preequilibration_id, {}};
    for (std::size_t s = 0; s < course.stages.size(); ++s)
      simulation.periods.push_back(period(course, s, effects[s]));
    part_.simulations.push_back(std::move(simulation));
  }

  Period period(const Course& course, std::size_t stage, const StageEffect& effect) {
    Period result{course.stages[stage].start, {}, {}, {}, {}};
    for (const auto& p : model_.parameters) result.parameters.push_back(values_.of(p));
    for (const auto& [id, value] : effect.values) {
      values_.assign(id, value, [&](const std::string& parameter, Binding to) {
        result.parameters[model_parameter_index_.at(parameter)] = to;
      });
    }
    for (const auto& [id, formula] : effect.resets)
      result.resets.push_back({state_index_.at(id), reset_formula(flatten(formula))});
    std::vector<int> rows;
    std::set<double> times;
    for (const int row : course.rows) {
      if (stage_at(course, petab_.measurements[row].time) != stage) continue;
      rows.push_back(row);
      times.insert(petab_.measurements[row].time);
    }
    result.times.assign(times.begin(), times.end());
    for (const int row : rows) result.data.push_back(data_point(row, result.times));
    std::ranges::stable_sort(result.data, {}, &DataPoint::time_index);
    return result;
  }

  /// Compiled like an observable, once for all that are equal.
  int reset_formula(Expr formula) {
    auto& all = source_.observables;
    const auto first = all.begin() + static_cast<long>(petab_.observables.size());
    const auto known = std::find_if(first, all.end(), [&](const auto& o) { return o.value == formula; });
    const auto index = static_cast<int>(known - all.begin());
    if (known == all.end()) all.push_back({formula, model_.graph->constant(1.0), {}});
    return index;
  }

  DataPoint data_point(int row, const std::vector<double>& times) const {
    const petab::Measurement& m = petab_.measurements[row];
    DataPoint point{m.row,
                    static_cast<int>(std::ranges::lower_bound(times, m.time) - times.begin()),
                    observable_index_.at(m.observable_id),
                    m.value,
                    {}};
    for (const petab::Value& value : m.observable_parameters) point.placeholders.push_back(values_.of(value));
    for (const petab::Value& value : m.noise_parameters) point.placeholders.push_back(values_.of(value));
    return point;
  }

  /// Derivatives are taken by what some simulation sets to an estimated parameter.
  void choose_differentiated() {
    for (std::size_t i = 0; i < part_.model_parameter_ids.size(); ++i) {
      const auto is_estimated = [&](const Period& p) { return p.parameters[i].estimated >= 0; };
      const bool estimated = std::ranges::any_of(part_.simulations, [&](const Simulation& s) {
        return std::ranges::any_of(s.periods, is_estimated);
      });
      if (estimated) source_.differentiated.push_back(static_cast<int>(i));
    }
  }

  /// Every number that the simulations use must be known.
  void check_values() const {
    std::vector<Expr> used = source_.model.rates;
    used.insert(used.end(), source_.model.initials.begin(), source_.model.initials.end());
    for (const auto& o : source_.observables) used.insert(used.end(), {o.value, o.noise});
    for (const Expr& symbol : symbolic::free_symbols(used)) {
      const auto index = model_parameter_index_.find(symbol.name());
      if (index == model_parameter_index_.end()) continue;
      for (const Simulation& s : part_.simulations) {
        const auto has_none = [&](const Period& p) {
          const Binding& b = p.parameters[index->second];
          return b.estimated < 0 && std::isnan(b.constant);
        };
        if (std::ranges::none_of(s.periods, has_none)) continue;
        throw core::Error(
            {petab_.models.front().file.string(), 0},
            fmt::format("'{}' has no value in {} {}", known_name(symbol.name()),
                        petab_.format_version == 1 ? "condition" : "experiment", s.condition_id),
            "give it one in the model, the condition table or the parameter table");
      }
    }
  }

  const petab::Problem& petab_;
  model::OdeModel model_;
  ParameterValues values_;
  std::vector<Course> courses_;
  Effects effects_;
  Part part_;
  jit::ModelSource source_;
  std::map<std::string, int> model_parameter_index_, state_index_, observable_index_;
};

}  // namespace

void check(const petab::Problem& petab, const std::vector<model::OdeModel>& models,
           petab::Diagnostics& diagnostics) {
  std::vector<petab::ModelEntities> all;
  for (model::OdeModel model : models) {
    apply_mappings(petab, model);
    all.push_back(entities(model));
  }
  petab::check_against_models(petab, all, diagnostics);
}

Joined join(const petab::Problem& petab, std::vector<model::OdeModel> models) {
  Joined result{{estimated_parameters(petab), {}}, {}};
  for (std::size_t i = 0; i < models.size(); ++i) {
    apply_mappings(petab, models[i]);
    if (models.size() == 1)
      Joiner(petab, std::move(models[i])).add_to(result);
    else
      Joiner(petab::of_model(petab, petab.models[i]), std::move(models[i])).add_to(result);
  }
  return result;
}

}  // namespace kinetune::estimate
