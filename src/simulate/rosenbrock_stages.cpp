#include "simulate/rosenbrock_stages.hpp"

#include <algorithm>
#include <cmath>

#include "simulate/rate_rounding.hpp"
#include "simulate/simd.hpp"
#include "simulate/static_lu.hpp"

namespace kinetune::simulate {

KINETUNE_SIMD LaneBits finite_lanes(int width, const double* values, int n) {
  double sums[8];
  with_width(width, [&]<int w>() KINETUNE_LOOPS {
    Pack<w> sum{};  // no finite number minus itself is anything but 0
    for (int i = 0; i < n; ++i) sum += pack<w>(values, i) - pack<w>(values, i);
    pack<w>(sums, 0) = sum;
  });
  LaneBits finite = 0;
  for (int lane = 0; lane < width; ++lane) finite |= sums[lane] == 0.0 ? 1u << lane : 0u;
  return finite;
}

namespace {

/// y = x + scale sum_j factors_j u_j
struct Combination {
  int n, n_terms;
  const double* factors;  // (n_terms) the same in all lanes
  const double* scale;    // (width)
  const double* stages;
  int stride;
  const double* x;
};

/// Of one step, rows go side by side; of several, the steps, and sums stay in registers.
template <int width>
inline KINETUNE_LOOPS void combine_all(const Combination& c, double* __restrict y) {
  if constexpr (width == 1) {
    for (int i = 0; i < c.n; ++i) y[i] = c.x[i];
    for (int j = 0; j < c.n_terms; ++j) {
      const double* __restrict u = c.stages + static_cast<std::ptrdiff_t>(j) * c.stride;
      const double factor = c.factors[j] * *c.scale;
      for (int i = 0; i < c.n; ++i) y[i] += factor * u[i];
    }
  } else {
    const Pack<width> scale = pack<width>(c.scale, 0);
    for (int i = 0; i < c.n; ++i) {
      Pack<width> sum{};
      for (int j = 0; j < c.n_terms; ++j)
        sum += c.factors[j] * pack<width>(c.stages + static_cast<std::ptrdiff_t>(j) * c.stride, i);
      pack<width>(y, i) = pack<width>(c.x, i) + scale * sum;
    }
  }
}

KINETUNE_SIMD void combine(int width, const Combination& c, double* y) {
  with_width(width, [&]<int w>() KINETUNE_LOOPS { combine_all<w>(c, y); });
}

/// W = I / (h gamma) - f_x
KINETUNE_SIMD void make_newton(int width, int n_values, const double* jacobian, std::span<const int> diagonal,
                               double gamma, const double* h, double* matrix) {
  with_width(width, [&]<int w>() KINETUNE_LOOPS {
    for (int e = 0; e < n_values; ++e) pack<w>(matrix, e) = -pack<w>(jacobian, e);
    const Pack<w> on_diagonal = 1.0 / (pack<w>(h, 0) * gamma);
    for (const int e : diagonal) pack<w>(matrix, e) += on_diagonal;
  });
}

/// u_row += h slope f_t, and what goes along time
KINETUNE_SIMD void add_time(int width, std::span<const int> rows, int n, double slope, const double* h,
                            const double* by_time, double* u) {
  with_width(width, [&]<int w>() KINETUNE_LOOPS {
    const Pack<w> along_time = pack<w>(h, 0) * slope;
    pack<w>(u, n) = along_time;
    for (std::size_t k = 0; k < rows.size(); ++k)
      pack<w>(u, rows[k]) += along_time * pack<w>(by_time, static_cast<std::ptrdiff_t>(k));
  });
}

/// floors = rounding h / (1 + h |J_ii|)
KINETUNE_SIMD void find_floors(int width, int n, const double* rounding, const double* jacobian,
                               std::span<const int> diagonal, const double* h, double* floors) {
  with_width(width, [&]<int w>() KINETUNE_LOOPS {
    for (int k = 0; k < n; ++k) {
      Pack<w> speed = pack<w>(h, 0) * pack<w>(jacobian, diagonal[k]);
      speed = speed < 0.0 ? -speed : speed;
      pack<w>(floors, k) = pack<w>(rounding, k) * pack<w>(h, 0) / (1.0 + speed);
    }
  });
}

/// y = J x
KINETUNE_SIMD void multiply(int width, const jit::Pattern& pattern, const double* jacobian, const double* x,
                            double* y) {
  std::fill_n(y, static_cast<std::ptrdiff_t>(pattern.n_rows) * width, 0.0);
  with_width(width, [&]<int w>() KINETUNE_LOOPS {
    for (int j = 0; j < pattern.n_cols; ++j) {
      const Pack<w> factor = pack<w>(x, j);
      for (int e = pattern.column_starts[j]; e < pattern.column_starts[j + 1]; ++e)
        pack<w>(y, pattern.rows[e]) += pack<w>(jacobian, e) * factor;
    }
  });
}

/// norms = sum of the squares of what errors are of the tolerances
KINETUNE_SIMD void add_squares(int width, int n, double rtol, double atol, const double* floors,
                               const double* start, const double* end, const double* error, double* norms) {
  with_width(width, [&]<int w>() KINETUNE_LOOPS {
    Pack<w> sum{};
    for (int k = 0; k < n; ++k) {
      Pack<w> before = pack<w>(start, k), after = pack<w>(end, k);
      before = before < 0.0 ? -before : before;
      after = after < 0.0 ? -after : after;
      const Pack<w> relative =
          pack<w>(error, k) / (rtol * (before < after ? after : before) + atol + pack<w>(floors, k));
      sum += relative * relative;
    }
    pack<w>(norms, 0) = sum;
  });
}

std::unique_ptr<Factorisation> make_matrix(const jit::Pattern& pattern, LinearSolver choice,
                                           const jit::RateKernels& kernels) {
  if (choice == LinearSolver::automatic || kernels.width() > 1)
    return std::make_unique<StaticLu>(pattern, kernels);
  return make_factorisation(pattern, choice);
}

}  // namespace

RosenbrockStages::RosenbrockStages(const jit::CompiledModel& model, const jit::RateKernels& kernels,
                                   const RosenbrockScheme& scheme, LinearSolver solver)
    : model_(model),
      kernels_(kernels),
      scheme_(scheme),
      n_(model.n_states()),
      n_jacobian_(model.code().jacobian.n_nonzeros()),
      evaluation_size_(n_ + n_jacobian_ + model.code().rates_by_parameter.n_nonzeros()),
      as_written_(model.code().switches.empty() ? 0 : model.code().n_prelude),
      matrix_(make_matrix(model.code().jacobian, solver, kernels)) {
  const auto width = static_cast<std::size_t>(kernels.width());
  t_.resize(width);
  stage_t_.resize(width);
  x_.resize(n_ * width);
  y_.resize(n_ * width);
  product_.resize(n_ * width);
  ones_.assign(width, 1.0);
  inverse_h_.resize(width);
  derivatives_.resize(static_cast<std::size_t>(scheme.n_stages) * evaluation_size_ * width);
  by_time_.resize(model.code().curvature.rates_by_time.size() * width);
  matrix_values_.resize(n_jacobian_ * width);
  rounding_.resize(n_ * width);
  floors_.resize(n_ * width);
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
void RosenbrockStages::evaluate(int stage, const double* t, const double* x) {
  double* all = derivatives_.data() + static_cast<std::ptrdiff_t>(stage) * evaluation_size_ * width();
  ++rate_evaluations_;
  evaluate(stage, t, x, prelude_, all);
  if (as_written_.empty() || finite_lanes(1, all, n_)) return;
  // A branch that is held beyond its bounds may have no value. Only models without switches have lanes.
  std::copy_n(prelude_, as_written_.size(), as_written_.begin());
  model_.set_switches(*t, x, as_written_.data());
  evaluate(stage, t, x, as_written_.data(), all);
}

void RosenbrockStages::evaluate(int stage, const double* t, const double* x, const double* prelude,
                                double* all) const {
  if (with_ == With::derivatives) {
    kernels_.rates_and_derivatives(t, x, prelude, all);
  } else {
    kernels_.rates(t, x, prelude, all);
    if (stage == 0) kernels_.jacobian(t, x, prelude, all + n_ * width());
  }
}

LaneBits RosenbrockStages::set_start(const double* t, const double* x) {
  std::copy_n(t, width(), t_.begin());
  std::copy_n(x, n_ * width(), x_.begin());
  evaluate(0, t, x);
  ++jacobian_evaluations_;
  find_rate_rounding(width(), model_.code().jacobian, jacobian(0), x, rounding_.data());
  if (!by_time_.empty()) kernels_.rates_by_time(t, x, prelude_, by_time_.data());
  const int n_checked = with_ == With::derivatives ? evaluation_size_ : n_ + n_jacobian_;
  return finite_lanes(width(), derivatives_.data(), n_checked) &
         finite_lanes(width(), by_time_.data(), static_cast<int>(by_time_.size()) / width());
}

LaneBits RosenbrockStages::factor(const double* h) {
  make_newton(width(), n_jacobian_, jacobian(0), diagonal_, scheme_.gamma, h, matrix_values_.data());
  return matrix_->factor(matrix_values_.data());
}

const double* RosenbrockStages::stage_times(int stage, const double* t, const double* h) {
  for (int lane = 0; lane < width(); ++lane) stage_t_[lane] = t[lane] + scheme_.time[stage] * h[lane];
  return stage_t_.data();
}

/// The point at which a stage has its rates.
void RosenbrockStages::combine_states(int stage, const double* x, const double* stages, double* y) {
  combine(width(), {n_, stage, scheme_.a[stage].data(), ones_.data(), stages, stride(), x}, y);
}

LaneBits RosenbrockStages::step(const double* h, double* stages, double* end) {
  const LaneBits solvable = factor(h);
  if (solvable == 0) return 0;
  find_floors(width(), n_, rounding_.data(), jacobian(0), diagonal_, h, floors_.data());
  for (int lane = 0; lane < width(); ++lane) inverse_h_[lane] = 1.0 / h[lane];
  const auto& by_time_rows = model_.code().curvature.rates_by_time;
  for (int i = 0; i < scheme_.n_stages; ++i) {
    double* u = stages + static_cast<std::ptrdiff_t>(i) * stride();
    double* y = i + 1 < scheme_.n_stages ? y_.data() : end;
    const double* rates = derivatives_.data() + static_cast<std::ptrdiff_t>(i) * evaluation_size_ * width();
    if (i > 0) {
      combine_states(i, x_.data(), stages, y);
      evaluate(i, stage_times(i, t_.data(), h), y);
    }
    combine(width(), {n_, i, scheme_.c[i].data(), inverse_h_.data(), stages, stride(), rates}, u);
    add_time(width(), by_time_rows, n_, scheme_.slope[i], h, by_time_.data(), u);
    matrix_->solve(u);
  }
  const double* last = stages + static_cast<std::ptrdiff_t>(scheme_.n_stages - 1) * stride();
  for (int k = 0; k < n_ * width(); ++k) end[k] += last[k];
  return solvable;
}

void RosenbrockStages::displace(const double* displacement, double* stages, double* end) {
  for (int i = 0; i < scheme_.n_stages; ++i) {
    double* u = stages + static_cast<std::ptrdiff_t>(i) * stride();
    combine_states(i, displacement, stages, end);
    multiply(width(), model_.code().jacobian, jacobian(0), end, product_.data());
    combine(width(), {n_, i, scheme_.c[i].data(), inverse_h_.data(), stages, stride(), product_.data()}, u);
    matrix_->solve(u);
  }
  const double* last = stages + static_cast<std::ptrdiff_t>(scheme_.n_stages - 1) * stride();
  for (int k = 0; k < n_ * width(); ++k) end[k] += last[k];
}

void RosenbrockStages::error_norms(const IntegratorOptions& options, const double* start, const double* end,
                                   const double* stages, double* norms) const {
  const double* error = stages + static_cast<std::ptrdiff_t>(scheme_.n_stages - 1) * stride();
  add_squares(width(), n_, options.rtol, options.atol, floors_.data(), start, end, error, norms);
  for (int lane = 0; lane < width(); ++lane) norms[lane] = std::sqrt(norms[lane] / n_);
}

int RosenbrockStages::worst_state(const IntegratorOptions& options, const double* start, const double* stages,
                                  int lane) const {
  const double* error = stages + static_cast<std::ptrdiff_t>(scheme_.n_stages - 1) * stride();
  int worst = -1;
  double largest = 0.0;
  for (int k = 0; k < n_; ++k) {
    const int at = k * width() + lane;
    if (!std::isfinite(error[at])) return k;
    const double tolerance = options.rtol * std::fabs(start[at]) + options.atol + floors_[at];
    const double relative = std::fabs(error[at]) / tolerance;
    if (relative > largest) worst = k;
    largest = std::max(largest, relative);
  }
  return worst;
}

void RosenbrockStages::interpolate(const DenseWeights& weights, const double* start, const double* end,
                                   const double* stages, int lane, double* out) const {
  for (int k = 0; k < n_; ++k) {
    const int at = k * width() + lane;
    double sum = weights.start * start[at] + weights.end * end[at];
    for (int j = 0; j < scheme_.n_stages; ++j)
      sum += weights.stages[j] * stages[static_cast<std::ptrdiff_t>(j) * stride() + at];
    out[k] = sum;
  }
}

LaneBits RosenbrockStages::restore(const double* t, const double* h, const double* x, const double* stages) {
  for (int i = 0; i < scheme_.n_stages; ++i) {
    combine_states(i, x, stages, y_.data());
    evaluate(i, stage_times(i, t, h), y_.data());
  }
  return factor(h);
}

}  // namespace kinetune::simulate
