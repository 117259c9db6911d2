#include "simulate/simulator.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <variant>

#include "simulate/constraints.hpp"
#include "simulate/denormals.hpp"
#include "simulate/event_queue.hpp"
#include "simulate/jump_recorder.hpp"
#include "simulate/past.hpp"
#include "simulate/stop_counter.hpp"

namespace kinetune::simulate {
namespace {

constexpr int max_executions_at_once = 10000;
constexpr int max_passes = 100;  // of constraints and switches that look at each other

// Errors of integration stay below this many tolerances.
constexpr double most_drift = 1e3;

/// Passes on what belongs to a piece of the requested times.
class Shifted final : public Sink {
 public:
  Shifted(Sink& sink, std::size_t offset) : sink_(sink), offset_(offset) {}
  void at(std::size_t index, std::span<const double> x, std::span<const double> sensitivities,
          std::span<double> cotangent) override {
    sink_.at(offset_ + index, x, sensitivities, cotangent);
  }

 private:
  Sink& sink_;
  std::size_t offset_;
};

class Simulator final : public Integrator {
 public:
  Simulator(const jit::CompiledModel& model, std::unique_ptr<PieceIntegrator> pieces, double rtol)
      : model_(model),
        rtol_(rtol),
        pieces_(std::move(pieces)),
        switches_(model),
        constraints_(model),
        events_(model),
        prelude_(model.code().n_prelude),
        recorder_(model) {
    const auto& code = model.code();
    has_delays_ = pieces_->history().is_needed();
    nothing_jumps_ = code.switches.empty() && code.events.empty() && !constraints_.exist() && !has_delays_;
  }

  std::expected<void, IntegrationFailure> forward(const Segment& segment, Mode mode, std::span<double> x,
                                                  std::span<double> sensitivities,
                                                  std::span<const double> times, Sink& sink) override {
    if (mode != Mode::states && has_delays_) {
      return std::unexpected(IntegrationFailure{IntegrationError::not_differentiable, segment.start});
    }
    const FlushDenormals flush;
    if (mode == Mode::adjoint) {
      tape_starts_.push_back(tape_.size());
      std::ranges::fill(more_adjoints_, 0.0);  // at its end; on the way back segments hand them on
    }
    if (nothing_jumps_) {
      if (mode == Mode::adjoint) tape_.emplace_back(Piece{});
      const Result reached = pieces_->forward(segment, mode, x, sensitivities, times, sink);
      if (!reached) return std::unexpected(reached.error());
      return {};
    }
    run_ = {segment, mode, x, sensitivities, times, &sink};
    std::ranges::copy(segment.prelude, prelude_.begin());
    run_.segment.prelude = prelude_;
    return run();
  }

  std::expected<void, IntegrationFailure> backward(std::span<double> adjoint,
                                                   std::span<double> gradient) override {
    const std::size_t first = tape_starts_.back();
    tape_starts_.pop_back();
    while (tape_.size() > first) {
      const TapeEntry entry = std::move(tape_.back());
      tape_.pop_back();
      if (const auto* update = std::get_if<RowUpdate>(&entry)) {
        make_room(*update, 1, more_adjoints_);
        update->carry_back({adjoint, more_adjoints_, 1}, gradient);
      } else if (const auto* cotangent = std::get_if<Cotangent>(&entry)) {
        for (std::size_t i = 0; i < cotangent->size(); ++i) adjoint[i] += (*cotangent)[i];
      } else if (const auto result = pieces_->backward(adjoint, gradient); !result) {
        return result;
      }
    }
    return {};
  }

  Past past() const override {
    if (nothing_jumps_) return {};
    const auto switches = std::span(prelude_).subspan(model_.code().first_switch());
    return {events_.state(),
            recorder_.state(),
            {switches.begin(), switches.end()},
            switches_.arguments(),
            run_.mode == Mode::forward ? more_rows_ : std::vector<double>{},
            pieces_->history().state(),
            echoes_,
            is_at_start_};
  }

  void clear_tape() override {
    tape_.clear();
    tape_starts_.clear();
    pieces_->clear_tape();
  }

  Statistics take_statistics() override {
    statistics_ += pieces_->take_statistics();
    return std::exchange(statistics_, {});
  }

 private:
  struct Piece {};  // that the method has taped
  using Cotangent = std::vector<double>;
  using TapeEntry = std::variant<Piece, Cotangent, RowUpdate>;

  using Result = std::expected<double, IntegrationFailure>;
  using Settled = std::expected<void, IntegrationFailure>;
  enum class Motion { none, by_switches };  // of the time at which something happens

  struct Run {
    Segment segment{};
    Mode mode = Mode::states;
    std::span<double> x, sensitivities;
    std::span<const double> times;
    Sink* sink = nullptr;
    std::size_t next = 0;  // of the times
  };

  std::expected<void, IntegrationFailure> run() {
    double t = run_.segment.start;
    const double end = run_.segment.end;
    StopCounter stops(run_.segment);
    Moment arrival = begin();
    long n_steps = 0;
    while (true) {
      if (const auto arrived = arrive(t, arrival); !arrived) return arrived;
      if (!(t < end)) return {};
      if (const auto left = leave(t); !left) return left;
      arrival = Moment::crossing;
      if (const auto failure = stops.failure(t, n_steps)) return std::unexpected(*failure);
      const double stop = next_stop(t);
      if (is_same_time(t, stop)) {
        t = stop;
        continue;
      }
      const Result reached = integrate(t, stop);
      if (!reached) return std::unexpected(reached.error());
      t = *reached;
      if (run_.segment.most_steps > 0) n_steps += count_steps();
      if (const auto state = state_adrift(t))
        return std::unexpected(IntegrationFailure{IntegrationError::no_solution, t, *state});
    }
  }

  /// Takes up what came before the segment.
  /// @returns how its start is arrived at
  Moment begin() {
    const Past* past = run_.segment.past;
    if (past) {
      events_.resume(past->events);
      recorder_.resume(past->jumps, run_.segment.active);
      switches_.resume(past->arguments);
      std::ranges::copy(past->switches, prelude_.begin() + model_.code().first_switch());
      if (run_.mode == Mode::forward) more_rows_ = past->more_rows;
    } else {
      events_.restart();
      recorder_.restart(run_.segment.active);
    }
    is_at_start_ = !past || past->is_at_start;
    if (has_delays_) begin_history(run_.segment.start, past);
    return past ? Moment::within : Moment::at;
  }

  long count_steps() {
    const Statistics latest = pieces_->take_statistics();
    statistics_ += latest;
    return latest.steps;
  }

  /// The next time at which something is known to happen; exactly a requested time where it is meant to be
  /// one.
  double next_stop(double t) const {
    double echo = std::numeric_limits<double>::infinity();
    for (const double time : echoes_) {
      if (time > t && !is_same_time(time, t)) echo = std::min(echo, time);
    }
    const double stop =
        std::min({echo, run_.segment.end, switches_.next_time(t, prelude_.data()), events_.next_time()});
    const auto after = std::ranges::lower_bound(run_.times, stop);
    if (after != run_.times.end() && is_same_time(*after, stop)) return *after;
    if (after != run_.times.begin() && is_same_time(*(after - 1), stop)) return *(after - 1);
    return stop;
  }

  /// Goes over a piece in which nothing is known to jump.
  Result integrate(double from, double to) {
    Run& r = run_;
    const auto first_behind = std::ranges::lower_bound(r.times, to);
    const auto piece = r.times.first(first_behind - r.times.begin()).subspan(r.next);
    Shifted sink(*r.sink, r.next);
    const Segment segment{from,           to, r.segment.prelude, r.segment.parameters, r.segment.active,
                          r.segment.sizes};
    const Result reached = pieces_->forward(segment, r.mode, r.x, r.sensitivities, piece, sink);
    if (!reached) return reached;
    while (r.next < r.times.size() && r.times[r.next] < *reached) ++r.next;
    if (r.mode == Mode::adjoint) tape_.emplace_back(Piece{});
    return reached;
  }

  /// Everything that happens at a time: switches change, events are triggered and executed, the times asked
  /// for are handed out.
  Settled arrive(double t, Moment arrival) {
    // A segment's start is where it is, whatever the parameters.
    const Motion motion = arrival == Moment::crossing ? Motion::by_switches : Motion::none;
    if (motion == Motion::by_switches) is_at_start_ = false;
    if (const auto settled = settle_moment(t, arrival, motion); !settled) return settled;
    hand_out(t);
    return {};
  }

  /// And what happens just after.
  Settled leave(double t) {
    const Motion motion = is_at_start_ ? Motion::none : Motion::by_switches;
    const auto settled = settle_moment(t, Moment::after, motion);
    recorder_.end_moment();
    return settled;
  }

  void begin_history(double t, const Past* past) {
    DelayHistory& history = pieces_->history();
    if (past) {
      history.resume(past->delays, prelude_.data());
      echoes_ = past->echoes;
      return note_jump(t);  // conditions may have moved the states
    }
    echoes_.clear();
    history.restart(t, run_.x.data(), prelude_.data());
    fill_delays(t);
    history.add_echoes(t, run_.x.data(), echoes_);
  }

  void fill_delays(double t) {
    if (has_delays_) pieces_->history().fill(t, run_.x.data());
  }

  void note_jump(double t) {
    if (!has_delays_) return;
    pieces_->history().add_jump(t, run_.x.data());
    fill_delays(t);
    std::erase_if(echoes_, [&](double time) { return time <= t; });
    pieces_->history().add_echoes(t, run_.x.data(), echoes_);
  }

  Settled settle_moment(double t, Moment moment, Motion motion) {
    fill_delays(t);
    const Moment later = moment == Moment::after ? Moment::after : Moment::within;
    if (const auto settled = settle_switches(t, moment, later, motion); !settled) return settled;
    if (model_.code().events.empty()) return {};
    note_triggers(t, moment);
    for (int i = 0; i < max_executions_at_once; ++i) {
      hold(t);
      const auto executed = events_.execute_next(t, run_.x.data(), prelude_.data(), moment);
      if (!executed) return {};
      note_jump(t);
      switches_.update(t, run_.x.data(), later, prelude_.data());
      const bool is_touched = constraints_touched(t);
      if (const auto solved = is_touched ? solve(t, later) : Settled{}; !solved) return solved;
      if (is_recording()) recorder_.executed(*executed, t, run_.x.data(), prelude_, updates_);
      if (is_touched) record_solution(t);
      carry();
      note_triggers(t, later);
    }
    return std::unexpected(IntegrationFailure{IntegrationError::endless_events, t});
  }

  Settled settle_switches(double t, Moment moment, Moment later, Motion motion) {
    hold(t);
    switches_.update(t, run_.x.data(), moment, prelude_.data());
    const bool is_start = moment == Moment::at || moment == Moment::within;
    const bool is_to_solve = constraints_.exist() && (is_start || constraints_touched(t));
    if (const auto solved = is_to_solve ? solve(t, later) : Settled{}; !solved) return solved;
    if (is_recording() && motion == Motion::by_switches) {
      const bool is_smooth = recorder_.switches_changed(t, prelude_, updates_);
      if (!is_smooth) return std::unexpected(IntegrationFailure{IntegrationError::not_differentiable, t});
    }
    if (is_to_solve) record_solution(t);
    carry();
    return {};
  }

  bool constraints_touched(double t) {
    return constraints_.exist() && constraints_.touched(t, run_.x.data(), prelude_.data());
  }

  /// The states that constraints determine, and the switches that look at them.
  Settled solve(double t, Moment later) {
    const auto switches = std::span(prelude_).subspan(model_.code().first_switch());
    for (int pass = 0; pass < max_passes; ++pass) {
      const auto moved = constraints_.solve(t, run_.x.data(), prelude_.data());
      if (!moved) return std::unexpected(IntegrationFailure{IntegrationError::no_solution, t, moved.error()});
      if (!*moved) return {};
      note_jump(t);
      const std::vector<double> before(switches.begin(), switches.end());
      switches_.update(t, run_.x.data(), later, prelude_.data());
      if (std::ranges::equal(before, switches)) return {};
    }
    return std::unexpected(IntegrationFailure{IntegrationError::endless_events, t});
  }

  /// A state that rates have taken away from what its constraint says: over a point at which the solution
  /// ends, and steps do not see that.
  std::optional<int> state_adrift(double t) {
    const double share = std::min(most_drift * rtol_, 0.1);
    return constraints_.exist() ? constraints_.violated(t, run_.x.data(), prelude_.data(), share)
                                : std::nullopt;
  }

  void record_solution(double t) {
    if (is_recording())
      constraints_.append_updates(t, run_.x.data(), prelude_.data(), run_.segment.active, updates_);
  }

  void note_triggers(double t, Moment moment) {
    const auto& notes = events_.note_triggers(t, run_.x.data(), prelude_.data(), moment);
    if (is_recording()) recorder_.noted(notes, t, run_.x.data(), prelude_, updates_);
    carry();
  }

  bool is_recording() const { return run_.mode != Mode::states && !run_.segment.active.empty(); }

  void hold(double t) {
    if (constraints_.exist()) constraints_.hold(t, run_.x.data(), prelude_.data());
    if (is_recording()) recorder_.hold(run_.x.data(), prelude_);
  }

  /// Does to the sensitivities what has been recorded, or tapes it.
  void carry() {
    for (RowUpdate& update : updates_) {
      if (run_.mode == Mode::adjoint) {
        tape_.emplace_back(std::move(update));
        continue;
      }
      const std::size_t n_active = run_.segment.active.size();
      make_room(update, n_active, more_rows_);
      update.carry({run_.sensitivities, more_rows_, n_active});
    }
    updates_.clear();
  }

  void make_room(const RowUpdate& update, std::size_t width, std::vector<double>& more) const {
    const auto n_more = std::max(0, update.last_row() + 1 - model_.n_states());
    if (const std::size_t size = n_more * width; more.size() < size) more.resize(size);
  }

  void hand_out(double t) {
    Run& r = run_;
    for (; r.next < r.times.size() && r.times[r.next] <= t; ++r.next) {
      std::vector<double> cotangent(r.mode == Mode::adjoint ? r.x.size() : 0);
      r.sink->at(r.next, r.x, r.sensitivities, cotangent);
      if (!cotangent.empty()) tape_.push_back(std::move(cotangent));
    }
  }

  const jit::CompiledModel& model_;
  double rtol_;
  std::unique_ptr<PieceIntegrator> pieces_;
  SwitchValues switches_;
  Constraints constraints_;
  EventQueue events_;
  std::vector<double> prelude_;
  bool has_delays_, nothing_jumps_;
  std::vector<double> echoes_;  // times at which delays look at jumps, passed ones among them
  Run run_;
  JumpRecorder recorder_;
  std::vector<RowUpdate> updates_;
  std::vector<double> more_rows_, more_adjoints_;  // Rows::more of sensitivities, of adjoints
  bool is_at_start_ = false;                       // no time of the simulation has gone by
  Statistics statistics_;                          // that were taken from the pieces and not asked for yet
  std::vector<TapeEntry> tape_;                    // what happened, in order
  std::vector<std::size_t> tape_starts_;
};

}  // namespace

std::unique_ptr<Integrator> make_simulator(const jit::CompiledModel& model,
                                           std::unique_ptr<PieceIntegrator> pieces, double rtol) {
  return std::make_unique<Simulator>(model, std::move(pieces), rtol);
}

}  // namespace kinetune::simulate
