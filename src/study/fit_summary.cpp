#include "study/fit_summary.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <tuple>

#include <fmt/format.h>

namespace kinetune::study {
namespace {

constexpr std::size_t rows_shown = 10;
constexpr std::size_t parameters_shown = 30;
constexpr double same_optimum = 0.1;  // of fval

std::string status_name(store::StartStatus status) {
  switch (status) {
    case store::StartStatus::converged:
      return "converged";
    case store::StartStatus::limit_reached:
      return "limit reached";
    case store::StartStatus::stalled:
      return "stalled";
    case store::StartStatus::stopped:
      return "stopped";
    case store::StartStatus::failed:
      break;
  }
  return "failed";
}

void print_best_starts(const std::vector<store::ResultRow>& ranking) {
  fmt::print("\n{:>4} {:>8} {:>14} {:>11} {:>10} {:>7} {:>8}  {}\n", "rank", "start", "fval", "above best",
             "gradient", "evals", "CPU s", "ended by");
  for (std::size_t i = 0; i < std::min(rows_shown, ranking.size()); ++i) {
    const auto& r = ranking[i];
    fmt::print("{:>4} {:>8} {:>14.6f} {:>11.3g} {:>10.1e} {:>7} {:>8.2f}  {} ({})\n", i + 1, r.start_id,
               r.fval, r.fval - ranking[0].fval, r.gradient_norm, r.n_fval, r.cpu_seconds,
               status_name(r.status), r.message);
  }
}

void print_best_parameters(const estimate::Problem& problem, const std::vector<double>& x) {
  fmt::print("\nbest parameters (linear){:>{}}\n", "value   at bound", 22);
  for (std::size_t i = 0; i < std::min(parameters_shown, x.size()); ++i) {
    const auto& p = problem.parameters[i];
    const char* bound = x[i] <= p.lower_bound ? "lower" : x[i] >= p.upper_bound ? "upper" : "";
    fmt::print("  {:<32} {:>14.6g}   {}\n", p.id, estimate::unscaled(p.scale, x[i]), bound);
  }
  if (x.size() > parameters_shown) fmt::print("  … {} more in the run file\n", x.size() - parameters_shown);
}

/// How many starts ended in each way: convergence tests and limits by name, failures by reason and condition,
/// with the model times at which they happened.
void print_endings(const std::vector<store::ResultRow>& results) {
  struct Group {
    int n = 0;
    double first = std::numeric_limits<double>::infinity(), last = -first;
  };
  std::map<std::tuple<store::StartStatus, std::string, std::string>, Group> groups;
  for (const auto& row : results) {
    Group& group = groups[{row.status, row.message, row.condition}];
    ++group.n;
    group.first = std::min(group.first, row.time);  // NaN leaves it as it is
    group.last = std::max(group.last, row.time);
  }
  fmt::print("\n{:>7}  how they ended\n", "starts");
  for (const auto& [key, group] : groups) {
    const auto& [status, message, condition] = key;
    fmt::print("{:>7}  {}: {}{}", group.n, status_name(status), message,
               condition.empty() ? "" : " in condition " + condition);
    if (group.first < group.last)
      fmt::print(", model times {:.4g} to {:.4g}", group.first, group.last);
    else if (group.first == group.last)
      fmt::print(", model time {:.4g}", group.first);
    fmt::print("\n");
  }
}

/// The ranks that idled most come first; a few tell enough.
void print_ranks(std::vector<parallel::RankUsage> ranks) {
  double busy = 0, idle = 0;
  for (const auto& r : ranks) {
    busy += r.busy_seconds;
    idle += r.idle_seconds;
  }
  if (!(busy + idle > 0)) return;
  fmt::print("\n{:>4}  {:<20} {:>7} {:>10} {:>10}\n", "rank", "host", "starts", "busy s", "idle s");
  std::ranges::stable_sort(ranks, std::greater<>(), &parallel::RankUsage::idle_seconds);
  for (std::size_t i = 0; i < std::min(rows_shown, ranks.size()); ++i) {
    const auto& r = ranks[i];
    fmt::print("{:>4}  {:<20} {:>7} {:>10.1f} {:>10.1f}\n", r.rank, r.host, r.n_tasks, r.busy_seconds,
               r.idle_seconds);
  }
  fmt::print("{} ranks in all: {:.1f} s busy, {:.1f} s idle ({:.1f} %)\n", ranks.size(), busy, idle,
             100 * idle / (busy + idle));
  double outside = 0, within = 0;
  for (const auto& r : ranks) {
    outside += r.task_cpu_seconds;
    within += r.serve_cpu_seconds;
  }
  fmt::print("starts took {:.2f} CPU s, {:.2f} of them outside evaluations{}\n", outside + within, outside,
             std::ranges::any_of(ranks, [](const auto& r) { return r.n_tasks == 0 && r.busy_seconds > 0; })
                 ? " (leading ranks alone)"
                 : "");
}

}  // namespace

void print_summary(const FitSummary& s) {
  if (!s.ranking.empty()) {
    print_best_starts(s.ranking);
    const auto close = std::ranges::count_if(
        s.ranking, [&](const auto& r) { return r.fval <= s.ranking.front().fval + same_optimum; });
    fmt::print("\n{} of {} starts ended within {} of the best fval\n", close, s.n_starts, same_optimum);
    print_best_parameters(s.problem, s.ranking.front().x);
  }
  if (!s.results.empty()) print_endings(s.results);
  print_ranks(s.report.ranks);
  if (!s.stopped_by.empty()) {
    fmt::print("\nstopped by {}; {} starts are left. Go on with:\n  kinetune fit --resume {}\n", s.stopped_by,
               s.report.not_done.size(), s.run_file.string());
    return;
  }
  fmt::print("\nresults are in {}. Look at them:\n  python3 analysis/report.py {}\n", s.run_file.string(),
             s.run_file.string());
  if (s.ranking.empty()) {
    fmt::print(
        "no start succeeded: see which condition fails with kinetune evaluate, and whether the bounds are "
        "meant\n");
  } else if (s.ranking.size() > 1 && s.ranking[1].fval > s.ranking[0].fval + same_optimum) {
    fmt::print("the best fval was found once only: more starts may find a better one (--starts)\n");
  }
}

}  // namespace kinetune::study
