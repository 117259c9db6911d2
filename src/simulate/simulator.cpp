#include "simulate/simulator.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <variant>

#include "simulate/constraints.hpp"
#include "simulate/denormals.hpp"
#include "simulate/event_queue.hpp"
#include "simulate/jump_recorder.hpp"

namespace kinetune::simulate {
namespace {

constexpr int max_executions_at_once = 10000;
constexpr int max_passes = 100;  // of constraints and switches that look at each other

// Errors of integration stay below this many tolerances.
constexpr double most_drift = 1e3;

/// Notices when jumps follow each other without end.
class StopCounter {
 public:
  explicit StopCounter(const Segment& segment)
      : last_(segment.start), standstill_(1e-9 * (segment.end - segment.start)) {}

  bool is_endless(double t) {
    in_place_ = t - last_ <= standstill_ ? in_place_ + 1 : 0;
    last_ = t;
    return in_place_ > max_in_place || ++total_ > max_total;
  }

 private:
  static constexpr int max_in_place = 1000;
  static constexpr int max_total = 200000;

  double last_, standstill_;
  int in_place_ = 0, total_ = 0;
};

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
    if (mode == Mode::adjoint) tape_starts_.push_back(tape_.size());
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
    std::ranges::fill(more_rows_, 0.0);
    while (tape_.size() > first) {
      const TapeEntry entry = std::move(tape_.back());
      tape_.pop_back();
      if (const auto* update = std::get_if<RowUpdate>(&entry)) {
        make_room(*update, 1);
        update->carry_back({adjoint, more_rows_, 1}, gradient);
      } else if (const auto* cotangent = std::get_if<Cotangent>(&entry)) {
        for (std::size_t i = 0; i < cotangent->size(); ++i) adjoint[i] += (*cotangent)[i];
      } else if (const auto result = pieces_->backward(adjoint, gradient); !result) {
        return result;
      }
    }
    return {};
  }

  void clear_tape() override {
    tape_.clear();
    tape_starts_.clear();
    pieces_->clear_tape();
  }

  Statistics take_statistics() override { return pieces_->take_statistics(); }

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
    events_.restart();
    recorder_.restart(run_.segment.active);
    if (has_delays_) begin_history(t);
    Moment arrival = Moment::at;
    while (true) {
      if (const auto settled = settle(t, arrival); !settled) {
        return std::unexpected(settled.error());
      }
      if (!(t < end)) return {};
      arrival = Moment::crossing;
      if (stops.is_endless(t)) {
        return std::unexpected(IntegrationFailure{IntegrationError::endless_events, t});
      }
      const double stop = next_stop(t);
      if (is_same_time(t, stop)) {
        t = stop;
        continue;
      }
      const Result reached = integrate(t, stop);
      if (!reached) return std::unexpected(reached.error());
      t = *reached;
      if (const auto state = state_adrift(t))
        return std::unexpected(IntegrationFailure{IntegrationError::no_solution, t, *state});
    }
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
  Settled settle(double t, Moment arrival) {
    // The start is where it is, whatever the parameters.
    const Motion motion = arrival == Moment::at ? Motion::none : Motion::by_switches;
    if (const auto settled = settle_moment(t, arrival, motion); !settled) return settled;
    hand_out(t);
    const auto settled = settle_moment(t, Moment::after, motion);
    recorder_.end_moment();
    return settled;
  }

  void begin_history(double t) {
    echoes_.clear();
    pieces_->history().restart(t, run_.x.data(), prelude_.data());
    fill_delays(t);
    pieces_->history().add_echoes(t, run_.x.data(), echoes_);
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
    const bool is_start = moment == Moment::at;
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

  bool is_recording() const { return run_.mode != Mode::states; }

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
      make_room(update, n_active);
      update.carry({run_.sensitivities, more_rows_, n_active});
    }
    updates_.clear();
  }

  void make_room(const RowUpdate& update, std::size_t width) {
    const auto n_more = std::max(0, update.last_row() + 1 - model_.n_states());
    if (const std::size_t size = n_more * width; more_rows_.size() < size) more_rows_.resize(size);
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
  std::vector<double> more_rows_;  // of sensitivities or adjoints: Rows::more
  std::vector<TapeEntry> tape_;    // what happened, in order
  std::vector<std::size_t> tape_starts_;
};

}  // namespace

std::unique_ptr<Integrator> make_simulator(const jit::CompiledModel& model,
                                           std::unique_ptr<PieceIntegrator> pieces, double rtol) {
  return std::make_unique<Simulator>(model, std::move(pieces), rtol);
}

}  // namespace kinetune::simulate
