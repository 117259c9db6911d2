#include "simulate/rosenbrock_stages.hpp"

#include <algorithm>
#include <cmath>

#include "simulate/simd.hpp"
#include "simulate/static_lu.hpp"

namespace kinetune::simulate {
namespace {

bool all_finite(const double* values, int n) {
  double sum = 0.0;  // no finite number minus itself is anything but 0
  for (int i = 0; i < n; ++i) sum += values[i] - values[i];
  return sum == 0.0;
}

/// y = x + sum_j factors_j u_j
KINETUNE_SIMD void combine(int n, int n_terms, const double* factors, const double* stages, int stride,
                           const double* x, double* __restrict y) {
  for (int i = 0; i < n; ++i) y[i] = x[i];
  for (int j = 0; j < n_terms; ++j) {
    const double* __restrict u = stages + static_cast<std::ptrdiff_t>(j) * stride;
    for (int i = 0; i < n; ++i) y[i] += factors[j] * u[i];
  }
}

std::unique_ptr<Factorisation> make_matrix(const jit::Pattern& pattern, LinearSolver choice) {
  if (choice == LinearSolver::automatic) return std::make_unique<StaticLu>(pattern);
  return make_factorisation(pattern, choice);
}

}  // namespace

RosenbrockStages::RosenbrockStages(const jit::CompiledModel& model, const RosenbrockScheme& scheme,
                                   LinearSolver solver)
    : model_(model),
      scheme_(scheme),
      n_(model.n_states()),
      n_jacobian_(model.code().jacobian.n_nonzeros()),
      evaluation_size_(n_ + n_jacobian_ + model.code().rates_by_parameter.n_nonzeros()),
      x_(n_),
      y_(n_),
      as_written_(model.code().switches.empty() ? 0 : model.code().n_prelude),
      derivatives_(static_cast<std::size_t>(scheme.n_stages) * evaluation_size_),
      by_time_(model.code().curvature.rates_by_time.size()),
      matrix_values_(n_jacobian_),
      matrix_(make_matrix(model.code().jacobian, solver)) {
  const jit::Pattern& pattern = model.code().jacobian;
  for (int j = 0; j < n_; ++j) {
    const auto first = pattern.rows.begin() + pattern.column_starts[j];
    const auto last = pattern.rows.begin() + pattern.column_starts[j + 1];
    diagonal_.push_back(static_cast<int>(std::lower_bound(first, last, j) - pattern.rows.begin()));
  }
}

void RosenbrockStages::begin(const double* prelude, With with) {
  prelude_ = prelude;
  with_ = with;
  matrix_->forget();
}

/// Rates, and derivatives where they are wanted, at a point of the step.
void RosenbrockStages::evaluate(int stage, double t, const double* x) {
  double* all = derivatives_.data() + static_cast<std::ptrdiff_t>(stage) * evaluation_size_;
  ++rate_evaluations_;
  evaluate(stage, t, x, prelude_, all);
  if (as_written_.empty() || all_finite(all, n_)) return;
  // A branch that is held beyond its bounds may have no value.
  std::copy_n(prelude_, as_written_.size(), as_written_.begin());
  model_.set_switches(t, x, as_written_.data());
  evaluate(stage, t, x, as_written_.data(), all);
}

void RosenbrockStages::evaluate(int stage, double t, const double* x, const double* prelude,
                                double* all) const {
  if (with_ == With::derivatives) {
    model_.rates_and_derivatives(t, x, prelude, all);
  } else {
    model_.rates(t, x, prelude, all);
    if (stage == 0) model_.jacobian(t, x, prelude, all + n_);
  }
}

bool RosenbrockStages::set_start(double t, const double* x) {
  t_ = t;
  std::copy_n(x, n_, x_.begin());
  evaluate(0, t, x);
  ++jacobian_evaluations_;
  if (!by_time_.empty()) model_.rates_by_time(t, x, prelude_, by_time_.data());
  const int n_checked = with_ == With::derivatives ? evaluation_size_ : n_ + n_jacobian_;
  return all_finite(derivatives_.data(), n_checked) &&
         all_finite(by_time_.data(), static_cast<int>(by_time_.size()));
}

/// W = I / (h gamma) - f_x
bool RosenbrockStages::factor(double h) {
  const double* jacobian = derivatives_.data() + n_;
  for (int e = 0; e < n_jacobian_; ++e) matrix_values_[e] = -jacobian[e];
  for (const int e : diagonal_) matrix_values_[e] += 1.0 / (h * scheme_.gamma);
  return matrix_->factor(matrix_values_.data());
}

bool RosenbrockStages::step(double h, double* stages, double* end) {
  if (!factor(h)) return false;
  const auto& by_time_rows = model_.code().curvature.rates_by_time;
  for (int i = 0; i < scheme_.n_stages; ++i) {
    double* u = stages + static_cast<std::ptrdiff_t>(i) * stride();
    double* y = i + 1 < scheme_.n_stages ? y_.data() : end;
    const double* rates = derivatives_.data() + static_cast<std::ptrdiff_t>(i) * evaluation_size_;
    if (i > 0) {
      combine(n_, i, scheme_.a[i].data(), stages, stride(), x_.data(), y);
      evaluate(i, t_ + scheme_.time[i] * h, y);
    }
    RosenbrockScheme::Row factors;
    for (int j = 0; j < i; ++j) factors[j] = scheme_.c[i][j] / h;
    combine(n_, i, factors.data(), stages, stride(), rates, u);
    const double along_time = u[n_] = h * scheme_.slope[i];
    for (std::size_t k = 0; k < by_time_rows.size(); ++k) u[by_time_rows[k]] += along_time * by_time_[k];
    matrix_->solve(u);
  }
  const double* last = stages + static_cast<std::ptrdiff_t>(scheme_.n_stages - 1) * stride();
  for (int k = 0; k < n_; ++k) end[k] += last[k];
  return true;
}

bool RosenbrockStages::restore(double t, double h, const double* x, const double* stages) {
  for (int i = 0; i < scheme_.n_stages; ++i) {
    combine(n_, i, scheme_.a[i].data(), stages, stride(), x, y_.data());
    evaluate(i, t + scheme_.time[i] * h, y_.data());
  }
  return factor(h);
}

}  // namespace kinetune::simulate
