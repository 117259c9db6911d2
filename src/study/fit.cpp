#include "study/fit.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>

#include <fmt/format.h>

#include "core/log.hpp"
#include "optimize/petsc_session.hpp"
#include "study/best_fit.hpp"
#include "study/choose_method.hpp"
#include "study/fit_summary.hpp"
#include "study/progress.hpp"
#include "study/run_record.hpp"
#include "study/start_box.hpp"
#include "study/start_worker.hpp"
#include "study/stop_request.hpp"

namespace kinetune::study {
namespace {

/// What only rank 0 has.
struct Coordinator {
  LoadedProblem loaded;
  std::optional<sample::Box> box;
  std::unique_ptr<RunRecord> record;
};

FitOptions resumed_options(const FitSession& session) {
  FitOptions options = stored_options(session.output);
  if (session.n_starts) options.sampler.extend(*session.n_starts);
  return options;
}

/// A study may go on on a processor with narrower registers than before.
void narrow_lanes(int& lanes) {
  const int most = jit::host_lanes();
  if (lanes <= most) return;
  core::log(core::LogLevel::warning,
            "{} simulations went side by side in this study, this processor has registers for {}: results "
            "differ from "
            "what they would have been in their last digits",
            lanes, most);
  lanes = most;
}

FitOptions resolved_options(const FitSession& session) {
  const bool is_new = session.begin == FitSession::Begin::new_study;
  if (is_new) store::require_new_file(session.output, session.overwrite);
  FitOptions options = is_new ? session.options : resumed_options(session);
  options.validate();
  options.problem = std::filesystem::absolute(options.problem).lexically_normal();
  return options;
}

std::string how_to_resume(const FitSession& session) {
  return fmt::format("go on with: kinetune fit --resume {}", session.output.string());
}

/// Said at once, before the file is written: what follows may be a kill.
void announce_stop(const FitSession& session, const RunRecord& record, std::uint64_t n_done_before,
                   const std::string& reason, const std::vector<parallel::TasksAtWork>& at_work) {
  std::string ranks;
  for (const auto& [rank, host, starts] : at_work) {
    ranks += fmt::format("{}rank {} on {}: start{} {}", ranks.empty() ? "" : ", ", rank, host,
                         starts.size() > 1 ? "s" : "", fmt::join(starts, " "));
  }
  core::log(core::LogLevel::warning, "stopping ({}); {} of {} starts have ended; at work: {}; {}", reason,
            record.n_done(), record.n_starts(), ranks.empty() ? "nobody" : ranks, how_to_resume(session));
  const bool side_by_side =
      std::ranges::any_of(at_work, [](const auto& rank) { return rank.tasks.size() > 1; });
  if (side_by_side && record.n_done() == n_done_before) {
    core::log(core::LogLevel::warning,
              "no start has ended in this session; --starts-per-rank 1 lets the first ones end sooner");
  }
}

/// What kernels are compiled for. A single start leaves the question to its number of conditions.
int lanes_wanted(const FitOptions& options, int n_at_once) {
  const int asked = options.posterior.integrator.lanes;
  return asked == 0 && n_at_once > 1 ? jit::host_lanes() : asked;
}

/// Points of the kind that the study will evaluate.
std::vector<std::vector<double>> first_starts(const sample::Sampler& sampler, std::uint64_t n_starts) {
  std::vector<std::vector<double>> points;
  for (std::uint64_t id = 0; id < std::min<std::uint64_t>(3, n_starts); ++id)
    points.push_back(sampler.sample(id));
  return points;
}

/// Settles by measurement what the options leave open, before they go into the run file.
/// @param n_at_once  starts that a rank would have under way
/// @throws core::Error where the options cannot carry the problem
void settle_method(const LoadedProblem& loaded, const sample::Sampler& sampler, int n_at_once,
                   const StopRequest& stop, FitOptions& options) {
  const bool has_lanes =
      std::ranges::any_of(loaded.codes, [](const jit::ModelCode& code) { return code.lanes > 1; });
  if (options.posterior.integrator.lanes > 1 && !has_lanes) {
    core::log(
        core::LogLevel::info,
        "no simulations go side by side: models with events, discontinuities or delays have no lanes, nor "
        "have very large ones");
  }
  const estimate::Posterior posterior(loaded.problem, loaded.codes, options.posterior);
  optimize::require_order(posterior, options.local.method);
  const auto points = first_starts(sampler, options.sampler.n_starts);
  const auto order = optimize::order(options.local.method);
  const auto times = choose_method(
      loaded.problem, loaded.codes, order, points, n_at_once, [&] { return stop.requested(); },
      options.posterior);
  if (times.empty()) return;
  std::string text;
  for (const MethodTime& t : times) {
    text += fmt::format("{}{} {}{} {:.3g}", text.empty() ? "" : ", ", name(t.method), name(t.sensitivities),
                        t.lanes > 1 && has_lanes && t.method != simulate::Method::cvodes
                            ? fmt::format(" in {} lanes", t.lanes)
                            : "",
                        1e3 * t.seconds);
  }
  core::log(core::LogLevel::info,
            "integrator and sensitivities, CPU ms of an evaluation at the first starts: {}", text);
}

parallel::QueueHooks hooks(const FitSession& session, RunRecord& record, Progress& progress,
                           const StopRequest& stop) {
  return {.on_result =
              [&](std::uint64_t, int rank, const std::string& bytes) {
                StartOutcome outcome = StartOutcome::from_bytes(bytes);
                outcome.result.rank = static_cast<std::uint64_t>(rank);
                record.add(outcome);
                progress.add(outcome.result);
              },
          .on_tick =
              [&] {
                record.commit(RunRecord::When::if_due);
                progress.tick();
              },
          .stop_reason = [&]() -> std::string {
            return record.n_evaluations() >= session.max_evaluations ? "limit of evaluations" : stop.reason();
          },
          .on_stop =
              [&, n_done_before = record.n_done()](const std::string& reason, const auto& at_work) {
                progress.leave_line();
                announce_stop(session, record, n_done_before, reason, at_work);
                record.commit(RunRecord::When::now);
              },
          .advice = how_to_resume(session)};
}

void announce(const Division& division, int n_ranks) {
  if (division.teams.size() < n_ranks) {
    core::log(core::LogLevel::info, "{} ranks in {} teams, each for one start at a time", n_ranks,
              division.teams.size());
  } else if (division.n_slots > 1) {
    core::log(core::LogLevel::info, "up to {} starts side by side on each rank", division.n_slots);
  }
}

std::vector<store::RankRow> rank_rows(const parallel::QueueReport& report) {
  std::vector<store::RankRow> rows;
  for (const auto& usage : report.ranks) {
    rows.push_back({0, static_cast<std::uint64_t>(usage.rank), usage.host, usage.busy_seconds,
                    usage.idle_seconds, usage.n_tasks});
  }
  return rows;
}

/// Reads and checks all inputs, settles what is left open, and makes or opens the run file.
/// @param options  of the study; afterwards of this session, which may have fewer lanes
Coordinator prepare(const FitSession& session, const StopRequest& stop, int n_ranks, FitOptions& options) {
  int& lanes = options.posterior.integrator.lanes;
  const int studys_lanes = lanes;
  const bool is_resumed = session.begin == FitSession::Begin::resume;
  if (is_resumed) narrow_lanes(lanes);
  const int n_at_once = starts_at_once(session, options, options.sampler.n_starts, n_ranks);
  Coordinator coordinator{
      load(options.problem, options.posterior.integrator.method, lanes_wanted(options, n_at_once)), {}, {}};
  coordinator.box = start_box(coordinator.loaded, options.start_range, options.start_factor);
  settle_method(coordinator.loaded, sample::Sampler(options.sampler, *coordinator.box), n_at_once, stop,
                options);
  FitOptions recorded = options;
  if (is_resumed) recorded.posterior.integrator.lanes = studys_lanes;
  coordinator.record = std::make_unique<RunRecord>(session, recorded, coordinator.loaded);
  return coordinator;
}

/// Rank 0, when the queue is empty or was left.
int conclude(const FitSession& session, const FitOptions& options, Coordinator& coordinator,
             const parallel::QueueReport& report, const StopRequest& stop) {
  RunRecord& record = *coordinator.record;
  record.add_ranks(rank_rows(report));
  const bool complete = report.not_done.empty();
  const auto ranking = record.ranking();
  if (complete) {
    if (!ranking.empty()) {
      const BestFit fit = best_fit(coordinator.loaded.petab, coordinator.loaded.problem,
                                   coordinator.loaded.codes, options.posterior.integrator, ranking.front().x);
      record.set_fit(fit.measurements, fit.curves);
    }
    record.set_finished();
  }
  const bool is_written = record.commit_at_last(stop);
  if (!is_written) {
    core::log(core::LogLevel::error, "{} lacks the last results, which could not be written; {}",
              session.output.string(), how_to_resume(session));
  }
  print_summary({session.output, coordinator.loaded.problem, ranking, record.results(), record.n_starts(),
                 report, complete ? "" : report.stopped_by});
  return !complete || !is_written ? 3 : ranking.empty() ? 1 : 0;
}

}  // namespace

int fit(parallel::MpiSession& mpi, const FitSession& session) {
  constexpr double endless = std::numeric_limits<double>::infinity();
  const StopRequest stop(mpi.rank() == 0 ? session.max_seconds : endless);  // loading takes time as well
  FitOptions options;
  Coordinator coordinator;
  // Everything that can be wrong with the input is found here, before any rank computes.
  const std::string problem_bytes = share_verdict(mpi, [&] {
    options = resolved_options(session);
    coordinator = prepare(session, stop, mpi.size(), options);
    return coordinator.loaded.problem.to_bytes();
  });
  options = FitOptions::from_yaml(mpi.broadcast(options.to_yaml()), "study", {});
  auto problem = estimate::Problem::from_bytes(problem_bytes);
  std::vector<jit::ModelCode> codes = coordinator.loaded.codes;
  codes.resize(problem.parts.size());
  for (jit::ModelCode& code : codes) code = jit::ModelCode::from_bytes(mpi.broadcast(code.to_bytes()));

  estimate::Posterior posterior(std::move(problem), std::move(codes), options.posterior);
  const std::string box = mpi.broadcast(coordinator.box ? to_bytes(*coordinator.box) : "");
  const optimize::PetscSession petsc;
  const std::uint64_t n_left = std::stoull(
      mpi.broadcast(coordinator.record ? std::to_string(coordinator.record->starts_left().size()) : ""));
  const Division division = divide(session, options, n_left, mpi.size(), posterior);
  StartWorker worker(mpi, options, sample::Sampler(options.sampler, box_from_bytes(box)), posterior,
                     division);
  if (mpi.rank() != 0) {
    worker.refine({}, {.stop_reason = [&] { return stop.reason(); }, .advice = how_to_resume(session)});
    return std::stoi(mpi.broadcast(""));
  }

  RunRecord& record = *coordinator.record;
  announce(division, mpi.size());
  const auto ranking = record.ranking();
  Progress progress(record.n_starts(), record.n_done(),
                    ranking.empty() ? store::not_a_number : ranking.front().fval);
  const auto report = worker.refine(record.starts_left(), hooks(session, record, progress, stop));
  progress.finish();
  const int exit_code = conclude(session, options, coordinator, report, stop);
  mpi.broadcast(std::to_string(exit_code));
  return exit_code;
}

}  // namespace kinetune::study
