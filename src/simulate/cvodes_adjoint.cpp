#include "simulate/cvodes_adjoint.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include <cvodes/cvodes.h>
#include <cvodes/cvodes_ls.h>

#include "simulate/block_vector.hpp"
#include "simulate/newton_matrix.hpp"
#include "simulate/switch_values.hpp"

namespace kinetune::simulate {
namespace {

// Absolute tolerances of the way back, as a share of rtol times the largest component.
constexpr double adjoint_floor = 1e-4;

// Share of the way that rounding may keep CVODES from finishing, when the first steps forward were minute.
constexpr double end_of_the_way = 1e-14;

double largest(const BlockVector& v) {
  double result = 0.0;
  for (long i = 0; i < v.size(); ++i) result = std::max(result, std::fabs(v.data[i]));
  return result;
}

}  // namespace

CvodesAdjoint::CvodesAdjoint(const jit::CompiledModel& model, const IntegratorOptions& options, int n_active,
                             DelayHistory& history)
    : states_(model, options, 0, history),
      path_(model.n_states()),
      options_(options),
      jacobian_(model.code().jacobian.n_nonzeros()),
      by_parameter_(model.code().rates_by_parameter.n_nonzeros()),
      factors_(make_factorisation(model.code().jacobian, options.linear_solver)),
      adjoint_(new_block_vector(model.n_states(), 0, states_.context())),
      gradient_(new_block_vector(std::max(n_active, 1), 0, states_.context())),
      adjoint_floors_(new_block_vector(model.n_states(), 0, states_.context())),
      gradient_floors_(new_block_vector(std::max(n_active, 1), 0, states_.context())),
      matrix_(new_pattern_matrix(model.code().jacobian, states_.context())),
      linear_solver_(new_block_solver(*factors_, Orientation::transposed, states_.context())),
      cvode_(CVodeCreate(CV_BDF, states_.context())) {
  void* cvode = cvode_.get();
  const bool ready = cvode && CVodeInit(cvode, adjoint_rates, 0.0, adjoint_.get()) == CV_SUCCESS &&
                     CVodeSVtolerances(cvode, options.rtol, adjoint_floors_.get()) == CV_SUCCESS &&
                     CVodeSetUserData(cvode, this) == CV_SUCCESS &&
                     CVodeSetLinearSolver(cvode, linear_solver_.get(), matrix_.get()) == CV_SUCCESS &&
                     CVodeSetJacFn(cvode, adjoint_jacobian) == CV_SUCCESS &&
                     CVodeSetMaxNumSteps(cvode, options.max_steps) == CV_SUCCESS &&
                     CVodeQuadInit(cvode, gradient_rates, gradient_.get()) == CV_SUCCESS &&
                     CVodeQuadSVtolerances(cvode, options.rtol, gradient_floors_.get()) == CV_SUCCESS &&
                     CVodeSetQuadErrCon(cvode, 1) == CV_SUCCESS;
  if (!ready) throw std::runtime_error("CVODES cannot be set up for the way back");
  silence(cvode);
}

std::expected<double, IntegrationFailure> CvodesAdjoint::forward(const Segment& segment, std::span<double> x,
                                                                 std::span<const double> times, Sink& sink) {
  prelude_.assign(segment.prelude.begin(), segment.prelude.end());
  active_.assign(segment.active.begin(), segment.active.end());
  segment_ = segment;
  segment_.prelude = prelude_;
  segment_.active = active_;
  parameter_sizes_ = sizes_of(segment, states_.model().code());
  segment_.parameters = {};
  segment_.sizes = {};
  cotangents_.clear();
  state_sizes_.assign(x.size(), 0.0);
  note_sizes(x);
  path_.clear();
  if (const auto started = states_.start(segment_, x, {}); !started) return std::unexpected(started.error());

  const auto visit = [&](std::size_t index, auto states, auto) {
    note_sizes(states);
    Cotangent cotangent{times[index], std::vector<double>(x.size()), state_sizes_};
    sink.at(index, states, {}, cotangent.value);
    cotangents_.push_back(std::move(cotangent));
  };
  const auto reached = states_.follow(times, visit, &path_);
  if (!reached) return reached;
  segment_.end = *reached;
  std::ranges::copy(states_.states(), x.begin());
  note_sizes(x);
  return reached;
}

void CvodesAdjoint::note_sizes(std::span<const double> x) {
  for (std::size_t i = 0; i < x.size(); ++i) state_sizes_[i] = std::max(state_sizes_[i], std::fabs(x[i]));
}

std::expected<void, IntegrationFailure> CvodesAdjoint::backward(std::span<double> adjoint,
                                                                std::span<double> gradient) {
  const BlockVector& lambda = block(adjoint_.get());
  const BlockVector& integral = block(gradient_.get());
  std::ranges::copy(adjoint, lambda.data);
  std::fill_n(integral.data, integral.n, 0.0);
  double t = segment_.end;
  for (auto cotangent = cotangents_.rbegin(); cotangent != cotangents_.rend(); ++cotangent) {
    if (const auto arrived = go_back(t, cotangent->time); !arrived) return arrived;
    t = cotangent->time;
    state_sizes_ = cotangent->state_sizes;
    for (int i = 0; i < lambda.n; ++i) lambda.data[i] += cotangent->value[i];
  }
  if (const auto arrived = go_back(t, segment_.start); !arrived) return arrived;
  std::copy_n(lambda.data, lambda.n, adjoint.begin());
  for (std::size_t k = 0; k < gradient.size(); ++k) gradient[k] += integral.data[k];
  return {};
}

std::expected<void, IntegrationFailure> CvodesAdjoint::go_back(double from, double to) {
  // Between a crossing and the end of its rounding nothing moves, and CVODES finds no step.
  if (!(to < from) || is_same_time(from, to) || largest(block(adjoint_.get())) == 0.0) return {};
  const auto fail = [&](IntegrationError error, double time) {
    return std::unexpected(IntegrationFailure{error, time});
  };
  if (!std::isfinite(largest(block(adjoint_.get())))) return fail(IntegrationError::not_finite, from);
  if (const int flag = restart(from); flag < 0) return fail(integration_error(flag), from);
  void* cvode = cvode_.get();
  double reached = from;
  const int flag = CVode(cvode, to, adjoint_.get(), &reached, CV_NORMAL);
  long steps = 0;
  CVodeGetNumSteps(cvode, &steps);
  statistics_.backward_steps += steps;
  if (flag < 0) {
    CVodeGetCurrentTime(cvode, &reached);
    const bool is_there = reached - to <= end_of_the_way * (from - to);
    if (states_.is_interrupted()) return fail(IntegrationError::interrupted, reached);
    if (!is_there) return fail(integration_error(flag), reached);
    CVodeGetDky(cvode, reached, 0, adjoint_.get());
    CVodeGetQuadDky(cvode, reached, 0, gradient_.get());
    return {};
  }
  CVodeGetQuad(cvode, &reached, gradient_.get());
  return {};
}

/// Starts the way back at a time, with the adjoint and the integral as they stand.
int CvodesAdjoint::restart(double from) {
  factors_->forget();
  set_floors();
  void* cvode = cvode_.get();
  if (const int flag = CVodeReInit(cvode, from, adjoint_.get()); flag < 0) return flag;
  if (const int flag = CVodeQuadReInit(cvode, gradient_.get()); flag < 0) return flag;
  CVodeSVtolerances(cvode, options_.rtol, adjoint_floors_.get());
  CVodeQuadSVtolerances(cvode, options_.rtol, gradient_floors_.get());
  set_least_step(cvode, from - segment_.start);
  return CVodeSetStopTime(cvode, segment_.start);
}

/// An adjoint counts by what a relative change of its state does to the objective: where a state is tiny, its
/// adjoint may be huge and others matter as much. Where sizes say nothing, by its own size.
void CvodesAdjoint::set_floors() {
  const BlockVector &lambda = block(adjoint_.get()), &floors = block(adjoint_floors_.get());
  double most = 0.0;
  for (int i = 0; i < lambda.n; ++i) most = std::max(most, std::fabs(lambda.data[i]) * state_sizes_[i]);
  const double share = options_.rtol * adjoint_floor, longest = share * largest(lambda);
  const auto floor = [&](double size) {
    return most > 0.0 && size > 0.0 ? std::min(longest, share * most / size) : longest;
  };
  for (int i = 0; i < lambda.n; ++i) floors.data[i] = floor(state_sizes_[i]);
  const BlockVector& gradient_floors = block(gradient_floors_.get());
  std::fill_n(gradient_floors.data, gradient_floors.n, longest);
  for (std::size_t k = 0; k < parameter_sizes_.size(); ++k)
    gradient_floors.data[k] = floor(std::fabs(parameter_sizes_[k]));
}

/// d lambda / dt = -(df/dx)' lambda
int CvodesAdjoint::adjoint_rates(double t, N_Vector adjoint, N_Vector derivative, void* user) {
  auto& self = *static_cast<CvodesAdjoint*>(user);
  if (self.states_.is_interrupted()) return -1;
  const jit::Pattern& pattern = self.states_.model().code().jacobian;
  self.states_.model().jacobian(t, self.path_.at(t), self.prelude_.data(), self.jacobian_.data());
  const double* lambda = block(adjoint).data;
  double* out = block(derivative).data;
  bool finite = true;
  for (int j = 0; j < pattern.n_cols; ++j) {
    double sum = 0.0;
    for (int e = pattern.column_starts[j]; e < pattern.column_starts[j + 1]; ++e) {
      sum -= self.jacobian_[e] * lambda[pattern.rows[e]];
    }
    out[j] = sum;
    finite = finite && std::isfinite(sum);
  }
  return finite ? 0 : 1;
}

int CvodesAdjoint::adjoint_jacobian(double t, N_Vector, N_Vector, SUNMatrix matrix, void* user, N_Vector,
                                    N_Vector, N_Vector) {
  auto& self = *static_cast<CvodesAdjoint*>(user);
  const int n = self.states_.model().code().jacobian.n_nonzeros();
  self.states_.model().jacobian(t, self.path_.at(t), self.prelude_.data(), values(matrix));
  for (int e = 0; e < n; ++e) values(matrix)[e] = -values(matrix)[e];  // the solver transposes
  return 0;
}

/// What the integral over the way back is of: -(df/dp)' lambda.
int CvodesAdjoint::gradient_rates(double t, N_Vector adjoint, N_Vector derivative, void* user) {
  auto& self = *static_cast<CvodesAdjoint*>(user);
  const jit::Pattern& pattern = self.states_.model().code().rates_by_parameter;
  self.states_.model().rates_by_parameter(t, self.path_.at(t), self.prelude_.data(),
                                          self.by_parameter_.data());
  const double* lambda = block(adjoint).data;
  double* out = block(derivative).data;
  std::fill_n(out, block(derivative).n, 0.0);
  for (std::size_t k = 0; k < self.active_.size(); ++k) {
    const int j = self.active_[k];
    if (j < 0) continue;
    for (int e = pattern.column_starts[j]; e < pattern.column_starts[j + 1]; ++e) {
      out[k] -= self.by_parameter_[e] * lambda[pattern.rows[e]];
    }
  }
  return 0;
}

Statistics CvodesAdjoint::take_statistics() {
  Statistics result = std::exchange(statistics_, {});
  result += states_.take_statistics();
  return result;
}

}  // namespace kinetune::simulate
