#include "study/run_record.hpp"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <thread>
#include <utility>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "core/log.hpp"
#include "store/run_reader.hpp"
#include "study/version.hpp"

namespace kinetune::study {
namespace {

std::string now_iso8601() { return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr))); }

std::vector<store::ParameterRow> parameter_rows(const estimate::Problem& problem) {
  std::vector<store::ParameterRow> rows;
  for (const auto& p : problem.parameters) {
    rows.push_back(
        {p.id, p.name, std::string(estimate::name(p.scale)), p.lower_bound, p.upper_bound, p.nominal});
  }
  return rows;
}

void check_same_inputs(const store::RunHeader& header, const std::string& checksum,
                       const FitSession& session) {
  if (header.inputs_checksum == checksum) return;
  throw core::Error({session.output.string(), 0}, "the problem's files have changed since this study began",
                    "restore them, or start a new study in another file");
}

}  // namespace

FitOptions stored_options(const std::filesystem::path& run_file) {
  return FitOptions::from_yaml(store::RunReader(run_file).header().study, run_file.string(), {});
}

RunRecord::RunRecord(const FitSession& session, const FitOptions& options, const LoadedProblem& loaded)
    : path_(session.output), n_starts_(options.sampler.n_starts) {
  if (session.begin == FitSession::Begin::new_study) {
    const store::RunHeader header{version(),
                                  session.command_line,
                                  options.to_yaml(),
                                  options.sampler.seed,
                                  loaded.inputs_checksum,
                                  now_iso8601(),
                                  ""};
    file_.emplace(store::RunFile::create(path_, session.overwrite, header, parameter_rows(loaded.problem)));
  } else {
    {
      const store::RunReader reader(path_);  // closed before the file is written to
      check_same_inputs(reader.header(), loaded.inputs_checksum, session);
      results_ = reader.results();
    }
    for (const auto& row : results_) n_evaluations_ += row.n_fval;
    file_.emplace(store::RunFile::resume(path_));
    note_changes(session, options);
  }
  for (std::uint64_t id = 0; id < n_starts_; ++id) {
    if (!file_->has_result(id)) starts_left_.push_back(id);
  }
}

/// A study that was extended goes on: it has no end, and its header says what it is now.
void RunRecord::note_changes(const FitSession& session, const FitOptions& options) {
  store::RunHeader header = file_->header();
  if (const std::string study = options.to_yaml(); header.study != study) {
    header.study = study;
    header.command_line += "\n" + session.command_line;
    header.end_time = "";
    file_->set_header(header);
  }
}

std::vector<store::ResultRow> RunRecord::ranking() const {
  std::vector<store::ResultRow> ranking;
  std::ranges::copy_if(results_, std::back_inserter(ranking),
                       [](const auto& row) { return row.status != store::StartStatus::failed; });
  std::ranges::sort(ranking, {}, [](const auto& row) { return std::pair(row.fval, row.start_id); });
  return ranking;
}

void RunRecord::add(const StartOutcome& outcome) {
  unwritten_.push_back(outcome);
  results_.push_back(outcome.result);
  n_evaluations_ += outcome.result.n_fval;
}

/// When the writer has put it down.
store::RunFile& RunRecord::file() {
  if (writing_.valid()) writing_.get();
  return *file_;
}

bool RunRecord::is_writing() const {
  return writing_.valid() && writing_.wait_for(std::chrono::seconds(0)) != std::future_status::ready;
}

void RunRecord::commit(When when) {
  using namespace std::chrono_literals;
  const auto now = std::chrono::steady_clock::now();
  if (when == When::if_due && (now - last_commit_ < 1s || is_writing())) return;
  last_commit_ = now;
  file();
  writing_ =
      std::async(std::launch::async, [this, outcomes = std::exchange(unwritten_, {})] { write(outcomes); });
  if (when == When::now) file();
}

void RunRecord::write(const std::vector<StartOutcome>& outcomes) {
  for (const StartOutcome& outcome : outcomes) {
    if (!file_->has_start(outcome.start.id)) file_->add_start(outcome.start);
    file_->add_result(outcome.result, outcome.trace);
  }
  const auto done = file_->commit();
  if (!done && !last_commit_failed_) {
    core::log(core::LogLevel::warning,
              "{} cannot be written ({}); results are kept in memory and written when it can be",
              path_.string(), done.error().reason);
  }
  if (done && last_commit_failed_) core::log(core::LogLevel::info, "{} is written again", path_.string());
  last_commit_failed_ = !done;
}

bool RunRecord::commit_at_last(const StopRequest& stop) {
  using namespace std::chrono_literals;
  constexpr std::chrono::seconds patience = 10min, pause = 1s;
  const auto begin = std::chrono::steady_clock::now();
  commit(When::now);
  while (last_commit_failed_ && !stop.requested() && std::chrono::steady_clock::now() - begin < patience) {
    std::this_thread::sleep_for(pause);
    commit(When::now);
  }
  return !last_commit_failed_;
}

void RunRecord::add_ranks(std::vector<store::RankRow> ranks) { file().add_ranks(std::move(ranks)); }

void RunRecord::set_fit(std::span<const store::FitRow> fit, std::span<const store::CurveRow> curves) {
  file().set_fit(fit, curves);
}

void RunRecord::set_finished() {
  store::RunHeader header = file().header();
  header.end_time = now_iso8601();
  file().set_header(header);
}

}  // namespace kinetune::study
