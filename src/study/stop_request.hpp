#pragma once

#include <chrono>
#include <limits>

namespace kinetune::study {

/// Why a study is to end early: a signal (SIGINT, SIGTERM, or SIGUSR1, by which Slurm warns of the time
/// limit), or its own time limit. Signals are caught while an instance lives; one instance a process.
class StopRequest {
 public:
  explicit StopRequest(double max_seconds = std::numeric_limits<double>::infinity());
  ~StopRequest();
  StopRequest(const StopRequest&) = delete;
  StopRequest& operator=(const StopRequest&) = delete;

  bool requested() const { return *reason() != '\0'; }
  const char* reason() const;  ///< "signal", "time limit", or "" when nothing was requested

 private:
  bool time_is_up() const;

  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  double max_seconds_;
};

}  // namespace kinetune::study
