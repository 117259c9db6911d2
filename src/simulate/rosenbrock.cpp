#include "simulate/rosenbrock.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "core/error.hpp"
#include "simulate/crossing_finder.hpp"
#include "simulate/denormals.hpp"
#include "simulate/rest_probe.hpp"
#include "simulate/rosenbrock_adjoint.hpp"
#include "simulate/rosenbrock_sensitivities.hpp"
#include "simulate/rosenbrock_stages.hpp"
#include "simulate/simulator.hpp"
#include "simulate/step_control.hpp"

namespace kinetune::simulate {
namespace {

bool all_finite(std::span<const double> values) {
  return std::ranges::all_of(values, [](double v) { return std::isfinite(v); });
}

/// The steps of simulations with Mode::adjoint, and what was asked for on the way.
struct Tape {
  struct Cotangent {
    std::size_t step;  ///< number of the step that it lies in
    double theta;
    std::vector<double> value;
  };
  struct Piece {
    std::size_t first_step, last_step;  ///< behind the last
    double theta;                       ///< where the last step was left
    std::vector<double> prelude;
    std::vector<int> active;
    std::vector<std::vector<double>> at_start;  ///< cotangents
    std::vector<Cotangent> within;              ///< ascending
  };

  std::vector<Piece> pieces;
  std::size_t n_steps = 0;
  std::vector<double> steps;      ///< of each {t, h, x}
  std::size_t n_with_stages = 0;  ///< the first ones
  std::vector<double> stages;     ///< of these
};

class Rosenbrock final : public PieceIntegrator {
 public:
  Rosenbrock(const jit::CompiledModel& model, const RosenbrockScheme& scheme,
             const IntegratorOptions& options, std::size_t kept)
      : scheme_(scheme),
        options_(options),
        kept_(kept),
        n_(model.n_states()),
        stages_(model, model.of_one_point(), scheme, options.linear_solver),
        forward_(stages_),
        adjoint_(stages_),
        probe_(stages_),
        crossings_(model),
        history_(model),
        u_(stages_.size()),
        start_(n_),
        end_(n_),
        between_(n_) {}

  std::expected<double, IntegrationFailure> forward(const Segment& piece, Mode mode, std::span<double> x,
                                                    std::span<double> sensitivities,
                                                    std::span<const double> times, Sink& sink) override {
    const FlushDenormals flush;
    if (mode == Mode::forward && piece.active.empty()) mode = Mode::states;
    run_ = {&piece, mode, x, sensitivities, times, &sink, 0};
    if (mode == Mode::adjoint) begin_tape();
    if (!all_finite(x) || !all_finite(sensitivities)) return fail(IntegrationError::not_finite, piece.start);
    std::ranges::copy(x, start_.begin());
    if (mode == Mode::forward) {
      forward_.begin(piece.active.size());
      forward_.load(piece.active, sensitivities);
      sizes_ = column_sizes(piece, stages_.model().code());
    }
    hand_out_start();
    const auto reached = n_ > 0 && piece.end > piece.start ? follow() : piece.end;
    if (!reached) return reached;
    for (; run_.next < times.size() && n_ == 0; ++run_.next) sink.at(run_.next, {}, {}, {});
    std::ranges::copy(start_, x.begin());
    if (mode == Mode::forward && !stopped_within_) forward_.copy_start(sensitivities);
    if (mode == Mode::adjoint) tape_.pieces.back().last_step = tape_.n_steps;
    return reached;
  }

  std::expected<void, IntegrationFailure> backward(std::span<double> adjoint,
                                                   std::span<double> gradient) override {
    const FlushDenormals flush;
    const Tape::Piece piece = std::move(tape_.pieces.back());
    tape_.pieces.pop_back();
    if (!all_finite(adjoint)) return std::unexpected(IntegrationFailure{IntegrationError::not_finite, 0.0});
    stages_.begin(piece.prelude.data(), RosenbrockStages::With::derivatives);
    adjoint_.begin(piece.active);
    if (piece.theta < 1.0 && piece.last_step > piece.first_step) {
      adjoint_.add_cotangent(DenseWeights(scheme_, piece.theta), adjoint);
      std::ranges::fill(adjoint, 0.0);
    }
    auto cotangent = piece.within.rbegin();
    for (std::size_t i = piece.last_step; i-- > piece.first_step;) {
      for (; cotangent != piece.within.rend() && cotangent->step == i; ++cotangent)
        adjoint_.add_cotangent(DenseWeights(scheme_, cotangent->theta), cotangent->value);
      const double* step = tape_.steps.data() + i * taped_size();
      const RosenbrockAdjoint::Step taped{step, step + 1, step + 2, restore(i, step)};
      if (!taped.stages) {
        return std::unexpected(IntegrationFailure{IntegrationError::singular_matrix, *taped.t});
      }
      adjoint_.step_back(taped, piece.prelude.data(), stages_, adjoint, gradient);
      ++statistics_.backward_steps;
    }
    for (const auto& value : piece.at_start) {
      for (int k = 0; k < n_; ++k) adjoint[k] += value[k];
    }
    shorten_tape(piece.first_step);
    if (!all_finite(gradient)) {
      return std::unexpected(IntegrationFailure{IntegrationError::not_finite, 0.0});
    }
    return {};
  }

  void clear_tape() override {
    tape_.pieces.clear();
    shorten_tape(0);
  }

  DelayHistory& history() override { return history_; }

  Statistics take_statistics() override {
    Statistics total = std::exchange(statistics_, {});
    const long rates = stages_.rate_evaluations(), jacobians = stages_.jacobian_evaluations();
    total.rate_evaluations = rates - std::exchange(rates_told_, rates);
    total.jacobian_evaluations = jacobians - std::exchange(jacobians_told_, jacobians);
    return total;
  }

 private:
  using Result = std::expected<double, IntegrationFailure>;

  struct Run {
    const Segment* piece = nullptr;
    Mode mode = Mode::states;
    std::span<double> x, sensitivities;
    std::span<const double> times;
    Sink* sink = nullptr;
    std::size_t next = 0;  // of the times
  };

  static std::unexpected<IntegrationFailure> fail(IntegrationError error, double t) {
    return std::unexpected(IntegrationFailure{error, t});
  }

  std::size_t taped_size() const { return 2 + n_; }

  void shorten_tape(std::size_t n_steps) {
    tape_.n_steps = n_steps;
    tape_.steps.resize(n_steps * taped_size());
    tape_.n_with_stages = std::min(tape_.n_with_stages, n_steps);
    tape_.stages.resize(tape_.n_with_stages * u_.size());
  }

  /// Has the stages hold a taped step again.
  /// @returns its stages; nullptr when the matrix is singular
  const double* restore(std::size_t i, const double* step) {
    const double *t = step, *h = step + 1, *x = step + 2;
    if (i < tape_.n_with_stages) {
      const double* kept = tape_.stages.data() + i * u_.size();
      return stages_.restore(t, h, x, kept) ? kept : nullptr;
    }
    return stages_.set_start(t, x) && stages_.step(h, u_.data(), end_.data()) ? u_.data() : nullptr;
  }

  void begin_tape() {
    const Segment& piece = *run_.piece;
    tape_.pieces.push_back({tape_.n_steps,
                            tape_.n_steps,
                            1.0,
                            {piece.prelude.begin(), piece.prelude.end()},
                            {piece.active.begin(), piece.active.end()},
                            {},
                            {}});
  }

  void hand_out_start() {
    for (; run_.next < run_.times.size() && run_.times[run_.next] <= run_.piece->start; ++run_.next) {
      std::vector<double> cotangent(run_.mode == Mode::adjoint ? n_ : 0);
      run_.sink->at(run_.next, start_, run_.sensitivities, cotangent);
      if (run_.mode == Mode::adjoint) tape_.pieces.back().at_start.push_back(std::move(cotangent));
    }
  }

  /// Steps to the piece's end, or to where a switch changes.
  Result follow() {
    const Segment& piece = *run_.piece;
    stopped_within_ = false;
    stages_.begin(piece.prelude.data(), run_.mode == Mode::forward ? RosenbrockStages::With::derivatives
                                                                   : RosenbrockStages::With::rates);
    double t = piece.start;
    if (!stages_.set_start(&t, start_.data())) return no_start(t);
    StepControl control(scheme_.order, piece.start, piece.end,
                        crossings_.longest_step(piece.end - piece.start));
    crossings_.restart();
    control.begin(options_, start_, stages_.rates_at_start());
    probe_.begin(0);
    for (long n_tried = 0; t < piece.end; ++n_tried) {
      if (n_tried >= options_.max_steps) return fail(IntegrationError::too_many_steps, t);
      if (options_.interrupt && options_.interrupt()) return fail(IntegrationError::interrupted, t);
      const double h = control.next(t), to = control.end_of(t, h);
      const bool solved = stages_.step(&h, u_.data(), end_.data()) != 0;
      double error = solved ? error_norm(h, t) : std::numeric_limits<double>::quiet_NaN();
      const bool has_column_errors = solved && run_.mode == Mode::forward &&
                                     options_.sensitivity_errors == SensitivityErrors::controlled;
      if (has_column_errors) {
        forward_.step(&t, &h, start_.data(), piece.prelude.data(), u_.data(), stages_);
        error = std::max(error, forward_.error_norm(options_, start_.data(), sizes_));
      }
      if (!control.accepts(error)) {
        if (control.is_stuck(t)) return stuck(t, control.why_stuck());
        continue;
      }
      ++statistics_.steps;
      probe_.accept(1);
      if (run_.mode == Mode::forward && !has_column_errors)
        forward_.step(&t, &h, start_.data(), piece.prelude.data(), u_.data(), stages_);
      const auto change = crossings_.watches()
                              ? crossings_.first(t, to, piece.prelude.data(),
                                                 [&](double time) { return interpolate(t, h, to, time); })
                              : std::nullopt;
      if (crossings_.is_exhausted()) return fail(IntegrationError::too_many_steps, t);
      if (run_.mode == Mode::adjoint) record_step(t, h);
      hand_out(t, h, to, change);
      if (change) return stop_within(t, h, to, *change);
      forward_.accept();
      start_.swap(end_);
      t = to;
      if (t < piece.end && !stages_.set_start(&t, start_.data())) return no_start(t);
    }
    return t;
  }

  Result no_start(double t) const {
    const auto rates = stages_.rates_at_start();
    const auto found = std::ranges::find_if(rates, [](double v) { return !std::isfinite(v); });
    const int state = found == rates.end() ? -1 : static_cast<int>(found - rates.begin());
    return std::unexpected(without_rates(t, start_, state));
  }

  Result stuck(double t, IntegrationError why) const {
    const int state = stages_.worst_state(options_, start_.data(), u_.data());
    if (why == IntegrationError::not_finite) return std::unexpected(without_rates(t, start_, state));
    return std::unexpected(IntegrationFailure{why, t, state});
  }

  double error_norm(double h, double t) {
    double norm;
    stages_.error_norms(options_, start_.data(), end_.data(), u_.data(), &norm);
    if (run_.piece->active.empty()) return norm;  // there are no derivatives
    const double horizon = (run_.next < run_.times.size() ? run_.times[run_.next] : run_.piece->end) - t;
    probe_.add_errors(1, &h, &horizon, options_, start_.data(), end_.data(), &norm);
    return norm;
  }

  DenseWeights weights(double t, double h, double to, double time) const {
    return {scheme_, time == to ? 1.0 : (time - t) / h};
  }

  const double* interpolate(double t, double h, double to, double time) {
    stages_.interpolate(weights(t, h, to, time), start_.data(), end_.data(), u_.data(), 0, between_.data());
    return between_.data();
  }

  void record_step(double t, double h) {
    tape_.steps.push_back(t);
    tape_.steps.push_back(h);
    tape_.steps.insert(tape_.steps.end(), start_.begin(), start_.end());
    if (tape_.n_with_stages == tape_.n_steps && tape_.stages.size() + u_.size() <= kept_) {
      tape_.stages.insert(tape_.stages.end(), u_.begin(), u_.end());
      ++tape_.n_with_stages;
    }
    ++tape_.n_steps;
  }

  void hand_out(double t, double h, double to, std::optional<double> change) {
    const auto is_passed = [&](double time) { return change ? time < *change : time <= to; };
    for (; run_.next < run_.times.size() && is_passed(run_.times[run_.next]); ++run_.next) {
      const double time = run_.times[run_.next];
      interpolate(t, h, to, time);
      if (run_.mode == Mode::forward) forward_.interpolate(weights(t, h, to, time), run_.sensitivities);
      if (run_.mode != Mode::adjoint) {
        run_.sink->at(run_.next, between_, run_.sensitivities, {});
        continue;
      }
      Tape::Cotangent cotangent{tape_.n_steps - 1, weights(t, h, to, time).end, std::vector<double>(n_)};
      run_.sink->at(run_.next, between_, {}, cotangent.value);
      tape_.pieces.back().within.push_back(std::move(cotangent));
    }
  }

  double stop_within(double t, double h, double to, double time) {
    interpolate(t, h, to, time);
    start_ = between_;
    stopped_within_ = true;
    const DenseWeights w = weights(t, h, to, time);
    if (run_.mode == Mode::forward) forward_.interpolate(w, run_.sensitivities);
    if (run_.mode == Mode::adjoint) tape_.pieces.back().theta = w.end;
    return time;
  }

  const RosenbrockScheme& scheme_;
  std::vector<double> sizes_;  // (n_active)
  IntegratorOptions options_;
  std::size_t kept_;
  int n_;
  RosenbrockStages stages_;
  RosenbrockSensitivities forward_;
  RosenbrockAdjoint adjoint_;
  RestProbe probe_;
  CrossingFinder crossings_;
  DelayHistory history_;
  Run run_;
  bool stopped_within_ = false;                    // the last piece ended within a step
  std::vector<double> u_, start_, end_, between_;  // of the step
  Tape tape_;
  Statistics statistics_;
  long rates_told_ = 0, jacobians_told_ = 0;
};

}  // namespace

std::unique_ptr<PieceIntegrator> make_rosenbrock_pieces(const jit::CompiledModel& model,
                                                        const IntegratorOptions& options, std::size_t kept) {
  options.validate();
  if (!model.code().curvature.is_present) {
    throw core::Error({}, "the model has delays, or too many second derivatives for a Rosenbrock method",
                      "integrate it with CVODES");
  }
  const RosenbrockScheme& scheme = options.method == Method::rodas4p2 ? rodas4p2 : rodas5p;
  return std::make_unique<Rosenbrock>(model, scheme, options, kept);
}

std::unique_ptr<Integrator> make_rosenbrock(const jit::CompiledModel& model,
                                            const IntegratorOptions& options) {
  return make_simulator(model, make_rosenbrock_pieces(model, options), options.rtol);
}

}  // namespace kinetune::simulate
