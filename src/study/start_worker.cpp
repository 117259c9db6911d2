#include "study/start_worker.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "study/run_start.hpp"

namespace kinetune::study {
namespace {

/// How many groups of so many, the last one perhaps smaller, a number makes.
std::uint64_t groups(std::uint64_t n, std::uint64_t size) { return (n + size - 1) / size; }

parallel::Teams teams_of(const FitSession& session, std::uint64_t n_starts, int n_ranks,
                         std::size_t n_shares) {
  const auto in_steps_of = [n_ranks](std::size_t per_team) {
    return static_cast<int>(groups(static_cast<std::size_t>(n_ranks), per_team));
  };
  const int fewest = in_steps_of(n_shares);
  if (session.ranks_per_start)
    return {n_ranks, std::max(fewest, in_steps_of(static_cast<std::size_t>(*session.ranks_per_start)))};
  return {n_ranks, std::clamp(static_cast<int>(std::min<std::uint64_t>(n_starts, n_ranks)), fewest, n_ranks)};
}

}  // namespace

int starts_at_once(const FitSession& session, const FitOptions& options, std::uint64_t n_starts,
                   int n_ranks) {
  if (session.starts_per_rank) return *session.starts_per_rank;
  const bool has_time_limit =
      std::isfinite(options.local.max_seconds) || std::isfinite(options.posterior.max_seconds);
  if (has_time_limit || session.ranks_per_start.value_or(1) > 1) return 1;
  constexpr std::uint64_t more_than_any_lanes = 1000;
  const auto per_rank = groups(n_starts, static_cast<std::uint64_t>(n_ranks));
  return static_cast<int>(std::clamp<std::uint64_t>(per_rank, 1, more_than_any_lanes));
}

Division divide(const FitSession& session, const FitOptions& options, std::uint64_t n_starts, int n_ranks,
                const estimate::Posterior& posterior) {
  const parallel::Teams teams = teams_of(session, n_starts, n_ranks, posterior.n_shares());
  if (teams.size() < n_ranks) return {teams, 1};
  if (session.starts_per_rank) return {teams, *session.starts_per_rank};
  return {teams, std::min(starts_at_once(session, options, n_starts, n_ranks),
                          static_cast<int>(posterior.points_at_once()))};
}

StartWorker::StartWorker(parallel::MpiSession& mpi, const FitOptions& options, sample::Sampler sampler,
                         estimate::Posterior& posterior, const Division& division)
    : mpi_(mpi),
      options_(options),
      sampler_(std::move(sampler)),
      posterior_(posterior),
      division_(division),
      communicator_(mpi.split(division.teams.team_of(mpi.rank()))),
      team_(*communicator_, posterior),
      batch_(posterior) {}

parallel::QueueReport StartWorker::refine(std::span<const std::uint64_t> starts,
                                          const parallel::QueueHooks& hooks) {
  const parallel::Crew crew{division_.teams,
                            [this](const parallel::StopCheck& stopping) { return team_.help(stopping); },
                            [this] { team_.dismiss(); }, [this] { return team_.seconds_waited(); }};
  const parallel::SideBySide side_by_side{division_.n_slots,
                                          [this](const parallel::StopCheck& stopping) { serve(stopping); }};
  return run_tasks(
      mpi_, starts, [this](std::uint64_t id, parallel::Slot& slot) { return refine(id, slot); }, hooks, crew,
      side_by_side);
}

std::optional<std::string> StartWorker::refine(std::uint64_t id, parallel::Slot& slot) {
  Seat objective(batch_, [&slot] { slot.wait(); });
  auto outcome = run_start(id, sampler_, name(options_.sampler.method), objective, options_.local,
                           options_.n_redraws, [&slot] { return slot.stopping(); });
  const double helpers_seconds = team_.take_helpers_seconds();
  if (!outcome) return std::nullopt;
  outcome->result.cpu_seconds = slot.cpu_seconds() + objective.cpu_seconds() + helpers_seconds;
  return outcome->to_bytes();
}

void StartWorker::serve(const parallel::StopCheck& stopping) {
  posterior_.set_interrupt(stopping);
  team_.set_meanwhile([&stopping] { stopping(); });
  batch_.serve();
}

}  // namespace kinetune::study
