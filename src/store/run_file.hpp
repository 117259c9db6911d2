#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "store/durable_file.hpp"
#include "store/run_rows.hpp"

namespace kinetune::store {

/// The version of the layout below; a reader may rely on it. New groups do not change it, changed columns do.
inline constexpr std::uint64_t run_format_version = 2;

/// The file of one study, `run.h5`. It can be read with h5py at any time, also while the study runs. Every
/// column has an attribute `description`, and `unit` where there is one. Rows with the same index in one
/// group belong together.
///
// clang-format off
///   /            attributes format_version, kinetune_version, command_line, study (YAML), seed,
///                inputs_checksum, start_time, end_time (ISO 8601, UTC; "" until the study has finished)
///   /problem     one row a parameter: parameter_ids, parameter_names, scales (lin, log, log10), lower_bounds,
///                upper_bounds, nominal; numbers on the parameter's scale
///   /starts      one row a start: id, source, x0 (n, n_x), f0, n_redraws
///   /results     one row a finished start, in the order of finishing: start_id, x (n, n_x), fval, fval0,
///                gradient_norm, status (an HDF5 enumeration with StartStatus' names), message, condition,
///                time, n_iterations, n_fval, n_grad, n_hess, n_fallback, wall_seconds, cpu_seconds, rank
///   /trace       ragged: start_id, offset, length say which rows of iteration, n_fval, seconds, fval,
///                gradient_norm, x (N, n_x) are the iterates of a start
///   /ranks       one row a rank and session: session, rank, host, busy_seconds, idle_seconds, n_starts
///   /fit         one row a measurement, for the best start: observable_id, condition_id,
///                preequilibration_condition_id, time, measurement, simulation, sigma, transformation
///   /fit/curves  observable_id, condition_id, time, simulation
// clang-format on
///
/// This is the one writer; see DurableFile for what a commit promises. One thread at a time.
class RunFile {
 public:
  /// @throws core::Error when the file exists and may not be overwritten, or cannot be written
  static RunFile create(const std::filesystem::path&, Overwrite, const RunHeader&,
                        std::span<const ParameterRow>);
  /// Goes on with a file of this layout. That it is the same study is for the caller to check
  /// (inputs_checksum).
  /// @throws core::Error when it is no run file, of another version, or another process writes it
  static RunFile resume(const std::filesystem::path&);
  RunFile(RunFile&&) noexcept;
  ~RunFile();

  const RunHeader& header() const;
  /// Replaces the header: for what changes when a study is resumed or ends.
  void set_header(const RunHeader&);

  bool has_start(std::uint64_t id) const;
  bool has_result(std::uint64_t id) const;
  /// Each start once.
  void add_start(const StartRow&);
  /// Each start once; it need not have been added. `trace` may be empty.
  void add_result(const ResultRow&, std::span<const TraceRow> trace);
  /// Of this session; `session` is filled in.
  void add_ranks(std::vector<RankRow>);
  /// Replaces what /fit holds.
  void set_fit(std::span<const FitRow>, std::span<const CurveRow>);

  /// Makes durable what was added since the last commit that succeeded.
  std::expected<void, CommitFailure> commit();

 private:
  struct Impl;
  explicit RunFile(std::unique_ptr<Impl>);
  std::unique_ptr<Impl> impl_;
};

}  // namespace kinetune::store
