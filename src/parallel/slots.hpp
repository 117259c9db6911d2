#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "parallel/scheduler.hpp"
#include "parallel/work_queue.hpp"

namespace kinetune::parallel {

/// A task that a worker is through with.
struct Ended {
  std::uint64_t task;
  Scheduler::End end;
  std::string result = {};  ///< if it is done
};

/// The tasks that a rank does side by side, each in a fiber of its own.
class Slots {
 public:
  /// @param work, how  must outlive the object
  Slots(const Work& work, const SideBySide& how, StopCheck stop);
  ~Slots();  ///< tasks under way are unwound
  Slots(const Slots&) = delete;

  bool all_free() const { return at_work_.empty(); }
  bool has_free() const;
  void begin(std::uint64_t task);

  /// Lets each task go on until it waits or ends; where none ends, serves them.
  /// @returns those that have ended
  /// @throws std::runtime_error, which names the task, when one throws
  std::vector<Ended> go_on();

  // CPU time so far.
  double task_seconds() const { return task_seconds_; }
  double serve_seconds() const { return serve_seconds_; }

 private:
  class Place;

  void serve();
  void unwind();
  double take_seconds();

  const Work& work_;
  const SideBySide& how_;
  StopCheck stop_;
  std::vector<std::unique_ptr<Place>> at_work_;
  double clock_ = 0;  ///< CPU seconds of the thread, up to which all is accounted for
  double task_seconds_ = 0, serve_seconds_ = 0;
  bool unwinding_ = false;
};

}  // namespace kinetune::parallel
