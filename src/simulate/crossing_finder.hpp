#pragma once

#include <array>
#include <functional>
#include <optional>
#include <vector>

#include "jit/compiled_model.hpp"

namespace kinetune::simulate {

/// Finds where, within a step of an integrator, a switch that the course of the states drives leaves the
/// value that is held. It looks at several points of a step and where an argument comes close to its bound,
/// so that an excursion within a step is not missed as long as the interpolated course has one extremum
/// between points. Between two points no argument of sin, cos or tan in a switch's argument turns by more
/// than an eighth of pi.
class CrossingFinder {
 public:
  /// @param model  must outlive the finder
  explicit CrossingFinder(const jit::CompiledModel& model);

  /// Whether there is anything to look for.
  bool watches() const { return !watched_.empty(); }
  /// Before a piece in which nothing is known to jump.
  void restart() { n_stretches_ = 0; }
  /// Whether a piece had so many waves that the last call of first() did not look at all of its step.
  bool is_exhausted() const { return n_stretches_ >= max_stretches; }
  /// What a step should not exceed; 0: anything.
  double longest_step(double duration) const;

  /// @param prelude   with the switches that are held
  /// @param state_at  the states (n_states) at a time of the step, valid until it is called again
  /// @returns a time in (from, to] at which some switch has changed, a few roundings behind one at which none
  /// has
  std::optional<double> first(double from, double to, const double* prelude,
                              const std::function<const double*(double)>& state_at);

 private:
  static constexpr int n_samples = 5;  // of a stretch of a step, both ends among them
  static constexpr long max_stretches = 1'000'000;

  struct Step {
    const double* prelude;
    const std::function<const double*(double)>& state_at;
  };

  std::optional<double> first_in(double from, double to, const Step&);
  double stretches_for_waves(double from, double to, const Step&);
  bool is_changed(double t, const Step&, std::vector<double>& arguments);
  bool is_rounding(int k, double t, double argument, const Step&);
  double distance(int k, double argument, const double* prelude) const;
  double locate(double from, double to, double longest, const Step&);
  std::optional<double> dip(int last, const std::array<double, n_samples>& times, const Step&);
  std::optional<double> minimum(int k, double from, double to, const Step&);

  const jit::CompiledModel& model_;
  std::vector<int> watched_;
  bool has_wave_ = false;
  long n_stretches_ = 0;                                // that were looked at since restart()
  std::array<std::vector<double>, n_samples> samples_;  // arguments at the points of the step
  std::vector<double> arguments_;
  std::vector<double> phases_, phases_before_;
  std::vector<double> derivatives_;  // of the arguments
};

}  // namespace kinetune::simulate
