#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/ode_model.hpp"
#include "symbolic/expr.hpp"

namespace kinetune::jit {

/// Where a sparse matrix can be non-zero: compressed columns, rows ascending within a column.
struct Pattern {
  int n_rows = 0;
  int n_cols = 0;
  std::vector<int> column_starts;  ///< (n_cols + 1)
  std::vector<int> rows;           ///< (n_nonzeros)

  int n_nonzeros() const { return static_cast<int>(rows.size()); }
};

/// An observable to compile. Expressions over time, states, parameters of the flat model, and the
/// placeholders.
struct ObservableSource {
  symbolic::Expr value;
  symbolic::Expr noise;                      ///< standard deviation (or scale) of the noise
  std::vector<symbolic::Expr> placeholders;  ///< symbols whose values a measurement supplies
};

/// What is to be compiled.
struct ModelSource {
  model::FlatModel model;
  std::vector<ObservableSource> observables;
  std::vector<symbolic::Expr> outputs;  ///< further quantities to be read off a simulation
  std::vector<int> differentiated;  ///< indices of the parameters that derivatives are taken by, ascending
};

/// Order of an observable's derivatives behind its value and noise: each list holds the indices (of states,
/// of `differentiated` parameters, of placeholders) with a derivative that is not zero.
struct ObservableLayout {
  struct Gradient {
    std::vector<int> by_state, by_parameter, by_placeholder;
    std::size_t size() const { return by_state.size() + by_parameter.size() + by_placeholder.size(); }
  };
  int n_placeholders = 0;
  Gradient value, noise;
};

/// A place where rates or triggers jump or bend: a discrete function of an argument, held while integrating.
struct Switch {
  enum class Kind : std::uint8_t { sign, floor, ceil };  ///< the value, of the argument
  /// What makes the argument move between events.
  enum class Driver : std::uint8_t {
    nothing,  ///< it depends on parameters and on states that only events change
    clock,    ///< it is linear in time, with coefficients of that kind: its times can be solved for
    wave,     ///< time in another way, or a wave of states: it swings although the states may be smooth
    course    ///< the states
  };
  Kind kind = Kind::sign;
  Driver driver = Driver::course;
  /// Whether rates may jump where it changes, and not only their slopes.
  bool jumps = true;
  /// Whether the argument depends on states or on a differentiated parameter.
  bool by_parameter = true;

  /// The value for an argument; of what is no number, none.
  double value(double argument) const;
};

/// Derivatives of some quantities. A kernel gives those by time (n_rows), then by states and by
/// differentiated parameters in the order of these.
struct GradientLayout {
  Pattern by_state;      ///< (n_rows, n_states)
  Pattern by_parameter;  ///< (n_rows, n_differentiated)

  std::size_t size() const { return by_state.n_rows + by_state.rows.size() + by_parameter.rows.size(); }
};

/// What an event does. Its kernel gives {delay, priority, values, factors}; a target is set to
/// value times factor, and of values taken at trigger time the factors are taken at execution all the same.
struct EventLayout {
  std::string id;
  bool has_priority = false;
  bool initially_true = true;
  bool persistent = true;
  bool values_from_trigger_time = true;
  std::vector<int> targets;  ///< states
  /// Of what its kernel gives, without the priority; none without `differentiated`.
  GradientLayout derivatives;
};

/// How a matrix of first derivatives changes along a direction u of states and time: of its pattern those
/// entries that do, each a sum of second derivatives times components of u.
struct Contraction {
  Pattern pattern;
  std::vector<int> term_starts;  ///< (n_nonzeros + 1)
  std::vector<int> values;       ///< (n_terms) index into CompiledModel::second_derivatives
  std::vector<int> directions;   ///< (n_terms) index of a state; n_states: time

  int n_terms() const { return static_cast<int>(values.size()); }
};

/// What Rosenbrock methods need beside first derivatives.
struct Curvature {
  bool is_present = false;         ///< the code has the kernels
  std::vector<int> rates_by_time;  ///< rates that depend on time explicitly
  int n_values = 0;                ///< second derivatives
  Contraction by_state;            ///< of the Jacobian
  Contraction by_parameter;        ///< of the rates' derivatives by parameters
};

/// Native code of a model with all that is needed to call it; plain data that can be sent to another process.
/// It runs on processors that have what the compiling one has.
struct ModelCode {
  std::string cpu;                   ///< the processor it was made for, as LLVM names it
  std::vector<std::string> objects;  ///< relocatable object files
  int n_states = 0;
  int n_parameters = 0;
  int n_outputs = 0;
  int n_prelude = 0;  ///< doubles that depend on parameters alone, the parameters among them; then switches
  std::vector<int> differentiated;
  /// d rate / d state, (n_states, n_states), with the whole diagonal; none by delayed values.
  Pattern jacobian;
  Pattern rates_by_parameter;     ///< d rate / d differentiated parameter, (n_states, n_differentiated)
  Pattern initials_by_parameter;  ///< d initial value / d differentiated parameter, same shape
  std::vector<ObservableLayout> observables;
  std::vector<Switch> switches;       ///< their values are the prelude's last
  GradientLayout switch_derivatives;  ///< of their arguments
  int n_phases = 0;  ///< arguments of sin, cos and tan that move, in the arguments of switches that do
  std::vector<int> constraints;           ///< states that equations determine, in the order of solution
  GradientLayout constraint_derivatives;  ///< of their residuals
  std::vector<EventLayout> events;
  Curvature curvature;
  int n_delays = 0;     ///< the last states, which the integrator keeps up to date
  bool has_lu = false;  ///< whether factorisation and solves are written out for the Jacobian's pattern
  int lanes = 1;        ///< points that the lane kernels evaluate side by side; 1: there are none

  int first_switch() const { return n_prelude - static_cast<int>(switches.size()); }

  std::string to_bytes() const;
  /// @throws std::runtime_error when the bytes are not what to_bytes() made
  static ModelCode from_bytes(std::string_view);
};

enum class Derivatives {
  first,
  second  ///< for Rosenbrock methods; a model that has too many, or delays, gets none
};

struct CompileOptions {
  int max_operations_per_function =
      600;  ///< longer kernels are cut: code generation is worse than linear in length
  unsigned max_threads = 4;
  Derivatives derivatives = Derivatives::first;
  int max_second_derivatives = 200'000;  ///< terms of the contractions
  /// Above 1, kernels for so many points side by side are added, where the model can have them: it has second
  /// derivatives, nothing in it jumps, and it is not very large.
  int lanes = 1;
};

/// How many doubles this processor computes with at once: 8 (AVX-512), 4 (AVX2) or 1.
int host_lanes();

/// Derivatives on the expression graph, then LLVM code generation for this processor.
ModelCode compile(const ModelSource&, const CompileOptions& = {});

}  // namespace kinetune::jit
