#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "parallel/mpi_session.hpp"

namespace kinetune::parallel {

/// True once the queue is to be left; a long task asks now and then (asking is cheap) and gives up.
using StopCheck = std::function<bool()>;

/// Does one task in the main thread of some rank and returns its result; nothing if it was given up.
using Work = std::function<std::optional<std::string>(std::uint64_t task, const StopCheck&)>;

/// What rank 0 does beside its work. All of it is called from one thread, which is not the main thread.
struct QueueHooks {
  std::function<void(std::uint64_t task, int rank, std::string result)> on_result;
  std::function<void()> on_tick = {};         ///< now and then: progress, commits
  std::function<bool()> stop_requested = {};  ///< asked often: a signal has come, time is up
  std::chrono::milliseconds tick{200};
};

struct RankUsage {
  int rank = 0;
  std::string host = {};
  double busy_seconds = 0;  ///< wall time in the work function
  double idle_seconds = 0;  ///< the rest of the wall time in run_tasks
  std::uint64_t n_tasks = 0;
};

struct QueueReport {
  std::vector<std::uint64_t>
      not_done;                  ///< in the order given; empty unless the queue was stopped or work gave up
  std::vector<RankUsage> ranks;  ///< by rank
};

/// Lets all ranks do the tasks, each task once. Every rank computes in its main thread; rank 0 coordinates
/// from a light thread besides. Collective; returns on all ranks when the last task has ended, or soon after
/// a stop request: then the tasks at work end as their work function likes, and no further one begins.
///
/// An exception in the work or in a hook ends the job: with one rank it comes out of this function, with
/// several it is printed with its rank and task and MPI is aborted, since the others could not be reached
/// otherwise.
///
/// @param tasks  on rank 0, different ids, handed out in this order (so the longest first); ignored elsewhere
/// @param hooks  used on rank 0
/// @return on rank 0; empty elsewhere
QueueReport run_tasks(MpiSession&, std::span<const std::uint64_t> tasks, const Work&,
                      const QueueHooks& hooks);

}  // namespace kinetune::parallel
