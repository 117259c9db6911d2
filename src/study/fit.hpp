#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>

#include "parallel/mpi_session.hpp"
#include "store/durable_file.hpp"
#include "study/fit_options.hpp"

namespace kinetune::study {

/// A session of a multi-start study: its first, or one that goes on where an earlier one ended.
struct FitSession {
  FitOptions options;  ///< when resuming: those of the run file take their place
  std::filesystem::path output;
  enum class Begin { new_study, resume } begin = Begin::new_study;
  store::Overwrite overwrite = store::Overwrite::no;
  double max_seconds = std::numeric_limits<double>::infinity();  ///< wall time of this session
  /// Of the objective, by the finished starts of all sessions; the session ends when they are used up.
  std::uint64_t max_evaluations = std::numeric_limits<std::uint64_t>::max();
  std::optional<std::uint64_t> n_starts =
      {};  ///< when resuming: as many in all as this, not fewer than before
  /// Ranks that carry one start out together; nothing: more than one where there are more ranks than starts.
  std::optional<int> ranks_per_start = {};
  /// Starts that a rank carries out side by side; nothing: as many as fill its lanes. Above 1,
  /// ranks_per_start is not.
  std::optional<int> starts_per_rank = {};
  std::string command_line;
};

/// Refines all starts that the run file lacks, over all ranks. Collective.
/// @returns the program's exit code: 0 when the study is complete, 3 when it was stopped and can be resumed,
/// 1 when no
///          start succeeded
/// @throws parallel::SharedError for bad input, on all ranks, before anything is computed
int fit(parallel::MpiSession&, const FitSession&);

}  // namespace kinetune::study
