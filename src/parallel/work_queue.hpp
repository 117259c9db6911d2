#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "parallel/mpi_session.hpp"
#include "parallel/teams.hpp"

namespace kinetune::parallel {

/// True once the queue is to be left; a long task asks now and then (asking is cheap) and gives up.
using StopCheck = std::function<bool()>;

/// What a task has of the rank that does it.
class Slot {
 public:
  virtual ~Slot() = default;
  /// True once the queue is to be left; asked as a StopCheck is.
  virtual bool stopping() = 0;
  /// Leaves the thread to the rank's other tasks, until all of them wait, too, and have been served. When the
  /// job is lost meanwhile it throws, so that the task is unwound.
  virtual void wait() = 0;
  /// CPU time of the task so far, without what serving it has cost.
  virtual double cpu_seconds() const = 0;
};

/// Does one task in the main thread of some rank and returns its result; nothing if it was given up.
using Work = std::function<std::optional<std::string>(std::uint64_t task, Slot&)>;

/// How a rank does several tasks in turns, each on a stack of its own.
struct SideBySide {
  int n_slots = 1;  ///< tasks at once, at most; the same on all ranks
  /// Does what the tasks that wait have asked for, once all that are under way wait.
  std::function<void(const StopCheck&)> serve = [](const StopCheck&) {};
};

/// Why the queue is to be left: a signal has come, time is up. Empty: it is not.
using StopReason = std::function<std::string()>;

/// Ranks that do tasks together. How they share a task is the work function's own business.
struct Crew {
  Teams teams;
  /// On a rank that leads no team: helps its leader until that has no more tasks; asks StopCheck often, also
  /// while it waits. Returns the seconds that it was busy.
  std::function<double(const StopCheck&)> help;
  /// On a leader, when there are no more tasks for it.
  std::function<void()> dismiss;
  /// Seconds so far that a leader, at work, has waited for its team.
  std::function<double()> seconds_waited;

  /// Each rank for itself.
  static Crew of_one(int n_ranks);
};

/// A rank's tasks under way, as far as is known.
struct TasksAtWork {
  int rank;
  std::string host;
  std::vector<std::uint64_t> tasks;
};

/// What a rank does beside its work. On rank 0 all of it is called from one thread, which is not the main
/// thread. The other ranks use stop_reason and advice, in their main thread.
struct QueueHooks {
  std::function<void(std::uint64_t task, int rank, std::string result)> on_result = {};
  std::function<void()> on_tick = {};  ///< now and then: progress, commits
  StopReason stop_reason = {};         ///< asked often, on every rank; one is enough to stop all
  /// Once, when the queue is about to be left early: the job may be killed before the tasks at work have
  /// ended.
  std::function<void(const std::string& reason, const std::vector<TasksAtWork>&)> on_stop = {};
  std::chrono::milliseconds tick{200};
  std::string advice = {};  ///< what a user is told when the job goes down: how to go on
};

struct RankUsage {
  int rank = 0;
  std::string host = {};
  double busy_seconds = 0;  ///< wall time with tasks under way, without waiting for others
  double idle_seconds = 0;  ///< the rest of the wall time in run_tasks
  std::uint64_t n_tasks = 0;
  double task_cpu_seconds = 0;   ///< CPU time of the tasks themselves
  double serve_cpu_seconds = 0;  ///< and what serving them took
};

struct QueueReport {
  std::vector<std::uint64_t>
      not_done;                  ///< in the order given; empty unless the queue was stopped or work gave up
  std::vector<RankUsage> ranks;  ///< by rank
  std::string stopped_by;        ///< the stop reason; empty if there was none
};

/// Lets all ranks do the tasks, each task once. Every rank computes in its main thread; rank 0 coordinates
/// from a light thread besides. Collective; returns on all ranks when the last task has ended, or soon after
/// a stop request: then the tasks at work end as their work function likes, and no further one begins.
///
/// An exception in the work or in a hook ends the job: with one rank it comes out of this function, with
/// several it is printed with its rank, its task and the advice, and MPI is aborted, since the others could
/// not be reached otherwise. The same happens when a rank is not heard of for ten minutes, or does not stop
/// within one when it is told to: its launcher should have noticed that it died.
///
/// @param tasks  on rank 0, different ids, handed out in this order (the longest first where durations are
///               known); ignored elsewhere
/// @return on rank 0; empty elsewhere
QueueReport run_tasks(MpiSession&, std::span<const std::uint64_t> tasks, const Work&, const QueueHooks& hooks,
                      const Crew&, const SideBySide& = {});
/// The same, each rank for itself.
QueueReport run_tasks(MpiSession&, std::span<const std::uint64_t> tasks, const Work&, const QueueHooks& hooks,
                      const SideBySide& = {});

}  // namespace kinetune::parallel
