#include "study/fit_summary.hpp"

#include <algorithm>

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

void print_ranks(const parallel::QueueReport& report) {
  double busy = 0, idle = 0;
  for (const auto& r : report.ranks) {
    busy += r.busy_seconds;
    idle += r.idle_seconds;
  }
  if (busy + idle > 0) {
    fmt::print("\n{} ranks: {:.1f} s busy, {:.1f} s idle ({:.1f} %)\n", report.ranks.size(), busy, idle,
               100 * idle / (busy + idle));
  }
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
  for (const auto& [reason, count] : s.failures) fmt::print("{} starts failed: {}\n", count, reason);
  print_ranks(s.report);
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
