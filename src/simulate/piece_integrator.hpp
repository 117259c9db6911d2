#pragma once

#include "simulate/delay_history.hpp"
#include "simulate/integrator.hpp"

namespace kinetune::simulate {

/// A method for smooth systems: what an Integrator is, for pieces of segments in which nothing jumps.
class PieceIntegrator {
 public:
  virtual ~PieceIntegrator() = default;

  /// As Integrator::forward. The prelude's switches are set, and held.
  /// @returns the time reached: the piece's end, or just past the point where a switch that the states drive
  ///          leaves its value; then the sink has received the times before, and x is there
  virtual std::expected<double, IntegrationFailure> forward(const Segment& piece, Mode, std::span<double> x,
                                                            std::span<double> sensitivities,
                                                            std::span<const double> times, Sink&) = 0;
  /// As Integrator::backward, over the last piece.
  virtual std::expected<void, IntegrationFailure> backward(std::span<double> adjoint,
                                                           std::span<double> gradient) = 0;
  virtual void clear_tape() = 0;
  /// The past of the simulation, which the pieces add to and the caller restarts.
  virtual DelayHistory& history() = 0;
  virtual Statistics take_statistics() = 0;
};

}  // namespace kinetune::simulate
