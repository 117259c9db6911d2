#include "estimate/simulation_run.hpp"

#include <algorithm>
#include <cmath>

namespace kinetune::estimate {

using simulate::IntegrationFailure;
using simulate::Mode;
using simulate::Segment;

namespace {

std::span<const double> finite(const std::vector<double>& times) {
  const bool settles = !times.empty() && std::isinf(times.back());
  return {times.data(), times.size() - (settles ? 1 : 0)};
}

SimulationStatus failed(SimulationStatus status, SimulationStatus::Outcome outcome,
                        const IntegrationFailure& failure, const Part& part) {
  status.outcome = outcome;
  status.failure = to_string(failure.error);
  status.time = failure.time;
  if (failure.state >= 0) status.state = part.state_ids[failure.state];
  return status;
}

SimulationStatus without_gradient(SimulationStatus status, Mode mode, double time) {
  using Outcome = SimulationStatus::Outcome;
  status.outcome = mode == Mode::adjoint ? Outcome::no_adjoint : Outcome::no_forward;
  status.failure = "gradient is not finite";
  status.time = time;
  return status;
}

template <class Use>
void for_each_initial_derivative(const jit::Pattern& pattern, const PreparedPeriod& period, Use&& use) {
  for (std::size_t k = 0; k < period.active.size(); ++k) {
    const int j = period.active[k];
    if (j < 0) continue;
    for (int e = pattern.column_starts[j]; e < pattern.column_starts[j + 1]; ++e) use(k, pattern.rows[e], e);
  }
}

}  // namespace

SimulationRun::SimulationRun(const jit::CompiledModel& model, const Part& part,
                             const simulate::IntegratorOptions& options)
    : SimulationRun(model, part, options, simulate::make_integrator(model, options)) {}

SimulationRun::SimulationRun(const jit::CompiledModel& model, const Part& part,
                             const simulate::IntegratorOptions& options,
                             std::unique_ptr<simulate::Integrator> integrator)
    : model_(model),
      part_(part),
      preparation_(prepare(part, model.code())),
      integrator_(std::move(integrator)),
      steady_states_(model, options) {}

std::size_t SimulationRun::most_columns() const {
  std::size_t most = 0;
  for (const auto& s : preparation_.simulations) most = std::max(most, s.columns.size());
  return most;
}

std::expected<void, SimulationStatus> SimulationRun::add(const Share& share, std::span<const double> x_linear,
                                                         Mode mode, LikelihoodSums& sums, SimulatedData data,
                                                         std::span<SimulationStatus> statuses) {
  x_linear_ = x_linear;
  mode_ = mode;
  preequilibration_ =
      share.preequilibration < 0 ? nullptr : &preparation_.preequilibrations[share.preequilibration];
  equilibrium_.reset();
  std::expected<void, SimulationStatus> result;
  for (const int simulation : share.simulations) {
    const SimulationStatus status = add(preparation_.simulations[simulation], sums, data);
    if (!statuses.empty()) statuses[simulation] = status;
    if (status.failure.empty()) continue;
    if (result) result = std::unexpected(status);
    if (statuses.empty()) return result;
    sums.clear();  // what is not finite in them is this one's fault alone
  }
  if (result && equilibrium_ && mode == Mode::adjoint) {
    const SimulationStatus status = add_preequilibration(sums);
    if (!status.failure.empty()) return std::unexpected(status);
  }
  return result;
}

SimulationRun::Values SimulationRun::values_of(const Period& period) const {
  Values values{std::vector<double>(period.parameters.size()), std::vector<double>(model_.code().n_prelude)};
  for (std::size_t i = 0; i < values.parameters.size(); ++i) {
    const Binding& b = period.parameters[i];
    values.parameters[i] = b.estimated < 0 ? b.constant : x_linear_[b.estimated];
  }
  model_.prelude(values.parameters.data(), values.prelude.data());
  return values;
}

void SimulationRun::take_sizes(std::span<const int> columns) {
  sizes_.clear();
  for (const int q : columns) sizes_.push_back(x_linear_[q]);
}

Segment SimulationRun::segment(const PreparedPeriod& period, const Values& values, double start,
                               double end) const {
  return {start, end, values.prelude, values.parameters, period.active, sizes_};
}

void SimulationRun::begin_at_initial_values(const PreparedSimulation& prepared, const Values& values,
                                            double time) {
  states_.resize(model_.n_states());
  model_.initials(time, values.prelude.data(), states_.data());
  sensitivities_.clear();
  if (mode_ != Mode::forward) return;
  const jit::Pattern& pattern = model_.code().initials_by_parameter;
  std::vector<double> derivatives(pattern.n_nonzeros());
  model_.initials_by_parameter(time, values.prelude.data(), derivatives.data());
  const std::size_t m = prepared.columns.size();
  sensitivities_.assign(states_.size() * m, 0.0);
  for_each_initial_derivative(pattern, prepared.periods.front(), [&](std::size_t k, int i, int e) {
    sensitivities_[i * m + k] = derivatives[e];
  });
}

void SimulationRun::add_initial_values(const PreparedSimulation& prepared, const Values& values, double time,
                                       std::span<const double> adjoint, LikelihoodSums& sums) const {
  const jit::Pattern& pattern = model_.code().initials_by_parameter;
  std::vector<double> derivatives(pattern.n_nonzeros());
  model_.initials_by_parameter(time, values.prelude.data(), derivatives.data());
  for_each_initial_derivative(pattern, prepared.periods.front(), [&](std::size_t k, int i, int e) {
    sums.gradient[prepared.columns[k]] += adjoint[i] * derivatives[e];
  });
}

SimulationRun::Equilibrium& SimulationRun::equilibrium() {
  if (!equilibrium_) {
    equilibrium_.emplace();
    if (const auto done = equilibrate(*equilibrium_); !done)
      equilibrium_->point = std::unexpected(done.error());
  }
  return *equilibrium_;
}

SimulationRun::Done SimulationRun::equilibrate(Equilibrium& result) {
  const PreparedPeriod& period = preequilibration_->periods.front();
  result.values = values_of(*period.period);
  take_sizes(preequilibration_->columns);
  begin_at_initial_values(*preequilibration_, result.values, 0.0);
  const Segment way = segment(period, result.values, 0.0, 0.0);
  result.point = steady_states_.find(*integrator_, way, states_);
  if (!result.point) return std::unexpected(result.point.error());
  result.adjoint.assign(states_.size(), 0.0);
  if (mode_ != Mode::forward) return {};
  result.sensitivities = sensitivities_;
  return steady_states_.forward(*integrator_, way, *result.point, result.sensitivities);
}

void SimulationRun::begin_at(const Equilibrium& equilibrium, const PreparedSimulation& prepared) {
  states_ = equilibrium.point->x;
  sensitivities_.clear();
  if (mode_ != Mode::forward) return;
  const std::size_t n = prepared.carried.size(), m = prepared.columns.size();
  sensitivities_.assign(states_.size() * m, 0.0);
  for (std::size_t i = 0; i < states_.size(); ++i) {
    for (std::size_t c = 0; c < n; ++c)
      sensitivities_[i * m + prepared.carried[c]] = equilibrium.sensitivities[i * n + c];
  }
}

/// All at once: each formula sees the states before.
void SimulationRun::reset(const PreparedPeriod& period, const PreparedPeriod& before,
                          const Values& values_before, std::span<const int> columns) {
  jumps_.emplace_back();
  const double time = period.period->start;
  for (const Reset& r : period.period->resets) {
    const auto& layout = model_.code().observables[r.formula];
    std::vector<double> out(2 + layout.value.size() + layout.noise.size());
    if (mode_ == Mode::states) {
      model_.observable(r.formula, time, states_.data(), values_before.prelude.data(), nullptr, out.data());
    } else {
      model_.observable_derivatives(r.formula, time, states_.data(), values_before.prelude.data(), nullptr,
                                    out.data());
    }
    jumps_.back().push_back({&r, &before, out[0], {out.begin() + 2, out.end()}});
  }
  const std::size_t m = columns.size();
  const std::vector<double> old = jumps_.back().empty() ? std::vector<double>{} : sensitivities_;
  for (const Jump& jump : jumps_.back()) {
    states_[jump.reset->state] = jump.value;
    if (mode_ != Mode::forward) continue;
    const auto& layout = model_.code().observables[jump.reset->formula].value;
    const double* derivative = jump.derivatives.data();
    double* row = sensitivities_.data() + jump.reset->state * m;
    std::fill_n(row, m, 0.0);
    for (const int i : layout.by_state) {
      const double factor = *derivative++;
      for (std::size_t k = 0; k < m; ++k) row[k] += factor * old[i * m + k];
    }
    for (const int j : layout.by_parameter) {
      const double value = *derivative++;
      if (const int q = before.estimated_of[j]; q >= 0)
        row[std::ranges::lower_bound(columns, q) - columns.begin()] += value;
    }
  }
}

void SimulationRun::reset_back(const std::vector<Jump>& jumps, LikelihoodSums& sums) {
  const std::vector<double> after = adjoint_;
  for (const Jump& jump : jumps) adjoint_[jump.reset->state] = 0.0;
  for (const Jump& jump : jumps) {
    const double weight = after[jump.reset->state];
    const auto& layout = model_.code().observables[jump.reset->formula].value;
    const double* derivative = jump.derivatives.data();
    for (const int i : layout.by_state) adjoint_[i] += weight * *derivative++;
    for (const int j : layout.by_parameter) {
      const double value = *derivative++;
      if (const int q = jump.before->estimated_of[j]; q >= 0) sums.gradient[q] += weight * value;
    }
  }
}

SimulationStatus SimulationRun::add(const PreparedSimulation& prepared, LikelihoodSums& sums,
                                    SimulatedData data) {
  SimulationStatus status{prepared.simulation->condition_id, SimulationStatus::Outcome::ok, "", 0.0, {}};
  integrator_->clear_tape();
  auto done = go_forward(prepared, sums, data, status);
  auto outcome = SimulationStatus::Outcome::not_integrated;
  if (done && status.failure.empty() && mode_ == Mode::adjoint) {
    outcome = SimulationStatus::Outcome::no_adjoint;
    done = go_back(prepared, sums);
  }
  status.statistics = integrator_->take_statistics();
  sums.n_rates += status.statistics.rate_evaluations;
  if (!done) return failed(std::move(status), outcome, done.error(), part_);
  if (status.failure.empty() && !sums.has_finite_derivatives())
    return without_gradient(std::move(status), mode_, prepared.periods.front().period->start);
  return status;
}

SimulationRun::Done SimulationRun::go_forward(const PreparedSimulation& prepared, LikelihoodSums& sums,
                                              SimulatedData data, SimulationStatus& status) {
  jumps_.clear();
  segments_.clear();
  pasts_.assign(prepared.periods.size(), {});
  settled_.reset();
  values_.clear();
  for (const PreparedPeriod& p : prepared.periods) values_.push_back(values_of(*p.period));
  if (preequilibration_) {
    const Equilibrium& from = equilibrium();
    if (!from.point) return std::unexpected(from.point.error());
    begin_at(from, prepared);
    reset(prepared.periods.front(), preequilibration_->periods.front(), from.values, prepared.columns);
  } else {
    begin_at_initial_values(prepared, values_.front(), prepared.periods.front().period->start);
    jumps_.emplace_back();
  }
  take_sizes(prepared.columns);
  for (std::size_t p = 0; p < prepared.periods.size(); ++p) {
    const PreparedPeriod& period = prepared.periods[p];
    if (p > 0) reset(period, prepared.periods[p - 1], values_[p - 1], prepared.columns);
    const auto times = finite(period.period->times);
    const bool is_last = p + 1 == prepared.periods.size();
    const double end = !is_last        ? prepared.periods[p + 1].period->start
                       : times.empty() ? period.period->start
                                       : times.back();
    segments_.push_back(segment(period, values_[p], period.period->start, end));
    if (p > 0) segments_.back().past = &pasts_[p - 1];
    Likelihood likelihood(model_, part_, period, prepared.columns, values_[p].prelude, x_linear_, mode_, sums,
                          data);
    auto done = integrator_->forward(segments_.back(), mode_, states_, sensitivities_, times, likelihood);
    status.time = end;
    const bool settles = times.size() < period.period->times.size();
    if (done && (settles || p + 1 < prepared.periods.size())) pasts_[p] = integrator_->past();
    if (done && settles) {
      Segment way = segments_.back();
      way.start = end;
      way.past = &pasts_[p];
      done = settle(way, likelihood, times.size());
      segments_.push_back(way);
    }
    if (!done) return done;
    if (likelihood.failure() && status.failure.empty()) {
      status.outcome = SimulationStatus::Outcome::no_density;
      status.failure = *likelihood.failure();
      status.time = likelihood.failure_time();
    }
    if (likelihood.overflow_time() && status.failure.empty())
      status = without_gradient(std::move(status), mode_, *likelihood.overflow_time());
  }
  return {};
}

/// The steady state that follows the last period, and its data.
SimulationRun::Done SimulationRun::settle(const Segment& way, Likelihood& likelihood,
                                          std::size_t time_index) {
  auto point = steady_states_.find(*integrator_, way, states_);
  if (!point) return std::unexpected(point.error());
  if (mode_ == Mode::forward) {
    if (const auto done = steady_states_.forward(*integrator_, way, *point, sensitivities_); !done)
      return done;
  }
  settled_cotangent_.assign(mode_ == Mode::adjoint ? states_.size() : 0, 0.0);
  likelihood.at(time_index, point->x, sensitivities_, settled_cotangent_);
  settled_ = std::move(*point);
  return {};
}

SimulationRun::Done SimulationRun::go_back(const PreparedSimulation& prepared, LikelihoodSums& sums) {
  adjoint_.assign(states_.size(), 0.0);
  gradient_.assign(prepared.columns.size(), 0.0);
  if (settled_) {
    adjoint_ = settled_cotangent_;
    const auto done = steady_states_.backward(*integrator_, segments_.back(), *settled_, adjoint_, gradient_);
    if (!done) return done;
  }
  for (std::size_t p = prepared.periods.size(); p-- > 0;) {
    if (const auto done = integrator_->backward(adjoint_, gradient_); !done) return done;
    reset_back(jumps_[p], sums);
  }
  for (std::size_t k = 0; k < gradient_.size(); ++k) sums.gradient[prepared.columns[k]] += gradient_[k];
  if (!preequilibration_) {
    add_initial_values(prepared, values_.front(), prepared.periods.front().period->start, adjoint_, sums);
    return {};
  }
  for (std::size_t i = 0; i < adjoint_.size(); ++i) equilibrium_->adjoint[i] += adjoint_[i];
  return {};
}

/// What the gradient owes to the pre-equilibration, after all simulations of a share.
SimulationStatus SimulationRun::add_preequilibration(LikelihoodSums& sums) {
  const PreparedSimulation& prepared = *preequilibration_;
  take_sizes(prepared.columns);
  gradient_.assign(prepared.columns.size(), 0.0);
  integrator_->clear_tape();
  const Segment way = segment(prepared.periods.front(), equilibrium_->values, 0.0, 0.0);
  const auto done =
      steady_states_.backward(*integrator_, way, *equilibrium_->point, equilibrium_->adjoint, gradient_);
  SimulationStatus status{prepared.simulation->condition_id, {}, "", 0.0, integrator_->take_statistics()};
  if (!done) return failed(std::move(status), SimulationStatus::Outcome::no_adjoint, done.error(), part_);
  for (std::size_t k = 0; k < gradient_.size(); ++k) sums.gradient[prepared.columns[k]] += gradient_[k];
  add_initial_values(prepared, equilibrium_->values, 0.0, equilibrium_->adjoint, sums);
  return sums.has_finite_derivatives() ? status : without_gradient(std::move(status), mode_, 0.0);
}

}  // namespace kinetune::estimate
