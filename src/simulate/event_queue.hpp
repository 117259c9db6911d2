#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "simulate/switch_values.hpp"

namespace kinetune::simulate {

/// The events of a running simulation, as SBML Level 3 Version 2 describes them (section 4.12). What the
/// standard leaves open is fixed: of events that are due at once, those without a priority come last, and
/// equals in the order in which they were triggered, then in that of the model.
class EventQueue {
 public:
  /// @param model  must outlive the queue
  explicit EventQueue(const jit::CompiledModel& model);

  /// One occurrence of an event, from its trigger to its execution.
  struct Occurrence {
    int event;
    long number;  ///< of all that were triggered
  };
  /// What the last note_triggers() has made of the occurrences.
  struct Notes {
    std::vector<Occurrence> triggered, taken_back;
  };
  struct Execution {
    Occurrence occurrence;
    std::vector<double> values;  ///< (n_targets) assigned, before the factors
  };
  struct Pending {
    Occurrence occurrence;
    double time;
    bool after;                  ///< triggered only after its time, and so to be executed
    std::vector<double> values;  ///< of the assignments; empty if taken at execution
  };

  /// What has happened so far, as far as it counts for what comes.
  struct State {
    std::vector<char> holds;       ///< (n_events) whether the trigger held when last looked at
    std::vector<Pending> pending;  ///< in the order of triggering
    long n_triggered = 0;
    std::uint64_t n_draws = 0;
  };
  /// Before a simulation: nothing is pending, triggers are what they were just before the start.
  void restart();
  /// Goes on from where a queue of the same model was.
  void resume(const State& state) { state_ = state; }
  const State& state() const { return state_; }

  /// Looks which triggers hold now, by the prelude's switches. Those that have begun to hold make their
  /// events pending; those that have ceased take back what is not persistent.
  const Notes& note_triggers(double t, const double* x, const double* prelude, Moment);

  /// When the next pending event is to be executed; infinity if there is none.
  double next_time() const;

  /// Executes the one event that comes first among those that are due.
  /// @param x  (n_states) changed
  /// @returns nothing if none is due
  std::optional<Execution> execute_next(double t, double* x, const double* prelude, Moment);

 private:
  void trigger(int event, double t, const double* x, const double* prelude, Moment);
  bool is_due(const Pending&, double t, Moment) const;
  double priority(const Pending&, double t, const double* x, const double* prelude);
  std::size_t draw(std::size_t n);
  Execution assign(Pending, double t, double* x, const double* prelude);

  const jit::CompiledModel& model_;
  State state_;
  std::vector<double> triggers_;   // (n_events)
  std::vector<double> evaluated_;  // of one event's kernel
  Notes notes_;
};

}  // namespace kinetune::simulate
