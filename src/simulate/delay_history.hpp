#pragma once

#include <vector>

#include "jit/compiled_model.hpp"

namespace kinetune::simulate {

/// The past of a simulation, for models with delays: the interpolating polynomials of all steps. It keeps
/// those states up to date that stand for delayed values (the last ones).
class DelayHistory {
 public:
  /// @param model  must outlive the history
  explicit DelayHistory(const jit::CompiledModel& model);

  bool is_needed() const { return n_delays_ > 0; }

  /// Forgets everything; before the start quantities are what the model's initial values say.
  /// @param x  (n_states) at the start
  void restart(double start, const double* x, const double* prelude);
  struct Step {
    double from, to;
    std::size_t first;  ///< of its derivatives
    int order;
  };
  struct State {
    double start = 0;
    std::vector<Step> steps;
    std::vector<double> derivatives;
  };
  /// Goes on from where a history of the same model was.
  void resume(const State&, const double* prelude);
  const State& state() const { return state_; }

  /// Adds a step.
  /// @param derivatives  (order + 1, n_states) at its end, by time
  void add(double from, double to, std::span<const double> derivatives);

  /// Adds an instant at which the states jump.
  void add_jump(double t, const double* x);

  /// Sets the delayed states of x. Times behind the last step are extrapolated.
  void fill(double t, double* x) { fill_first(n_delays_, t, x); }

  /// The shortest lag that is not 0; infinity if there is none.
  double shortest_lag(double t, const double* x);
  /// When delays look at what happens at time t, as far as their lags are constant, is added to `times`.
  void add_echoes(double t, const double* x, std::vector<double>& times);

 private:
  /// What is needed while a delay looks back.
  struct Scratch {
    std::vector<double> lags, values, x;
  };

  void fill_first(int n, double t, double* x);
  double value_at(int k, double t, double lag, const double* x, Scratch&);
  void states_at(double t, double* x) const;

  const jit::CompiledModel& model_;
  int n_states_, n_delays_;
  const double* prelude_ = nullptr;
  State state_;
  std::vector<Scratch> scratch_;  // by number of delays that are still to be filled
};

}  // namespace kinetune::simulate
