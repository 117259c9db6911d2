#pragma once

#include <expected>
#include <map>
#include <span>
#include <vector>

#include "jit/compiled_model.hpp"
#include "simulate/constraints.hpp"
#include "simulate/event_queue.hpp"
#include "simulate/row_update.hpp"

namespace kinetune::simulate {

/// How quantities change with states and parameters at a given time, and how with that time.
struct Change {
  std::vector<RowUpdate::Row> rows;
  std::vector<double> pace;  ///< d/dt along the trajectory
};

/// What the jumps of a simulation do to its sensitivities S.
///
/// A time t* that moves with states and parameters, where a switch's argument g is zero, has the motion
/// dt*/dp = -(g_x S + g_p) / (g_t + g_x f). Where rates jump there from f- to f+ and states from x to h(t, x,
/// p), S+ = h_x (S- + f- dt*/dp) + h_t dt*/dp + h_p - f+ dt*/dp. The motions of times, and values
/// that a delayed event brings along from its trigger, are further rows beside those of the states, so that
/// each jump is a RowUpdate. A switch whose argument jumps with another switch follows it: it changes at that
/// one's time, whatever its own argument's derivatives. Of jumps at one time each counts by itself, in the
/// order in which they happen: if their times move apart, the derivatives are those of that order.
class JumpRecorder {
 public:
  /// @param model  must outlive the recorder
  explicit JumpRecorder(const jit::CompiledModel& model);

  static constexpr int none = -1;  ///< no row: of a time that does not move

  /// An event from its trigger to its execution.
  struct Pending {
    int motion;               ///< row, of its time; none: it does not move
    std::vector<int> values;  ///< rows, of targets; empty if taken at execution
  };
  /// The time at which a switch changes.
  struct SwitchMotion {
    int row = none;        ///< none: it does not move, or nobody has asked yet
    bool follows = false;  ///< another switch, whose motion it has
  };
  /// What rows are in use, and for what.
  struct State {
    std::map<long, Pending> pending;  ///< by the number of the occurrence
    std::vector<int> free_rows;
    std::vector<int> passing_rows;               ///< of this moment alone
    std::vector<SwitchMotion> motion_of_switch;  ///< (n_switches) of those of this moment
    int n_rows = 0;
  };

  /// Before a simulation.
  /// @param active  as in Segment; must live as long as the simulation
  void restart(std::span<const int> active);
  /// Goes on from where a recorder of the same model was.
  void resume(const State&, std::span<const int> active);
  const State& state() const { return state_; }

  /// Remembers what is about to change.
  void hold(const double* x, std::span<const double> prelude);
  /// Switches have changed on their own since hold(), and with them states that constraints determine.
  /// @param prelude  with the switches as they have become
  /// @returns false where a time that matters has no motion: its argument only touches zero
  bool switches_changed(double t, std::span<const double> prelude, std::vector<RowUpdate>& updates);
  /// An event has been executed since hold(), and switches may have followed it.
  void executed(const EventQueue::Execution&, double t, const double* x, std::span<const double> prelude,
                std::vector<RowUpdate>& updates);
  /// Triggers have been noted, since restart(), switches_changed() or executed(): these are their causes.
  void noted(const EventQueue::Notes&, double t, const double* x, std::span<const double> prelude,
             std::vector<RowUpdate>& updates);
  /// All that happens at this time has happened.
  void end_moment();

 private:
  int new_row();
  void release(const Pending&);
  Change change_of_switches(double t, const double* x);
  void find_followers(std::size_t k, double t, const double* x);
  bool give_motion(std::size_t k, const Change&, std::vector<RowUpdate>& updates);
  Change change_of_event(int event, double t, const double* x, std::span<const double> prelude);
  RowUpdate shift(int motion) const;
  void add_pending(const EventQueue::Occurrence&, double t, const double* x, std::span<const double> prelude,
                   std::vector<RowUpdate>& updates);

  const jit::CompiledModel& model_;
  std::span<const int> active_;
  Constraints constraints_;
  std::vector<double> held_prelude_, held_x_;
  std::vector<double> derivatives_, from_, to_;       // from_, to_: rates (n_states) before and after a jump
  std::vector<double> triggers_, triggers_before_;    // (n_events)
  std::vector<int> cause_;                            // (n_events) rows of motions
  std::vector<double> arguments_, arguments_before_;  // (n_switches)
  std::vector<std::size_t> followers_;                // switches
  State state_;
};

}  // namespace kinetune::simulate
