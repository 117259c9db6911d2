#pragma once

#include "store/row_table.hpp"
#include "store/run_rows.hpp"

// The columns of a run file, declared once for writing and reading. run_file.hpp tells users about them.
namespace kinetune::store {

inline const std::vector<std::string> status_labels{"converged", "limit_reached", "stalled", "stopped",
                                                    "failed"};

inline auto parameter_table() {
  using R = ParameterRow;
  using enum ElementType;
  return RowTable(
      Field{&R::id,
            {"/problem/parameter_ids", text, "ids of the estimated parameters, in the order of every x"}},
      Field{&R::name, {"/problem/parameter_names", text, "names for people"}},
      Field{&R::scale, {"/problem/scales", text, "scale of the parameter in every x: lin, log or log10"}},
      Field{&R::lower_bound, {"/problem/lower_bounds", float64, "lower bounds", "parameter scale"}},
      Field{&R::upper_bound, {"/problem/upper_bounds", float64, "upper bounds", "parameter scale"}},
      Field{&R::nominal,
            {"/problem/nominal", float64, "nominal values, NaN if not given", "parameter scale"}});
}

inline auto start_table(std::uint64_t n_x) {
  using R = StartRow;
  using enum ElementType;
  return RowTable(
      Field{&R::id, {"/starts/id", uint64, "number of the start; it and the seed determine x0"}},
      Field{&R::source, {"/starts/source", text, "the sampler, or generator and round, that drew it"}},
      Field{&R::x0, {"/starts/x0", float64, "start vectors", "parameter scale", {n_x}}},
      Field{&R::f0, {"/starts/f0", float64, "objective at x0, NaN if it could not be computed"}},
      Field{&R::n_redraws,
            {"/starts/n_redraws", uint64, "how often x0 was drawn anew because the objective failed there"}});
}

inline auto result_table(std::uint64_t n_x) {
  using R = ResultRow;
  using enum ElementType;
  return RowTable(
      Field{&R::start_id, {"/results/start_id", uint64, "the start (/starts/id) that ended"}},
      Field{&R::x,
            {"/results/x", float64, "final vectors, NaN if the start failed", "parameter scale", {n_x}}},
      Field{&R::fval, {"/results/fval", float64, "objective at x, NaN if the start failed"}},
      Field{&R::fval0, {"/results/fval0", float64, "objective at the start vector"}},
      Field{&R::gradient_norm,
            {"/results/gradient_norm", float64,
             "infinity norm at x of the projected gradient, by the parameters on their scale"}},
      Field{&R::status, {"/results/status", category, "how the optimisation ended", "", {}, status_labels}},
      Field{&R::message, {"/results/message", text, "the optimiser's or the failure's reason"}},
      Field{&R::condition, {"/results/condition", text, "simulation condition of the failure"}},
      Field{&R::time, {"/results/time", float64, "time of the failure, NaN if none", "model time unit"}},
      Field{&R::n_iterations, {"/results/n_iterations", uint64, "iterations of the optimiser"}},
      Field{&R::n_fval, {"/results/n_fval", uint64, "evaluations of the objective"}},
      Field{&R::n_grad, {"/results/n_grad", uint64, "evaluations of the gradient"}},
      Field{&R::n_hess, {"/results/n_hess", uint64, "evaluations of the Hessian approximation"}},
      Field{&R::n_fallback,
            {"/results/n_fallback", uint64,
             "evaluations whose value is in part another method's, where the study's failed"}},
      Field{&R::wall_seconds, {"/results/wall_seconds", float64, "wall time of the start", "s"}},
      Field{&R::cpu_seconds, {"/results/cpu_seconds", float64, "CPU time of the start", "s"}},
      Field{&R::rank, {"/results/rank", uint64, "MPI rank that ran it"}});
}

/// Where a start's iterates lie in the flat columns of /trace.
struct TraceIndexRow {
  std::uint64_t start_id, offset, length;
};

inline auto trace_index_table() {
  using R = TraceIndexRow;
  using enum ElementType;
  return RowTable(
      Field{&R::start_id, {"/trace/start_id", uint64, "the start whose iterates are offset..offset+length"}},
      Field{&R::offset, {"/trace/offset", uint64, "its first row in iteration, n_fval, seconds, fval, ..."}},
      Field{&R::length, {"/trace/length", uint64, "its number of rows there"}});
}

inline auto trace_table(std::uint64_t n_x) {
  using R = TraceRow;
  using enum ElementType;
  return RowTable(
      Field{&R::iteration, {"/trace/iteration", uint64, "iteration of the optimiser"}},
      Field{&R::n_fval, {"/trace/n_fval", uint64, "evaluations of the objective so far"}},
      Field{&R::seconds, {"/trace/seconds", float64, "wall time since the start began", "s"}},
      Field{&R::fval, {"/trace/fval", float64, "objective"}},
      Field{&R::gradient_norm, {"/trace/gradient_norm", float64, "infinity norm of the projected gradient"}},
      Field{&R::x, {"/trace/x", float64, "iterates", "parameter scale", {n_x}}});
}

inline auto rank_table() {
  using R = RankRow;
  using enum ElementType;
  return RowTable(
      Field{&R::session,
            {"/ranks/session", uint64, "0 for the first session, one more for each resumed one"}},
      Field{&R::rank, {"/ranks/rank", uint64, "MPI rank"}},
      Field{&R::host, {"/ranks/host", text, "its machine"}},
      Field{&R::busy_seconds, {"/ranks/busy_seconds", float64, "wall time at work", "s"}},
      Field{&R::idle_seconds, {"/ranks/idle_seconds", float64, "wall time waiting for work", "s"}},
      Field{&R::n_starts, {"/ranks/n_starts", uint64, "starts it finished"}});
}

inline auto fit_table() {
  using R = FitRow;
  using enum ElementType;
  return RowTable(
      Field{&R::observable_id, {"/fit/observable_id", text, "observable of the measurement"}},
      Field{&R::condition_id, {"/fit/condition_id", text, "its simulation condition"}},
      Field{&R::preequilibration_condition_id,
            {"/fit/preequilibration_condition_id", text, "its pre-equilibration condition, if any"}},
      Field{&R::time, {"/fit/time", float64, "its time", "model time unit"}},
      Field{&R::measurement, {"/fit/measurement", float64, "measured value"}},
      Field{&R::simulation, {"/fit/simulation", float64, "value at the best start's x"}},
      Field{&R::sigma, {"/fit/sigma", float64, "noise parameter at the best start's x"}},
      Field{&R::transformation, {"/fit/transformation", text, "scale that sigma is on: lin, log or log10"}});
}

inline auto curve_table() {
  using R = CurveRow;
  using enum ElementType;
  return RowTable(Field{&R::observable_id, {"/fit/curves/observable_id", text, "observable of the point"}},
                  Field{&R::condition_id, {"/fit/curves/condition_id", text, "its simulation condition"}},
                  Field{&R::time, {"/fit/curves/time", float64, "its time", "model time unit"}},
                  Field{&R::simulation, {"/fit/curves/simulation", float64, "value at the best start's x"}});
}

}  // namespace kinetune::store
