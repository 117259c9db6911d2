#include "simulate/lane_integrator.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <optional>

#include "simulate/denormals.hpp"
#include "simulate/lane_backward.hpp"
#include "simulate/rest_probe.hpp"
#include "simulate/rosenbrock_sensitivities.hpp"
#include "simulate/rosenbrock_stages.hpp"
#include "simulate/simd.hpp"
#include "simulate/step_control.hpp"

namespace kinetune::simulate {
namespace {

constexpr std::size_t kept = std::size_t{1} << 23;  // doubles of stages on the tape: 64 MiB

bool all_finite(std::span<const double> values) {
  return std::ranges::all_of(values, [](double v) { return std::isfinite(v); });
}

/// values = chosen ? others : values
KINETUNE_SIMD void replace(int width, std::size_t n, LaneBits chosen, const double* others, double* values) {
  double weights[8];
  for (int lane = 0; lane < width; ++lane) weights[lane] = has_lane(chosen, lane) ? 1.0 : 0.0;
  with_width(width, [&]<int w>() KINETUNE_LOOPS {
    const Pack<w> is_chosen = pack<w>(weights, 0);
    for (std::size_t i = 0; i < n; ++i) {
      const auto at = static_cast<std::ptrdiff_t>(i);
      pack<w>(values, at) = is_chosen > 0.0 ? pack<w>(others, at) : pack<w>(values, at);
    }
  });
}

const RosenbrockScheme& scheme_of(Method method) { return method == Method::rodas4p2 ? rodas4p2 : rodas5p; }

}  // namespace

struct LaneIntegrator::Impl {
  /// What is under way in a lane.
  struct Lane {
    LaneTask* task = nullptr;
    int number = -1;       // of the task
    std::size_t next = 0;  // of its times
    long n_tried = 0;
    double to = 0;  // where the step tried ends
    bool is_fresh = false;
    std::optional<StepControl> control;
    std::vector<double> sizes;  // of the columns' parameters
  };

  Impl(const jit::CompiledModel& model, const IntegratorOptions& o)
      : options(o),
        n(model.n_states()),
        width(model.code().lanes),
        stages(model, model.of_lanes(), scheme_of(o.method), LinearSolver::automatic),
        sensitivities(stages),
        backward(stages),
        probe(stages),
        tape(width, n, stages.size(), kept),
        lanes(width),
        t(width),
        h(width),
        x(static_cast<std::size_t>(n) * width),
        end(x.size()),
        u(stages.size()),
        prelude(static_cast<std::size_t>(model.code().n_prelude) * width),
        owners(width),
        of_lane(n) {}

  void forward(std::span<LaneTask> given, Mode asked) {
    const FlushDenormals flush;
    tasks = given;
    mode = asked;
    next_task = 0;
    if (mode == Mode::forward) {
      std::size_t n_columns = 0;
      for (const LaneTask& task : tasks) n_columns = std::max(n_columns, task.segment.active.size());
      sensitivities.begin(n_columns);
    }
    if (mode == Mode::adjoint) tape.begin(tasks);
    n_busy = 0;
    for (int lane = 0; lane < width; ++lane) take_next(lane);
    if (n_busy == 0) return;
    for (int lane = 0; lane < width; ++lane) {
      if (!lanes[lane].task) mirror(lane, 0);  // the first is never idle unless all are
    }
    stages.begin(prelude.data(),
                 mode == Mode::forward ? RosenbrockStages::With::derivatives : RosenbrockStages::With::rates);
    while (true) {
      set_starts();
      if (n_busy == 0) return;
      try_steps();
    }
  }

  /// Has a lane go on with the next task that needs steps, if there is one.
  void take_next(int lane) {
    lanes[lane] = {};
    while (next_task < tasks.size()) {
      const int number = static_cast<int>(next_task);
      LaneTask& task = tasks[next_task++];
      if (!all_finite(task.x) || (mode == Mode::forward && !all_finite(task.sensitivities))) {
        fail(task, number, IntegrationError::not_finite, task.segment.start);
        continue;
      }
      lanes[lane].task = &task;
      lanes[lane].number = number;
      hand_out_start(lanes[lane]);
      if (n > 0 && task.segment.end > task.segment.start) {
        load(lane);
        return;
      }
      for (auto& next = lanes[lane].next; next < task.times.size(); ++next) task.sink->at(next, {}, {}, {});
      lanes[lane] = {};
    }
  }

  void load(int lane) {
    const Segment& segment = lanes[lane].task->segment;
    for (int k = 0; k < n; ++k) x[k * width + lane] = lanes[lane].task->x[k];
    for (std::size_t i = 0; i < segment.prelude.size(); ++i) prelude[i * width + lane] = segment.prelude[i];
    if (mode == Mode::forward) {
      sensitivities.load(segment.active, lanes[lane].task->sensitivities, lane);
      lanes[lane].sizes = column_sizes(segment, stages.model().code());
    }
    t[lane] = segment.start;
    h[lane] = segment.end - segment.start;
    lanes[lane].is_fresh = true;
    ++n_busy;
  }

  /// Gives an idle lane numbers to compute with.
  void mirror(int lane, int other) {
    const auto copy = [&](PackVector& values) {
      for (std::size_t i = 0; i < values.size(); i += width) values[i + lane] = values[i + other];
    };
    copy(x);
    copy(prelude);
    copy(t);
    copy(h);
  }

  void fail(LaneTask& task, int number, IntegrationError error, double time, int state = -1) {
    task.done = std::unexpected(IntegrationFailure{error, time, state});
    if (mode == Mode::adjoint) tape.batch().tasks[number].has_failed = true;
  }

  void give_up(int lane, IntegrationError error, int state = -1) {
    fail(*lanes[lane].task, lanes[lane].number, error, t[lane], state);
    --n_busy;
    take_next(lane);
  }

  /// Evaluates where the next steps start; lanes for whose task that fails go on with others.
  void set_starts() {
    bool again = true;
    while (again && n_busy > 0) {
      again = false;
      const LaneBits finite = stages.set_start(t.data(), x.data());
      for (int lane = 0; lane < width; ++lane) {
        if (!lanes[lane].task || has_lane(finite, lane)) continue;
        give_up(lane, IntegrationError::not_finite);
        again = again || lanes[lane].task;
      }
    }
    for (int lane = 0; lane < width; ++lane) {
      if (lanes[lane].is_fresh) guess_step(lane);
    }
  }

  void guess_step(int lane) {
    const Segment& segment = lanes[lane].task->segment;
    std::vector<double> rates(n);
    for (int k = 0; k < n; ++k) {
      of_lane[k] = x[k * width + lane];
      rates[k] = stages.rates_at_start()[k * width + lane];
    }
    lanes[lane].control.emplace(stages.scheme().order, segment.start, segment.end, 0.0);
    lanes[lane].control->begin(options, of_lane, rates);
    probe.begin(lane);
    lanes[lane].is_fresh = false;
    ++lanes[lane].task->statistics.jacobian_evaluations;
    ++lanes[lane].task->statistics.rate_evaluations;
  }

  /// Gives up what has taken too many steps, or all if that is asked for.
  /// @returns false where there is nothing left, or a lane has gone on with another task, whose start is not
  ///          set yet
  bool have_steps_left() {
    const bool is_interrupted = options.interrupt && options.interrupt();
    bool has_new_task = false;
    for (int lane = 0; lane < width; ++lane) {
      if (!lanes[lane].task || (!is_interrupted && lanes[lane].n_tried < options.max_steps)) continue;
      give_up(lane, is_interrupted ? IntegrationError::interrupted : IntegrationError::too_many_steps);
      has_new_task = has_new_task || lanes[lane].task;
    }
    return n_busy > 0 && !has_new_task;
  }

  /// A step in every lane, each judged by its own error.
  void try_steps() {
    if (!have_steps_left()) return;
    for (int lane = 0; lane < width; ++lane) {
      Lane& l = lanes[lane];
      if (!l.task) continue;
      h[lane] = l.control->next(t[lane]);
      l.to = l.control->end_of(t[lane], h[lane]);
      ++l.n_tried;
    }
    const LaneBits solved = stages.step(h.data(), u.data(), end.data());
    double errors[8];
    stages.error_norms(options, x.data(), end.data(), u.data(), errors);
    add_probe_errors(solved, errors);
    if (controls_columns()) add_column_errors(errors);
    LaneBits accepted = 0;
    for (int lane = 0; lane < width; ++lane) {
      owners[lane] = -1;
      Lane& l = lanes[lane];
      if (!l.task) continue;
      l.task->statistics.rate_evaluations += stages.scheme().n_stages - 1;
      const double error = has_lane(solved, lane) ? errors[lane] : std::numeric_limits<double>::quiet_NaN();
      if (!l.control->accepts(error)) continue;
      accepted |= 1u << lane;
      owners[lane] = l.number;
    }
    probe.accept(accepted);
    if (accepted != 0) take_steps(accepted);
    for (int lane = 0; lane < width; ++lane) {
      Lane& l = lanes[lane];
      if (!l.task || has_lane(accepted, lane) || !l.control->is_stuck(t[lane])) continue;
      give_up(lane, l.control->why_stuck(), stages.worst_state(options, x.data(), u.data(), lane));
    }
  }

  /// Of the lanes whose steps are solved and whose simulations have derivatives.
  void add_probe_errors(LaneBits solved, double* errors) {
    double horizons[8];
    LaneBits looked_at = 0;
    for (int lane = 0; lane < width; ++lane) {
      const Lane& l = lanes[lane];
      if (!l.task || !has_lane(solved, lane) || l.task->segment.active.empty()) continue;
      looked_at |= 1u << lane;
      const auto& times = l.task->times;
      horizons[lane] = (l.next < times.size() ? times[l.next] : l.task->segment.end) - t[lane];
    }
    probe.add_errors(looked_at, h.data(), horizons, options, x.data(), end.data(), errors);
  }

  bool controls_columns() const {
    return mode == Mode::forward && options.sensitivity_errors == SensitivityErrors::controlled;
  }

  void add_column_errors(double* errors) {
    step_sensitivities();
    for (int lane = 0; lane < width; ++lane) {
      if (!lanes[lane].task) continue;
      errors[lane] =
          std::max(errors[lane], sensitivities.error_norm(options, x.data(), lanes[lane].sizes, lane));
    }
  }

  void step_sensitivities() {
    sensitivities.step(t.data(), h.data(), x.data(), prelude.data(), u.data(), stages);
  }

  void take_steps(LaneBits accepted) {
    if (mode == Mode::forward && !controls_columns()) step_sensitivities();
    if (mode == Mode::adjoint) tape.add_step(owners, t.data(), h.data(), x.data(), u.data());
    for (int lane = 0; lane < width; ++lane) {
      if (has_lane(accepted, lane)) hand_out(lane);
    }
    replace(width, n, accepted, end.data(), x.data());
    if (mode == Mode::forward) sensitivities.accept(accepted);
    for (int lane = 0; lane < width; ++lane) {
      if (!has_lane(accepted, lane)) continue;
      Lane& l = lanes[lane];
      t[lane] = l.to;
      ++l.task->statistics.steps;
      if (l.to < l.task->segment.end) {
        ++l.task->statistics.jacobian_evaluations;
        ++l.task->statistics.rate_evaluations;
        continue;
      }
      for (int k = 0; k < n; ++k) l.task->x[k] = x[k * width + lane];
      if (mode == Mode::forward) sensitivities.copy_start(l.task->sensitivities, lane);
      --n_busy;
      take_next(lane);
    }
  }

  void hand_out_start(Lane& l) {
    LaneTask& task = *l.task;
    for (; l.next < task.times.size() && task.times[l.next] <= task.segment.start; ++l.next) {
      std::vector<double> cotangent(mode == Mode::adjoint ? n : 0);
      task.sink->at(l.next, task.x, task.sensitivities, cotangent);
      if (mode == Mode::adjoint) tape.batch().tasks[l.number].at_start.push_back(std::move(cotangent));
    }
  }

  void hand_out(int lane) {
    Lane& l = lanes[lane];
    LaneTask& task = *l.task;
    for (; l.next < task.times.size() && task.times[l.next] <= l.to; ++l.next) {
      const double time = task.times[l.next];
      const DenseWeights weights(stages.scheme(), time == l.to ? 1.0 : (time - t[lane]) / h[lane]);
      stages.interpolate(weights, x.data(), end.data(), u.data(), lane, of_lane.data());
      if (mode == Mode::forward) sensitivities.interpolate(weights, task.sensitivities, lane);
      if (mode != Mode::adjoint) {
        task.sink->at(l.next, of_lane, task.sensitivities, {});
        continue;
      }
      LaneTape::Cotangent cotangent{tape.n_steps() - 1, lane, weights.end, std::vector<double>(n)};
      task.sink->at(l.next, of_lane, {}, cotangent.value);
      tape.batch().cotangents.push_back(std::move(cotangent));
    }
  }

  IntegratorOptions options;
  int n, width;
  RosenbrockStages stages;
  RosenbrockSensitivities sensitivities;
  LaneBackward backward;
  RestProbe probe;
  LaneTape tape;
  std::span<LaneTask> tasks;
  Mode mode = Mode::states;
  std::size_t next_task = 0;
  int n_busy = 0;
  std::vector<Lane> lanes;
  PackVector t, h;          // (width) of the step
  PackVector x, end, u;     // of the step: start, end, stages
  PackVector prelude;       // (n_prelude, width)
  std::vector<int> owners;  // (width) as the tape has them
  std::vector<double> of_lane;
};

LaneIntegrator::LaneIntegrator(const jit::CompiledModel& model, const IntegratorOptions& options) {
  options.validate();
  assert(has_lanes(model.code(), options.method));
  impl_ = std::make_unique<Impl>(model, options);
}
LaneIntegrator::~LaneIntegrator() = default;

int LaneIntegrator::width() const { return impl_->width; }
void LaneIntegrator::forward(std::span<LaneTask> tasks, Mode mode) { impl_->forward(tasks, mode); }
void LaneIntegrator::backward(std::span<LaneReturn> returns) {
  const FlushDenormals flush;
  impl_->backward.run(impl_->tape, returns);
}
void LaneIntegrator::clear_tape() { impl_->tape.clear(); }

bool has_lanes(const jit::ModelCode& code, Method method) {
  return code.lanes > 1 && (method == Method::rodas5p || method == Method::rodas4p2);
}

}  // namespace kinetune::simulate
