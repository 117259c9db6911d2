#include "simulate/cvodes_system.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>

#include <cvodes/cvodes.h>
#include <cvodes/cvodes_ls.h>

#include "simulate/block_vector.hpp"
#include "simulate/newton_matrix.hpp"
#include "simulate/simd.hpp"
#include "simulate/switch_values.hpp"

namespace kinetune::simulate {
namespace {

bool all_finite(std::span<const double> values) {
  return std::ranges::all_of(values, [](double v) { return std::isfinite(v); });
}

SUNContext make_context() {
  SUNContext context = nullptr;
  if (SUNContext_Create(nullptr, &context) != 0) throw std::bad_alloc();
  return context;
}

KINETUNE_SIMD void add_multiple(int n, double factor, const double* __restrict x, double* __restrict y) {
  for (int i = 0; i < n; ++i) y[i] += factor * x[i];
}

KINETUNE_SIMD void row_weights(int m, double rtol, const double* __restrict s, double floor,
                               const double* __restrict sizes, double* __restrict weights) {
  for (int k = 0; k < m; ++k) weights[k] = 1.0 / (rtol * std::fabs(s[k]) + floor * sizes[k]);
}

// Of a state's relative error, which the sensitivities by parameters that hardly move it may have too.
// Without it, those that are next to nothing take steps of rounding size.
constexpr double state_share = 0.1;

}  // namespace

void silence(void* cvode) {
  CVodeSetErrHandlerFn(
      cvode, [](int, const char*, const char*, char*, void*) {}, nullptr);
  CVodeSetMaxHnilWarns(cvode, -1);
}

void set_least_step(void* cvode, double duration) {
  // Tolerances may ask for very short first steps: 1e-43 of a rate of 1e27.
  const double share = std::sqrt(std::numeric_limits<double>::min());
  CVodeSetMaxStep(cvode, 0.0);  // CVODES refuses a least step longer than the longest
  CVodeSetMinStep(cvode, share * duration);
}

IntegrationError integration_error(int flag) {
  switch (flag) {
    case CV_TOO_MUCH_WORK:
      return IntegrationError::too_many_steps;
    case CV_TOO_MUCH_ACC:
      return IntegrationError::too_much_accuracy;
    case CV_ERR_FAILURE:
      return IntegrationError::error_test;
    case CV_CONV_FAILURE:
      return IntegrationError::convergence;
    case CV_LSETUP_FAIL:
    case CV_LSOLVE_FAIL:
      return IntegrationError::singular_matrix;
    case CV_RHSFUNC_FAIL:
    case CV_FIRST_RHSFUNC_ERR:
    case CV_REPTD_RHSFUNC_ERR:
    case CV_UNREC_RHSFUNC_ERR:
      return IntegrationError::not_finite;
    default:
      return IntegrationError::internal;
  }
}

CvodesSystem::CvodesSystem(const jit::CompiledModel& model, const IntegratorOptions& options,
                           int n_sensitivities, DelayHistory& history)
    : model_(model),
      options_(options),
      n_sensitivities_(n_sensitivities),
      factors_(make_factorisation(model.code().jacobian, options.linear_solver)),
      context_(make_context()),
      y_(new_block_vector(model.n_states(), n_sensitivities, context_.get())),
      between_(new_block_vector(model.n_states(), n_sensitivities, context_.get())),
      matrix_(new_pattern_matrix(model.code().jacobian, context_.get())),
      linear_solver_(new_block_solver(*factors_, Orientation::as_stored, context_.get())),
      cvode_(CVodeCreate(CV_BDF, context_.get())),
      crossings_(model),
      history_(history),
      delayed_x_(history.is_needed() ? model.n_states() : 0),
      prelude_(model.code().n_prelude),
      arguments_(model.code().switches.size()) {
  const auto& code = model.code();
  derivatives_.resize(code.n_states + code.jacobian.n_nonzeros() + code.rates_by_parameter.n_nonzeros());
  void* cvode = cvode_.get();
  const bool ready = cvode && CVodeInit(cvode, rates, 0.0, y_.get()) == CV_SUCCESS &&
                     CVodeWFtolerances(cvode, error_weights) == CV_SUCCESS &&
                     CVodeSetUserData(cvode, this) == CV_SUCCESS &&
                     CVodeSetLinearSolver(cvode, linear_solver_.get(), matrix_.get()) == CV_SUCCESS &&
                     CVodeSetJacFn(cvode, jacobian) == CV_SUCCESS;
  if (!ready) throw std::runtime_error("CVODES cannot be set up");
  corrector_.emplace(cvode, y_.get(), options.sensitivity_errors,
                     [this](double t, const double* x) { return have_rates(t, x); });
  silence(cvode);
}

std::expected<void, IntegrationFailure> CvodesSystem::start(const Segment& segment, std::span<const double> x,
                                                            std::span<const double> sensitivities_at_start) {
  segment_ = &segment;
  factors_->forget();
  corrector_->restart();
  steps_taken_ = 0;
  interrupted_ = false;
  unfit_ = {};
  if (n_sensitivities_ > 0) choose_active();
  std::ranges::copy(x, states().begin());
  std::ranges::copy(sensitivities_at_start, sensitivities().begin());
  if (!all_finite(states()) || !all_finite(sensitivities())) {
    return std::unexpected(IntegrationFailure{IntegrationError::not_finite, segment.start});
  }
  if (segment.end > segment.start) {
    CVodeReInit(cvode_.get(), segment.start, y_.get());
    CVodeSetStopTime(cvode_.get(), segment.end);
    set_least_step(cvode_.get(), segment.end - segment.start);
    limit_step(segment.start);
  }
  return {};
}

std::span<double> CvodesSystem::states() {
  return {block(y_.get()).data, static_cast<std::size_t>(model_.n_states())};
}

std::span<double> CvodesSystem::sensitivities() {
  return {block(y_.get()).data + model_.n_states(),
          static_cast<std::size_t>(model_.n_states()) * n_sensitivities_};
}

std::expected<double, IntegrationFailure> CvodesSystem::follow(std::span<const double> times,
                                                               const Visit& visit, StatePath* path) {
  std::size_t n_at_start = 0;
  while (n_at_start < times.size() && times[n_at_start] <= segment_->start) {
    visit(n_at_start++, states(), sensitivities());
  }
  if (!(segment_->end > segment_->start)) return segment_->end;
  const Visit visit_later = [&](std::size_t index, auto x, auto s) { visit(n_at_start + index, x, s); };
  const auto later = times.subspan(n_at_start);
  return crossings_.watches() || history_.is_needed() || path ? follow_steps(later, visit_later, path)
                                                              : follow_times(later, visit_later);
}

std::expected<double, IntegrationFailure> CvodesSystem::follow_times(std::span<const double> times,
                                                                     const Visit& visit) {
  const auto go_to = [&](double t) {
    CVodeSetMaxNumSteps(cvode_.get(), std::max(1l, options_.max_steps - steps_taken_));
    double reached;
    return check(CVode(cvode_.get(), t, y_.get(), &reached, CV_NORMAL));
  };
  for (std::size_t i = 0; i < times.size(); ++i) {
    if (const auto arrived = go_to(times[i]); !arrived) return std::unexpected(arrived.error());
    visit(i, states(), sensitivities());
  }
  if (times.empty() || times.back() < segment_->end) {
    if (const auto arrived = go_to(segment_->end); !arrived) return std::unexpected(arrived.error());
  }
  return segment_->end;
}

std::expected<double, IntegrationFailure> CvodesSystem::follow_steps(std::span<const double> times,
                                                                     const Visit& visit, StatePath* path) {
  std::size_t next = 0;
  // CVODES takes its first step by it, as in follow_times: with a path the same steps are taken as without.
  const bool is_apart = !times.empty() && !is_same_time(segment_->start, times[0]);
  const double goal = is_apart ? times[0] : segment_->end;
  crossings_.restart();
  if (path) {
    rates(segment_->start, y_.get(), between_.get(), this);
    path->add(segment_->start, states(), {block(between_.get()).data, states().size()});
  }
  for (double from = segment_->start; from < segment_->end;) {
    if (steps_taken_ >= options_.max_steps) return std::unexpected(failure(CV_TOO_MUCH_WORK));
    double to;
    if (const auto arrived = check(CVode(cvode_.get(), goal, y_.get(), &to, CV_ONE_STEP)); !arrived) {
      return std::unexpected(arrived.error());
    }
    if (history_.is_needed()) remember_step(from, to);
    const auto change =
        crossings_.first(from, to, segment_->prelude.data(), [this](double t) { return interpolate(t); });
    if (crossings_.is_exhausted())
      return std::unexpected(IntegrationFailure{IntegrationError::too_many_steps, from});
    const auto [n, m, data] = block(between_.get());
    const auto is_passed = [&](double t) { return change ? t < *change : t <= to; };
    for (; next < times.size() && is_passed(times[next]); ++next) {
      interpolate(times[next]);
      visit(next, {data, static_cast<std::size_t>(n)}, {data + n, static_cast<std::size_t>(n) * m});
    }
    if (change) {
      interpolate(*change);
      std::copy_n(data, block(y_.get()).size(), block(y_.get()).data);
    }
    if (path) add_to(*path, change.value_or(to));
    if (change) return *change;
    from = to;
  }
  return segment_->end;
}

void CvodesSystem::add_to(StatePath& path, double t) {
  CVodeGetDky(cvode_.get(), t, 1, between_.get());
  path.add(t, states(), {block(between_.get()).data, states().size()});
}

/// States and sensitivities within the last step.
const double* CvodesSystem::interpolate(double t) {
  CVodeGetDky(cvode_.get(), t, 0, between_.get());
  if (history_.is_needed()) history_.fill(t, block(between_.get()).data);
  return block(between_.get()).data;
}

const double* CvodesSystem::with_delays(double t, const double* x) {
  if (!history_.is_needed()) return x;
  std::copy_n(x, delayed_x_.size(), delayed_x_.begin());
  history_.fill(t, delayed_x_.data());
  return delayed_x_.data();
}

void CvodesSystem::remember_step(double from, double to) {
  int order = 0;
  CVodeGetLastOrder(cvode_.get(), &order);
  const int n = model_.n_states();
  step_.resize(static_cast<std::size_t>(order + 1) * n);
  for (int k = 0; k <= order; ++k) {
    CVodeGetDky(cvode_.get(), to, k, between_.get());
    std::copy_n(block(between_.get()).data, n, step_.begin() + static_cast<long>(k) * n);
  }
  history_.add(from, to, step_);
  limit_step(to);
}

/// So that waves are not stepped over, and delays look at what is known.
void CvodesSystem::limit_step(double t) {
  constexpr double shortest_share = 1e-5;  // of the segment
  const double duration = segment_->end - segment_->start;
  double longest = crossings_.longest_step(duration);
  if (history_.is_needed()) {
    const double lag =
        std::max(history_.shortest_lag(t, with_delays(t, states().data())), shortest_share * duration);
    longest = longest > 0.0 ? std::min(longest, lag) : lag;
  }
  CVodeSetMaxStep(cvode_.get(), std::isfinite(longest) ? longest : 0.0);
}

/// With the switches as time and states have them: a branch that is held beyond its bounds may have no value.
const double* CvodesSystem::prelude_as_written(double t, const double* x) {
  const auto& code = model_.code();
  std::ranges::copy(segment_->prelude, prelude_.begin());
  double* values = prelude_.data() + code.first_switch();
  for (std::size_t pass = 0; pass < code.switches.size(); ++pass) {
    model_.switch_arguments(t, x, prelude_.data(), arguments_.data());
    for (std::size_t k = 0; k < code.switches.size(); ++k) values[k] = code.switches[k].value(arguments_[k]);
  }
  return prelude_.data();
}

void CvodesSystem::choose_active() {
  const auto& code = model_.code();
  const jit::Pattern& pattern = code.rates_by_parameter;
  active_entries_.clear();
  inverse_sizes_.resize(n_sensitivities_);
  for (int k = 0; k < n_sensitivities_; ++k) {
    const int j = segment_->active[k];
    for (int e = j < 0 ? 0 : pattern.column_starts[j]; j >= 0 && e < pattern.column_starts[j + 1]; ++e) {
      active_entries_.push_back({e, pattern.rows[e] * n_sensitivities_ + k});
    }
    const double size = std::fabs(!segment_->sizes.empty() ? segment_->sizes[k]
                                  : j < 0                  ? 0.0
                                                           : segment_->parameters[code.differentiated[j]]);
    inverse_sizes_[k] = 1.0 / (size > 0.0 ? size : 1.0);
  }
}

int CvodesSystem::rates(double t, N_Vector y, N_Vector derivative, void* user) {
  auto& system = *static_cast<CvodesSystem*>(user);
  ++system.statistics_.rate_evaluations;
  if (system.is_interrupted()) return -1;
  const double* states = system.with_delays(t, block(y).data);
  const auto evaluate = [&](const double* prelude) {
    system.evaluate_rates(t, states, prelude, block(derivative).data);
  };
  const std::span rates(block(derivative).data, static_cast<std::size_t>(block(derivative).size()));
  return system.have_values(t, states, rates, evaluate) ? 0 : 1;  // 1 makes CVODES try a smaller step
}

/// Whether what evaluate(prelude) makes of `rates` are numbers, in the branches that are held or as written.
template <class Evaluate>
bool CvodesSystem::have_values(double t, const double* x, std::span<double> rates, const Evaluate& evaluate) {
  evaluate(segment_->prelude.data());
  if (all_finite(rates)) return true;
  if (!model_.code().switches.empty()) {
    evaluate(prelude_as_written(t, x));
    if (all_finite(rates)) return true;
  }
  unfit_ = {t, first_not_finite(rates)};
  return false;
}

void CvodesSystem::evaluate_rates(double t, const double* y, const double* prelude, double* derivative) {
  if (n_sensitivities_ == 0) {
    model_.rates(t, y, prelude, derivative);
    return;
  }
  model_.rates_and_derivatives(t, y, prelude, derivatives_.data());
  std::copy_n(derivatives_.data(), model_.n_states(), derivative);
  sensitivity_rates(y + model_.n_states(), derivative + model_.n_states());
}

/// dS/dt = (df/dx) S + df/dp
void CvodesSystem::sensitivity_rates(const double* s, double* derivative) const {
  const int n = model_.n_states(), m = n_sensitivities_;
  const jit::Pattern& pattern = model_.code().jacobian;
  const double* jacobian = derivatives_.data() + n;
  const double* by_parameter = jacobian + pattern.n_nonzeros();
  std::fill_n(derivative, static_cast<long>(n) * m, 0.0);
  for (const auto& [value, target] : active_entries_) derivative[target] = by_parameter[value];
  for (int j = 0; j < n; ++j) {
    for (int e = pattern.column_starts[j]; e < pattern.column_starts[j + 1]; ++e) {
      add_multiple(m, jacobian[e], s + static_cast<long>(j) * m,
                   derivative + static_cast<long>(pattern.rows[e]) * m);
    }
  }
}

int CvodesSystem::jacobian(double t, N_Vector y, N_Vector, SUNMatrix matrix, void* user, N_Vector, N_Vector,
                           N_Vector) {
  auto& system = *static_cast<CvodesSystem*>(user);
  ++system.statistics_.jacobian_evaluations;
  const double* states = system.with_delays(t, block(y).data);
  const auto are_finite = [&](const double* prelude) {
    system.model_.jacobian(t, states, prelude, values(matrix));
    return all_finite({values(matrix), static_cast<std::size_t>(system.model_.code().jacobian.n_nonzeros())});
  };
  if (!are_finite(system.segment_->prelude.data()) && !system.model_.code().switches.empty()) {
    are_finite(system.prelude_as_written(t, states));
  }
  return 0;  // what is not finite fails in the factorisation, after which CVODES tries a smaller step
}

int CvodesSystem::error_weights(N_Vector y, N_Vector weights, void* user) {
  auto& system = *static_cast<CvodesSystem*>(user);
  double* w = block(weights).data;
  system.weigh(block(y).data, w);
  system.corrector_->begin_step(y, weights);
  return 0;
}

void CvodesSystem::weigh(const double* y, double* weights) const {
  const int n = model_.n_states(), m = n_sensitivities_;
  for (int i = 0; i < n; ++i) weights[i] = 1.0 / (options_.rtol * std::fabs(y[i]) + options_.atol);
  for (int i = 0; i < n && m > 0; ++i) {
    const long row = n + static_cast<long>(i) * m;
    const double floor = options_.atol + state_share * options_.rtol * std::fabs(y[i]);
    row_weights(m, options_.rtol, y + row, floor, inverse_sizes_.data(), weights + row);
  }
}

/// States without sensitivities. derivatives_ is scratch between evaluations.
bool CvodesSystem::have_rates(double t, const double* x) {
  const double* states = with_delays(t, x);
  const auto rates = std::span(derivatives_).first(model_.n_states());
  return have_values(t, states, rates,
                     [&](const double* prelude) { model_.rates(t, states, prelude, rates.data()); });
}

std::expected<void, IntegrationFailure> CvodesSystem::check(int flag) {
  long steps = 0;
  CVodeGetNumSteps(cvode_.get(), &steps);
  statistics_.steps += steps - steps_taken_;
  steps_taken_ = steps;
  if (flag >= 0) return {};
  return std::unexpected(failure(flag));
}

/// Where rates have no value next to the time reached, that has kept CVODES from going on, whatever it says.
IntegrationFailure CvodesSystem::failure(int flag) {
  double reached = segment_->start;
  CVodeGetCurrentTime(cvode_.get(), &reached);
  if (interrupted_) return {IntegrationError::interrupted, reached};
  const IntegrationError error = integration_error(flag);
  if (error == IntegrationError::not_finite || is_same_time(unfit_.time, reached))
    return without_rates(reached, states(), unfit_.state);
  return {error, reached, largest_error()};
}

/// The state whose rate, or sensitivities' rates, are no numbers; -1: none.
int CvodesSystem::first_not_finite(std::span<const double> rates) const {
  const auto found = std::ranges::find_if(rates, [](double v) { return !std::isfinite(v); });
  if (found == rates.end()) return -1;
  const int at = static_cast<int>(found - rates.begin()), n = model_.n_states();
  return at < n ? at : (at - n) / n_sensitivities_;
}

/// The state whose error takes the largest share of its tolerance.
int CvodesSystem::largest_error() {
  const int n = model_.n_states();
  const UniqueVector weights(new_block_vector(n, n_sensitivities_, context_.get()));
  if (CVodeGetErrWeights(cvode_.get(), weights.get()) != CV_SUCCESS ||
      CVodeGetEstLocalErrors(cvode_.get(), between_.get()) != CV_SUCCESS)
    return -1;
  const double *errors = block(between_.get()).data, *weight = block(weights.get()).data;
  int worst = -1;
  double largest = 0.0;
  for (int i = 0; i < n; ++i) {
    double share = std::fabs(errors[i] * weight[i]);
    for (long e = n + static_cast<long>(i) * n_sensitivities_, end = e + n_sensitivities_; e < end; ++e)
      share = std::max(share, std::fabs(errors[e] * weight[e]));
    if (share > largest) {
      largest = share;
      worst = i;
    }
  }
  return worst;
}

bool CvodesSystem::is_interrupted() {
  constexpr unsigned calls_between = 32;  // looking at a clock costs as much as the rates of a small model
  if (options_.interrupt && ++calls_ % calls_between == 0)
    interrupted_ = interrupted_ || options_.interrupt();
  return interrupted_;
}

Statistics CvodesSystem::take_statistics() { return std::exchange(statistics_, {}); }

}  // namespace kinetune::simulate
