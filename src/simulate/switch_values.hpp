#pragma once

#include <vector>

#include "jit/compiled_model.hpp"

namespace kinetune::simulate {

/// Whether two times are the same but for rounding.
bool is_same_time(double a, double b);

/// At which instant of a time something is looked at: a condition such as t <= 5 holds at 5, but not after.
enum class Moment {
  crossing,  ///< a time that has just been reached: where an argument has changed its sign, it is 0
  at,        ///< a time at which a simulation starts
  within,    ///< the same time as the last, once what happens there has begun
  after,     ///< any time later: what the clock drives has gone on
};

/// Gives a model's switches their values as a simulation goes on.
class SwitchValues {
 public:
  /// @param model  must outlive the object
  explicit SwitchValues(const jit::CompiledModel& model);

  /// @param prelude  its switches are set, from what they were
  void update(double t, const double* x, Moment, double* prelude);
  /// Arguments (n_switches) at the last update: what values depend on, besides those that are held.
  const std::vector<double>& arguments() const { return arguments_; }
  void resume(const std::vector<double>& arguments) { arguments_ = arguments; }
  /// When the clock drives a switch from the value that it has after time t, as of the last update; infinity
  /// if never.
  double next_time(double t, const double* prelude) const;

 private:
  double value(std::size_t k, double t, Moment, double held, double argument_before) const;
  double clock_value(std::size_t k, double t, Moment) const;
  double time_of(std::size_t k, double argument) const { return (argument - at_zero_[k]) / slopes_[k]; }

  const jit::CompiledModel& model_;
  bool has_clock_;
  // (n_switches) before_, at_zero_: arguments at the last update, at time 0
  std::vector<double> held_, arguments_, before_, at_zero_, slopes_;
};

}  // namespace kinetune::simulate
