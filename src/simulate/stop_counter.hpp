#pragma once

#include <limits>
#include <optional>

#include "simulate/integrator.hpp"

namespace kinetune::simulate {

/// Notices when jumps of a segment follow each other without end, or cost too much.
class StopCounter {
 public:
  explicit StopCounter(const Segment& segment)
      : last_(segment.start),
        standstill_(1e-9 * (segment.end - segment.start)),
        most_steps_(segment.most_steps > 0 ? segment.most_steps : std::numeric_limits<long>::max()) {}

  /// Before another jump is gone for.
  /// @param n_steps  so far, of the segment; counts where the segment limits them
  std::optional<IntegrationFailure> failure(double t, long n_steps) {
    in_place_ = t - last_ <= standstill_ ? in_place_ + 1 : 0;
    last_ = t;
    ++total_;
    if (in_place_ > max_in_place || total_ > max_total)
      return IntegrationFailure{IntegrationError::endless_events, t};
    if (n_steps + total_ > most_steps_) return IntegrationFailure{IntegrationError::too_many_steps, t};
    return {};
  }

 private:
  static constexpr int max_in_place = 1000;
  static constexpr int max_total = 200000;

  double last_, standstill_;
  long most_steps_;
  int in_place_ = 0, total_ = 0;
};

}  // namespace kinetune::simulate
