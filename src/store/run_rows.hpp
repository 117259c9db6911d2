#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace kinetune::store {

inline constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

/// Attributes of a run file.
struct RunHeader {
  std::string kinetune_version = {};
  std::string command_line = {};
  std::string study = {};  ///< the study that was run, YAML
  std::uint64_t seed = 0;
  std::string inputs_checksum = {};
  std::string start_time = {};  ///< ISO 8601, UTC
  std::string end_time = {};    ///< empty until the study has finished
};

/// One estimated parameter. Bounds and nominal value are on the parameter's scale.
struct ParameterRow {
  std::string id = {}, name = {};
  std::string scale = {};  ///< lin, log or log10
  double lower_bound = not_a_number, upper_bound = not_a_number;
  double nominal = not_a_number;  ///< NaN where the problem gives none
};

/// Where a local optimisation began.
struct StartRow {
  std::uint64_t id = 0;
  std::string source = {};      ///< what drew it: a sampler, or a generator and its round
  std::vector<double> x0 = {};  ///< (n_x), parameter scale
  double f0 = not_a_number;     ///< NaN where it could not be computed
  std::uint64_t n_redraws = 0;  ///< how often x0 was drawn anew because the objective failed there
};

enum class StartStatus : std::int8_t {
  converged,      ///< a convergence test was met
  limit_reached,  ///< iterations, evaluations or time ran out
  stalled,        ///< no further progress was possible, and no convergence test was met
  stopped,        ///< by an observer or by the user
  failed,         ///< there is no result: x, fval and gradient_norm are NaN
};

/// How a local optimisation ended.
struct ResultRow {
  std::uint64_t start_id = 0;
  std::vector<double> x = {};  ///< (n_x), parameter scale
  double fval = not_a_number, fval0 = not_a_number;
  double gradient_norm = not_a_number;
  StartStatus status = StartStatus::failed;
  std::string message = {};    ///< the optimiser's reason for ending, or that of the failure
  std::string condition = {};  ///< where a failure happened; empty if nowhere in particular
  double time = not_a_number;  ///< model time of the failure; NaN if there was none
  std::uint64_t n_iterations = 0, n_fval = 0, n_grad = 0, n_hess = 0, n_fallback = 0;
  double wall_seconds = not_a_number, cpu_seconds = not_a_number;
  std::uint64_t rank = 0;
};

/// One iterate of a local optimisation.
struct TraceRow {
  std::uint64_t iteration = 0, n_fval = 0;
  double seconds = not_a_number;  ///< since the start began
  double fval = not_a_number, gradient_norm = not_a_number;
  std::vector<double> x = {};  ///< (n_x), parameter scale
};

/// What one MPI rank did in one session; a run that is resumed has several sessions.
struct RankRow {
  std::uint64_t session = 0, rank = 0;
  std::string host = {};
  double busy_seconds = not_a_number, idle_seconds = not_a_number;
  std::uint64_t n_starts = 0;
};

/// One measurement beside what the best start predicts for it.
struct FitRow {
  std::string observable_id = {}, condition_id = {}, preequilibration_condition_id = {};
  double time = not_a_number, measurement = not_a_number, simulation = not_a_number, sigma = not_a_number;
  std::string transformation;  ///< lin, log or log10: the scale that sigma is on
};

/// One point of a curve drawn through the measurements.
struct CurveRow {
  std::string observable_id = {}, condition_id = {};
  double time = not_a_number, simulation = not_a_number;
};

}  // namespace kinetune::store
