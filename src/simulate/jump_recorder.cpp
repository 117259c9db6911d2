#include "simulate/jump_recorder.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace kinetune::simulate {
namespace {

using Row = RowUpdate::Row;

// Order of an event kernel's results, before the factors.
constexpr std::size_t delay = 0, first_value = 2;

/// @param values  as jit::GradientLayout orders them
/// @param rates   (n_states)
Change change_of(const jit::GradientLayout& derivatives, const double* values, const double* rates,
                 std::span<const int> active) {
  const auto& [by_state, by_parameter] = derivatives;
  Change change{std::vector<Row>(by_state.n_rows), std::vector<double>(values, values + by_state.n_rows)};
  values += by_state.n_rows;
  for (int i = 0; i < by_state.n_cols; ++i) {
    for (int e = by_state.column_starts[i]; e < by_state.column_starts[i + 1]; ++e) {
      change.rows[by_state.rows[e]].rows.emplace_back(i, values[e]);
      change.pace[by_state.rows[e]] += values[e] * rates[i];
    }
  }
  values += by_state.n_nonzeros();
  for (std::size_t k = 0; k < active.size(); ++k) {
    if (active[k] < 0) continue;
    for (int e = by_parameter.column_starts[active[k]]; e < by_parameter.column_starts[active[k] + 1]; ++e) {
      change.rows[by_parameter.rows[e]].parameters.emplace_back(static_cast<int>(k), values[e]);
    }
  }
  return change;
}

void add(Row& to, const Row& from, double weight) {
  if (weight == 0.0) return;
  for (const auto& [row, w] : from.rows) to.rows.emplace_back(row, weight * w);
  for (const auto& [k, w] : from.parameters) to.parameters.emplace_back(k, weight * w);
}

bool is_zero(const Row& row) { return row.rows.empty() && row.parameters.empty(); }

}  // namespace

JumpRecorder::JumpRecorder(const jit::CompiledModel& model)
    : model_(model),
      constraints_(model),
      held_prelude_(model.code().n_prelude),
      held_x_(model.n_states()),
      from_(model.n_states()),
      to_(model.n_states()),
      triggers_(model.code().events.size()),
      triggers_before_(model.code().events.size()),
      cause_(model.code().events.size(), none),
      arguments_(model.code().switches.size()),
      arguments_before_(model.code().switches.size()) {}

void JumpRecorder::restart(std::span<const int> active) {
  State state;
  state.motion_of_switch.resize(model_.code().switches.size());
  state.n_rows = model_.n_states();
  resume(state, active);
}

void JumpRecorder::resume(const State& state, std::span<const int> active) {
  active_ = active;
  state_ = state;
  std::ranges::fill(cause_, none);
}

void JumpRecorder::end_moment() {
  state_.free_rows.insert(state_.free_rows.end(), state_.passing_rows.begin(), state_.passing_rows.end());
  state_.passing_rows.clear();
  std::ranges::fill(state_.motion_of_switch, SwitchMotion{});
}

int JumpRecorder::new_row() {
  if (state_.free_rows.empty()) return state_.n_rows++;
  const int row = state_.free_rows.back();
  state_.free_rows.pop_back();
  return row;
}

void JumpRecorder::hold(const double* x, std::span<const double> prelude) {
  std::ranges::copy(prelude, held_prelude_.begin());
  std::copy_n(x, held_x_.size(), held_x_.begin());
}

bool JumpRecorder::switches_changed(double t, std::span<const double> prelude,
                                    std::vector<RowUpdate>& updates) {
  const auto& code = model_.code();
  std::ranges::fill(cause_, none);
  double* x = held_x_.data();
  const double* became = prelude.data() + code.first_switch();
  double* values = held_prelude_.data() + code.first_switch();
  if (std::equal(values, values + code.switches.size(), became)) return true;
  model_.rates(t, x, held_prelude_.data(), to_.data());
  model_.triggers(t, x, held_prelude_.data(), triggers_.data());
  // One after the other, each from where the last has led.
  for (std::size_t k = 0; k < code.switches.size(); ++k) {
    if (values[k] == became[k]) continue;
    from_ = to_;
    const Change change = change_of_switches(t, x);
    model_.switch_arguments(t, x, held_prelude_.data(), arguments_before_.data());
    values[k] = became[k];
    const bool is_solved = !constraints_.exist() || constraints_.solve(t, x, held_prelude_.data());
    if (!is_solved) return false;
    triggers_before_ = triggers_;
    model_.rates(t, x, held_prelude_.data(), to_.data());
    model_.triggers(t, x, held_prelude_.data(), triggers_.data());
    const bool jumps = code.switches[k].jumps || state_.motion_of_switch[k].follows;
    const bool triggers = triggers_ != triggers_before_, rates_jump = jumps && from_ != to_;
    followers_.clear();
    if (jumps) find_followers(k, t, x);
    if (!triggers && !rates_jump && followers_.empty()) continue;
    if (!give_motion(k, change, updates)) return false;
    const int motion = state_.motion_of_switch[k].row;
    for (const std::size_t follower : followers_) state_.motion_of_switch[follower] = {motion, true};
    if (motion == none) continue;
    if (rates_jump) updates.push_back(shift(motion));
    if (constraints_.exist()) constraints_.append_updates(t, x, held_prelude_.data(), active_, updates);
    for (std::size_t e = 0; e < cause_.size(); ++e) {
      if (triggers_[e] != 0.0 && triggers_before_[e] == 0.0) cause_[e] = motion;
    }
  }
  return true;
}

/// Those behind switch k whose arguments have jumped with it; arguments_before_ are those before.
void JumpRecorder::find_followers(std::size_t k, double t, const double* x) {
  model_.switch_arguments(t, x, held_prelude_.data(), arguments_.data());
  for (std::size_t i = k + 1; i < arguments_.size(); ++i) {
    if (arguments_[i] != arguments_before_[i]) followers_.push_back(i);
  }
}

/// @returns false where the time of switch k matters and has no motion
bool JumpRecorder::give_motion(std::size_t k, const Change& change, std::vector<RowUpdate>& updates) {
  auto& [motion, follows] = state_.motion_of_switch[k];
  if (follows || motion != none || is_zero(change.rows[k])) return true;
  if (!std::isfinite(1.0 / change.pace[k])) return false;
  state_.passing_rows.push_back(motion = new_row());
  Row row{motion, {}, {}};
  add(row, change.rows[k], -1.0 / change.pace[k]);
  updates.emplace_back().set(std::move(row));
  return true;
}

/// With the switches that are held, at the rates from_.
Change JumpRecorder::change_of_switches(double t, const double* x) {
  const auto& layout = model_.code().switch_derivatives;
  derivatives_.resize(layout.size());
  model_.switch_derivatives(t, x, held_prelude_.data(), derivatives_.data());
  return change_of(layout, derivatives_.data(), from_.data(), active_);
}

/// S + (f- - f+) dt*, with f- in from_ and f+ in to_.
RowUpdate JumpRecorder::shift(int motion) const {
  RowUpdate update;
  for (std::size_t i = 0; i < from_.size(); ++i) {
    const int row = static_cast<int>(i);
    if (from_[i] != to_[i]) update.set({row, {{row, 1.0}, {motion, from_[i] - to_[i]}}, {}});
  }
  return update;
}

void JumpRecorder::noted(const EventQueue::Notes& notes, double t, const double* x,
                         std::span<const double> prelude, std::vector<RowUpdate>& updates) {
  for (const auto& occurrence : notes.triggered) add_pending(occurrence, t, x, prelude, updates);
  for (const auto& occurrence : notes.taken_back) {
    const auto found = state_.pending.find(occurrence.number);
    release(found->second);
    state_.pending.erase(found);
  }
}

/// From the end of this moment on its rows serve others.
void JumpRecorder::release(const Pending& pending) {
  if (pending.motion != none) state_.passing_rows.push_back(pending.motion);
  state_.passing_rows.insert(state_.passing_rows.end(), pending.values.begin(), pending.values.end());
}

void JumpRecorder::add_pending(const EventQueue::Occurrence& occurrence, double t, const double* x,
                               std::span<const double> prelude, std::vector<RowUpdate>& updates) {
  const auto& layout = model_.code().events[occurrence.event];
  const int cause = cause_[occurrence.event];
  const Change change = change_of_event(occurrence.event, t, x, prelude);
  const auto moving = [&](std::size_t i) {
    Row row{0, {}, {}};
    add(row, change.rows[i], 1.0);
    if (cause != none) row.rows.emplace_back(cause, change.pace[i]);
    return row;
  };
  RowUpdate update;
  Pending pending{none, {}};
  const auto keep = [&](Row row) {
    row.row = new_row();
    update.set(row);
    return row.row;
  };
  Row motion = moving(delay);
  if (cause != none) motion.rows.emplace_back(cause, 1.0);
  if (!is_zero(motion)) pending.motion = keep(std::move(motion));
  if (layout.values_from_trigger_time) {
    for (std::size_t i = 0; i < layout.targets.size(); ++i)
      pending.values.push_back(keep(moving(first_value + i)));
  }
  state_.pending.emplace(occurrence.number, std::move(pending));
  if (!update.is_empty()) updates.push_back(std::move(update));
}

void JumpRecorder::executed(const EventQueue::Execution& execution, double t, const double* x,
                            std::span<const double> prelude, std::vector<RowUpdate>& updates) {
  const int event = execution.occurrence.event;
  const auto& layout = model_.code().events[event];
  const std::size_t n = layout.targets.size();
  const auto found = state_.pending.find(execution.occurrence.number);
  const Pending pending = std::move(found->second);
  state_.pending.erase(found);
  release(pending);
  std::ranges::fill(cause_, pending.motion);

  const Change change = change_of_event(event, t, held_x_.data(), held_prelude_);
  std::vector<double> results(first_value + 2 * n);
  model_.event(event, t, held_x_.data(), held_prelude_.data(), results.data());
  const double* factors = results.data() + first_value + n;
  model_.rates(t, x, prelude.data(), to_.data());
  RowUpdate update = pending.motion == none ? RowUpdate{} : shift(pending.motion);
  for (std::size_t i = 0; i < n; ++i) {
    Row row{layout.targets[i], {}, {}};
    double pace = change.pace[first_value + n + i] * execution.values[i];
    add(row, change.rows[first_value + n + i], execution.values[i]);
    if (layout.values_from_trigger_time) {
      row.rows.emplace_back(pending.values[i], factors[i]);
    } else {
      add(row, change.rows[first_value + i], factors[i]);
      pace += change.pace[first_value + i] * factors[i];
    }
    if (pending.motion != none) row.rows.emplace_back(pending.motion, pace - to_[layout.targets[i]]);
    update.set(std::move(row));
  }
  updates.push_back(std::move(update));
}

/// Leaves the rates in from_.
Change JumpRecorder::change_of_event(int event, double t, const double* x, std::span<const double> prelude) {
  const auto& layout = model_.code().events[event];
  model_.rates(t, x, prelude.data(), from_.data());
  derivatives_.resize(layout.derivatives.size());
  model_.event_derivatives(event, t, x, prelude.data(), derivatives_.data());
  return change_of(layout.derivatives, derivatives_.data(), from_.data(), active_);
}

}  // namespace kinetune::simulate
