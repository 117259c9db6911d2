#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

#include "store/run_rows.hpp"

namespace kinetune::study {

/// Shows how a study advances, on standard error: in place on a terminal, otherwise a line a minute.
class Progress {
 public:
  /// @param n_total  starts of the study
  /// @param n_before  of these, those that earlier sessions finished
  Progress(std::uint64_t n_total, std::uint64_t n_before, double best_before);

  void add(const store::ResultRow&);
  /// Draws if it is time to.
  void tick();
  /// Others are about to write to the terminal.
  void leave_line() const;
  /// Draws for the last time and ends the line.
  void finish();

  double best() const { return best_; }
  std::uint64_t n_done() const { return n_done_; }
  const std::map<std::string, int>& failures() const { return failures_; }

 private:
  using Clock = std::chrono::steady_clock;

  std::string line() const;
  void draw();

  std::uint64_t n_total_, n_before_, n_done_, n_evaluations_ = 0;
  double best_;
  std::map<std::string, int> failures_;  ///< by reason
  Clock::time_point start_ = Clock::now(), last_drawn_ = start_;
  bool on_terminal_;
};

}  // namespace kinetune::study
