#include "jit/kernels.hpp"

#include <algorithm>
#include <unordered_map>

#include <fmt/format.h>

#include "jit/second_derivatives.hpp"
#include "jit/switches.hpp"

namespace kinetune::jit {
namespace {

using symbolic::Differentiator;
using symbolic::Expr;

/// Position of each symbol in a list of symbols, by node id.
std::unordered_map<std::uint32_t, int> positions(const std::vector<Expr>& symbols) {
  std::unordered_map<std::uint32_t, int> result;
  for (std::size_t i = 0; i < symbols.size(); ++i) result.emplace(symbols[i].id(), static_cast<int>(i));
  return result;
}

struct SparseMatrix {
  Pattern pattern;
  std::vector<Expr> values;
};

enum class Diagonal { as_it_is, always_present };

SparseMatrix differentiate(const std::vector<Expr>& functions, const std::vector<Expr>& symbols,
                           Differentiator& d, Diagonal diagonal) {
  const auto position = positions(symbols);
  std::vector<std::vector<std::pair<int, Expr>>> columns(symbols.size());
  for (std::size_t row = 0; row < functions.size(); ++row) {
    for (const Expr& symbol : symbolic::free_symbols(functions[row])) {
      const auto column = position.find(symbol.id());
      if (column == position.end()) continue;
      const Expr value = d(functions[row], symbol);
      if (!value.is_constant(0.0)) columns[column->second].emplace_back(static_cast<int>(row), value);
    }
  }
  SparseMatrix matrix{{static_cast<int>(functions.size()), static_cast<int>(symbols.size()), {0}, {}}, {}};
  for (std::size_t j = 0; j < columns.size(); ++j) {
    auto& column = columns[j];
    const auto row_of = [](const auto& entry) { return entry.first; };
    if (const int i = static_cast<int>(j);
        diagonal == Diagonal::always_present && std::ranges::find(column, i, row_of) == column.end()) {
      column.emplace_back(i, functions[j].graph().constant(0.0));
    }
    std::ranges::sort(column, {}, row_of);
    for (const auto& [row, value] : column) {
      matrix.pattern.rows.push_back(row);
      matrix.values.push_back(value);
    }
    matrix.pattern.column_starts.push_back(matrix.pattern.n_nonzeros());
  }
  return matrix;
}

void append(std::vector<Expr>& to, const std::vector<Expr>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

/// Appends the non-zero derivatives of f and says by what they are.
ObservableLayout::Gradient append_gradient(Expr f, const std::vector<Expr>& states,
                                           const std::vector<Expr>& parameters,
                                           const std::vector<Expr>& placeholders, Differentiator& d,
                                           std::vector<Expr>& results) {
  const std::vector<Expr> present = symbolic::free_symbols(f);
  const auto by = [&](const std::vector<Expr>& symbols) {
    std::vector<int> indices;
    for (std::size_t i = 0; i < symbols.size(); ++i) {
      if (!std::ranges::binary_search(present, symbols[i].id(), {}, &Expr::id)) continue;
      const Expr value = d(f, symbols[i]);
      if (value.is_constant(0.0)) continue;
      indices.push_back(static_cast<int>(i));
      results.push_back(value);
    }
    return indices;
  };
  ObservableLayout::Gradient gradient;
  gradient.by_state = by(states);
  gradient.by_parameter = by(parameters);
  gradient.by_placeholder = by(placeholders);
  return gradient;
}

/// Appends the derivatives of functions in the order that GradientLayout states.
GradientLayout append_derivatives(const std::vector<Expr>& functions, const model::FlatModel& model,
                                  const std::vector<Expr>& differentiated, Differentiator& d,
                                  std::vector<Expr>& results) {
  const SparseMatrix by_state = differentiate(functions, model.state_symbols, d, Diagonal::as_it_is);
  const SparseMatrix by_parameter = differentiate(functions, differentiated, d, Diagonal::as_it_is);
  for (const Expr f : functions) results.push_back(d(f, model.time));
  append(results, by_state.values);
  append(results, by_parameter.values);
  return {by_state.pattern, by_parameter.pattern};
}

/// {delay, priority, values, factors}
std::vector<Expr> results_of(const model::FlatEvent& event, symbolic::Graph& graph) {
  std::vector<Expr> results{event.delay.value_or(graph.constant(0)),
                            event.priority.value_or(graph.constant(0))};
  for (const auto& assignment : event.assignments) results.push_back(assignment.value);
  for (const auto& assignment : event.assignments) {
    results.push_back(assignment.factor.value_or(graph.constant(1)));
  }
  return results;
}

EventLayout layout_of(const model::FlatEvent& event) {
  EventLayout layout{.id = event.id,
                     .has_priority = event.priority.has_value(),
                     .initially_true = event.initially_true,
                     .persistent = event.persistent,
                     .values_from_trigger_time = event.values_from_trigger_time,
                     .targets = {},
                     .derivatives = {}};
  for (const auto& assignment : event.assignments) layout.targets.push_back(assignment.state);
  return layout;
}

/// The sum of the absolute values of an expression's terms: of what its rounding errors are a share.
Expr magnitude(Expr root) {
  symbolic::Graph& graph = root.graph();
  symbolic::ExprMap known;
  for (const Expr e : symbolic::reachable({&root, 1})) {
    std::vector<Expr> args(e.args().begin(), e.args().end());
    const bool keeps_condition = e.op() == symbolic::Op::select;
    const bool goes_by_terms = e.op() == symbolic::Op::add || e.op() == symbolic::Op::mul || keeps_condition;
    for (std::size_t i = keeps_condition ? 1 : 0; i < args.size(); ++i) args[i] = known.at(args[i]);
    known.emplace(e, goes_by_terms ? graph.make(e.op(), args) : unary(symbolic::Op::abs, e));
  }
  return known.at(root);
}

/// Adds the kernels of what equations determine. Before those of the switches, which they may add to.
void add_constraints(const model::FlatModel& model, const std::vector<Expr>& differentiated,
                     SwitchBoard& board, Differentiator& d, ModelCode& code, KernelSet& set) {
  std::vector<Expr> residuals, results, derivatives;
  for (const model::FlatConstraint& constraint : model.constraints) {
    const Expr residual = board.rewrite(constraint.residual);
    code.constraints.push_back(constraint.state);
    residuals.push_back(residual);
    append(results, {residual, magnitude(residual), d(residual, model.state_symbols[constraint.state])});
  }
  code.constraint_derivatives = append_derivatives(residuals, model, differentiated, d, derivatives);
  set.kernels.push_back({"constraints", std::move(results), {}});
  set.kernels.push_back({"constraint_derivatives", std::move(derivatives), {}});
}

/// Adds the kernels of switches and events.
void add_jumps(const model::FlatModel& model, const std::vector<Expr>& differentiated, SwitchBoard& board,
               Differentiator& d, ModelCode& code, KernelSet& set) {
  std::vector<Expr> triggers, slopes;
  for (std::size_t i = 0; i < model.events.size(); ++i) {
    const model::FlatEvent& event = model.events[i];
    triggers.push_back(board.rewrite_condition(event.trigger));
    code.events.push_back(layout_of(event));
    std::vector<Expr> results = results_of(event, *model.graph);
    set.kernels.push_back({fmt::format("event_{}", i), results, {}});
    if (differentiated.empty()) continue;
    results[1] = model.graph->constant(0);  // a priority moves nothing
    std::vector<Expr> derivatives;
    code.events.back().derivatives = append_derivatives(results, model, differentiated, d, derivatives);
    set.kernels.push_back({fmt::format("event_derivatives_{}", i), std::move(derivatives), {}});
  }
  code.switches = board.layout(code.differentiated, slopes);
  set.switches = board.symbols();
  std::vector<Expr> derivatives;
  code.switch_derivatives = append_derivatives(board.arguments(), model, differentiated, d, derivatives);
  set.kernels.push_back({"switch_derivatives", std::move(derivatives), {}});
  set.kernels.push_back({"switch_arguments", board.arguments(), {}});
  set.kernels.push_back({"switch_slopes", std::move(slopes), {}});
  std::vector<Expr> phases = board.phases();
  code.n_phases = static_cast<int>(phases.size());
  set.kernels.push_back({"phases", std::move(phases), {}});
  set.kernels.push_back({"triggers", std::move(triggers), {}});
}

/// What the Jacobian is by: delayed values are given, not solved for, and have empty columns.
std::vector<Expr> unknowns(const model::FlatModel& model) {
  std::vector<Expr> symbols = model.state_symbols;
  for (const model::FlatDelay& delay : model.delays) {
    symbols[delay.state] = model.graph->symbol(fmt::format("#given{}", delay.state));
  }
  return symbols;
}

/// Adds the kernels of delays.
void add_delays(const model::FlatModel& model, ModelCode& code, KernelSet& set) {
  Kernel lags{"lags", {}, {}}, values{"delayed_values", {}, {}}, before{"delayed_values_before", {}, {}};
  for (const model::FlatDelay& delay : model.delays) {
    lags.results.push_back(delay.lag);
    values.results.push_back(delay.value);
    before.results.push_back(delay.before);
  }
  code.n_delays = static_cast<int>(model.delays.size());
  set.kernels.insert(set.kernels.end(), {lags, values, before});
}

}  // namespace

KernelSet make_kernels(const ModelSource& source, const CompileOptions& options, ModelCode& code) {
  const model::FlatModel& model = source.model;
  SwitchBoard board(model);
  std::vector<Expr> rates;
  for (const Expr rate : model.rates) rates.push_back(board.rewrite(rate));
  Differentiator d(*model.graph);
  std::vector<Expr> differentiated;
  for (const int index : source.differentiated) differentiated.push_back(model.parameter_symbols[index]);

  code.n_states = static_cast<int>(model.state_symbols.size());
  code.n_parameters = static_cast<int>(model.parameter_symbols.size());
  code.n_outputs = static_cast<int>(source.outputs.size());
  code.differentiated = source.differentiated;
  const SparseMatrix by_state = differentiate(rates, unknowns(model), d, Diagonal::always_present);
  const SparseMatrix by_parameter = differentiate(rates, differentiated, d, Diagonal::as_it_is);
  const SparseMatrix initials = differentiate(model.initials, differentiated, d, Diagonal::as_it_is);
  code.jacobian = by_state.pattern;
  code.rates_by_parameter = by_parameter.pattern;
  code.initials_by_parameter = initials.pattern;

  std::vector<Expr> all = rates;
  append(all, by_state.values);
  append(all, by_parameter.values);

  KernelSet set;
  set.common.emplace(model.time.id(), Slot{Slot::Array::time});
  for (int i = 0; i < code.n_states; ++i)
    set.common.emplace(model.state_symbols[i].id(), Slot{Slot::Array::state, i});
  set.kernels = {{"initials", model.initials, {}},
                 {"initials_by_parameter", initials.values, {}},
                 {"rates", rates, {}},
                 {"jacobian", by_state.values, {}},
                 {"rates_by_parameter", by_parameter.values, {}},
                 {"rates_and_derivatives", std::move(all), {}},
                 {"outputs", source.outputs, {}}};
  add_constraints(model, differentiated, board, d, code, set);
  add_jumps(model, differentiated, board, d, code, set);
  add_delays(model, code, set);
  if (options.derivatives == Derivatives::second) {
    add_second_derivatives(model, rates,
                           {by_state.pattern, by_state.values, by_parameter.pattern, by_parameter.values},
                           options.max_second_derivatives, d, code, set);
  }
  for (std::size_t i = 0; i < source.observables.size(); ++i) {
    const ObservableSource& observable = source.observables[i];
    Bindings own;
    for (const Expr& symbol : observable.placeholders) {
      own.emplace(symbol.id(), Slot{Slot::Array::argument, static_cast<int>(own.size())});
    }
    std::vector<Expr> results{observable.value, observable.noise};
    set.kernels.push_back({fmt::format("observable_{}", i), results, own});
    ObservableLayout layout{
        .n_placeholders = static_cast<int>(observable.placeholders.size()), .value = {}, .noise = {}};
    const auto gradient = [&](Expr f) {
      return append_gradient(f, model.state_symbols, differentiated, observable.placeholders, d, results);
    };
    layout.value = gradient(observable.value);
    layout.noise = gradient(observable.noise);
    code.observables.push_back(std::move(layout));
    set.kernels.push_back({fmt::format("observable_derivatives_{}", i), std::move(results), std::move(own)});
  }
  return set;
}

}  // namespace kinetune::jit
