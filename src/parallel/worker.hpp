#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "parallel/slots.hpp"
#include "parallel/work_queue.hpp"

namespace kinetune::parallel {

/// What a worker sees of the coordinator.
class WorkerPort {
 public:
  virtual ~WorkerPort() = default;
  /// Sleeps until there is a task. Nothing: the queue is over.
  virtual std::optional<std::uint64_t> next_task() = 0;
  /// The same without sleeping; nothing also where there is no task yet.
  virtual std::optional<std::uint64_t> task_at_hand() = 0;
  virtual void deliver(Ended) = 0;
  /// Cheap enough to be asked between any two evaluations.
  virtual bool stopping() = 0;
};

/// Does tasks until the queue is over, or helps the rank that does. What the work throws comes out as
/// std::runtime_error that names the task.
RankUsage work_off(WorkerPort&, const Work&, const SideBySide&, const Crew&, const MpiSession&);

}  // namespace kinetune::parallel
