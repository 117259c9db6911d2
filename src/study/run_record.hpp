#pragma once

#include <chrono>
#include <cstdint>
#include <future>
#include <optional>
#include <vector>

#include "estimate/problem.hpp"
#include "store/run_file.hpp"
#include "study/fit.hpp"
#include "study/load.hpp"
#include "study/start_outcome.hpp"
#include "study/stop_request.hpp"

namespace kinetune::study {

/// A study's run file together with what a session must know of it: which starts are left, which is the best.
/// The file is written by a thread of its own, so that a slow disk holds up nobody.
class RunRecord {
 public:
  /// Makes the file, or opens one and sees that it belongs to these inputs; the options may ask for more
  /// starts than it has.
  /// @throws core::Error
  RunRecord(const FitSession&, const FitOptions&, const LoadedProblem&);

  const std::vector<std::uint64_t>& starts_left() const { return starts_left_; }
  std::uint64_t n_starts() const { return n_starts_; }
  std::uint64_t n_done() const { return results_.size(); }
  std::uint64_t n_evaluations() const { return n_evaluations_; }  ///< of all starts that are done
  const std::vector<store::ResultRow>& results() const { return results_; }
  /// Best first; failed starts are left out.
  std::vector<store::ResultRow> ranking() const;

  void add(const StartOutcome&);
  /// Makes durable what is new. `if_due` begins it, at most once a second and not before the last one is
  /// done; `now` returns when it is done. Failures to write are logged and retried.
  enum class When { if_due, now };
  void commit(When);
  /// The last commit of a session: tries for minutes if it must, unless asked to stop.
  /// @returns whether everything is on disk
  bool commit_at_last(const StopRequest&);

  /// What is known only at the end of a session.
  void add_ranks(std::vector<store::RankRow>);
  void set_fit(std::span<const store::FitRow>, std::span<const store::CurveRow>);
  void set_finished();

 private:
  void note_changes(const FitSession&, const FitOptions&);
  store::RunFile& file();
  bool is_writing() const;
  void write(const std::vector<StartOutcome>&);

  std::filesystem::path path_;
  std::uint64_t n_starts_;
  std::vector<std::uint64_t> starts_left_;
  std::vector<store::ResultRow> results_;
  std::uint64_t n_evaluations_ = 0;
  std::vector<StartOutcome> unwritten_;
  std::chrono::steady_clock::time_point last_commit_ = std::chrono::steady_clock::now();
  std::optional<store::RunFile> file_;  // the writer's while it is at work, as is what follows
  bool last_commit_failed_ = false;
  std::future<void> writing_;  // last: it ends before what it writes to
};

/// The options that a run file holds. @throws core::Error
FitOptions stored_options(const std::filesystem::path& run_file);

}  // namespace kinetune::study
