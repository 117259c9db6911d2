#pragma once

#include <span>
#include <vector>

#include "jit/compiled_model.hpp"

namespace kinetune::simulate {

/// A point of a trajectory at which the rates jump from f- to f+ while the states go on, at a time t* that
/// moves with states and parameters: where g(t, x, p) = 0. Sensitivities jump there by (f- - f+) dt*/dp, with
/// dt*/dp = -(g_x S + g_p) / (g_t + g_x f-).
struct Kink {
  double pace;                       ///< g_t + g_x f-
  std::vector<double> difference;    ///< (n_states) f- - f+
  std::vector<double> by_state;      ///< (n_states) g_x
  std::vector<double> by_parameter;  ///< (n_active) g_p

  /// @param sensitivities  (n_states, n_active) row-major
  void carry(std::span<double> sensitivities) const;
  /// @param adjoint   (n_states)
  /// @param gradient  (n_active) is added to
  void carry_back(std::span<double> adjoint, std::span<double> gradient) const;
};

/// Finds the kinks of a time from the switches that have changed.
class KinkFinder {
 public:
  /// @param model  must outlive the finder
  explicit KinkFinder(const jit::CompiledModel& model);

  /// @param held     (n_switches) before
  /// @param prelude  with the switches as they have become
  /// @param active   differentiated parameters; -1: none
  /// @returns false where a time does not depend smoothly on states and parameters: an argument that only
  /// touches
  ///          its bound
  bool find(double t, const double* x, std::span<const double> held, std::span<const double> prelude,
            std::span<const int> active, std::vector<Kink>& kinks);

 private:
  Kink kink_of(int k, std::span<const double> rates_before, std::span<const int> active) const;

  const jit::CompiledModel& model_;
  std::vector<double> prelude_, gradients_, before_, from_, to_;  // before_, from_, to_: rates (n_states)
};

}  // namespace kinetune::simulate
