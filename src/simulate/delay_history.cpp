#include "simulate/delay_history.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "simulate/switch_values.hpp"

namespace kinetune::simulate {

DelayHistory::DelayHistory(const jit::CompiledModel& model)
    : model_(model), n_states_(model.n_states()), n_delays_(model.code().n_delays) {
  for (int n = 0; n <= n_delays_; ++n) {
    scratch_.push_back(
        {std::vector<double>(n_delays_), std::vector<double>(n_delays_), std::vector<double>(n_states_)});
  }
}

void DelayHistory::restart(double start, const double* x, const double* prelude) {
  resume({start, {}, {}}, prelude);
  add_jump(start, x);
}

void DelayHistory::resume(const State& state, const double* prelude) {
  state_ = state;
  prelude_ = prelude;
}

void DelayHistory::add(double from, double to, std::span<const double> derivatives) {
  state_.steps.push_back(
      {from, to, state_.derivatives.size(), static_cast<int>(derivatives.size()) / n_states_ - 1});
  state_.derivatives.insert(state_.derivatives.end(), derivatives.begin(), derivatives.end());
}

void DelayHistory::add_jump(double t, const double* x) {
  add(t, t, {x, static_cast<std::size_t>(n_states_)});
}

/// A delay may look at those before it, which then are filled for the past time first.
void DelayHistory::fill_first(int n, double t, double* x) {
  if (n == 0) return;
  fill_first(n - 1, t, x);
  Scratch& scratch = scratch_[n];
  const int k = n - 1;
  model_.lags(t, x, prelude_, scratch.lags.data());
  x[n_states_ - n_delays_ + k] = value_at(k, t, scratch.lags[k], x, scratch);
}

double DelayHistory::value_at(int k, double t, double lag, const double* x, Scratch& scratch) {
  const double past = t - lag;
  if (past < state_.start && !is_same_time(t, state_.start + lag)) {
    model_.delayed_values_before(past, prelude_, scratch.values.data());
  } else if (!(lag > 0.0)) {
    model_.delayed_values(t, x, prelude_, scratch.values.data());
  } else {
    states_at(past, scratch.x.data());
    fill_first(k, past, scratch.x.data());
    model_.delayed_values(past, scratch.x.data(), prelude_, scratch.values.data());
  }
  return scratch.values[k];
}

/// At a time at which states jump, they are those after it.
void DelayHistory::states_at(double t, double* x) const {
  const auto is_behind = [](double time, const Step& s) {
    return time < s.from && !is_same_time(time, s.from);
  };
  auto step = std::upper_bound(state_.steps.begin(), state_.steps.end(), t, is_behind);
  if (step != state_.steps.begin()) --step;
  const double* coefficients = state_.derivatives.data() + step->first;
  const double h = step->from == step->to ? 0.0 : t - step->to;
  for (int i = 0; i < n_states_; ++i) {
    double sum = 0.0;
    for (int k = step->order; k >= 0; --k) sum = coefficients[k * n_states_ + i] + sum * h / (k + 1);
    x[i] = sum;
  }
}

double DelayHistory::shortest_lag(double t, const double* x) {
  auto& lags = scratch_[0].lags;
  model_.lags(t, x, prelude_, lags.data());
  double shortest = std::numeric_limits<double>::infinity();
  for (const double lag : lags) {
    if (lag > 0.0) shortest = std::min(shortest, lag);
  }
  return shortest;
}

void DelayHistory::add_echoes(double t, const double* x, std::vector<double>& times) {
  auto& lags = scratch_[0].lags;
  model_.lags(t, x, prelude_, lags.data());
  for (const double lag : lags) {
    if (lag > 0.0 && std::isfinite(lag)) times.push_back(t + lag);
  }
}

}  // namespace kinetune::simulate
