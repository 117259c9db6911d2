#pragma once

#include <expected>
#include <optional>
#include <span>
#include <vector>

#include "jit/compiled_model.hpp"
#include "simulate/row_update.hpp"

namespace kinetune::simulate {

/// The equations 0 = g(y, x, p, t) that determine states where a simulation starts and where something jumps;
/// in between the rates of these states keep them true.
///
/// A solution is looked for from the value that the state has: by Newton's method with steps shortened until
/// the residual decreases, and where that ends beside a solution, for the change of sign that is closest.
class Constraints {
 public:
  /// @param model  must outlive the object
  explicit Constraints(const jit::CompiledModel& model);

  bool exist() const { return !model_.code().constraints.empty(); }

  /// Remembers the residuals, for touched().
  void hold(double t, const double* x, const double* prelude);
  /// Whether something since hold() has changed a residual.
  bool touched(double t, const double* x, const double* prelude);

  /// Sets the states in x that equations determine, at the prelude's switches.
  /// @returns whether one has moved; the state for whose equation no solution was found, or one at which its
  /// derivative by the state vanishes
  std::expected<bool, int> solve(double t, double* x, const double* prelude);

  /// A state whose equation does not hold, to a share of its terms; nothing if all do.
  std::optional<int> violated(double t, const double* x, const double* prelude, double share);

  /// What a solution does to sensitivities, one update a constraint: by the implicit function theorem
  /// dy/dp = -(g_x dx/dp + g_p) / g_y.
  /// @param active  as in Segment
  void append_updates(double t, const double* x, const double* prelude, std::span<const int> active,
                      std::vector<RowUpdate>& updates);

 private:
  struct Value {
    double y, residual, size, slope;
  };
  struct Place;

  Value look(const Place&, double y);
  Value descend(const Place&, Value from);
  bool find_sign_change(const Place&, Value from, Value& found);
  bool halve(const Place&, Value a, Value b, Value& found);

  const jit::CompiledModel& model_;
  std::vector<double> values_, held_, derivatives_;  // as the kernels give them
};

}  // namespace kinetune::simulate
