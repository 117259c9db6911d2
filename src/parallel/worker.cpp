#include "parallel/worker.hpp"

#include <utility>

namespace kinetune::parallel {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

void lead(WorkerPort& port, Slots& slots, const Crew& crew, RankUsage& usage) {
  while (const auto first = port.next_task()) {
    const Clock::time_point begin = Clock::now();
    slots.begin(*first);
    while (!slots.all_free()) {
      while (slots.has_free()) {
        const auto another = port.task_at_hand();
        if (!another) break;
        slots.begin(*another);
      }
      for (Ended& ended : slots.go_on()) {
        if (ended.end == Scheduler::End::done) ++usage.n_tasks;
        port.deliver(std::move(ended));
      }
    }
    usage.busy_seconds += seconds_since(begin);
  }
  usage.task_cpu_seconds = slots.task_seconds();
  usage.serve_cpu_seconds = slots.serve_seconds();
  crew.dismiss();
  usage.busy_seconds -= crew.seconds_waited();
}

}  // namespace

RankUsage work_off(WorkerPort& port, const Work& work, const SideBySide& side_by_side, const Crew& crew,
                   const MpiSession& session) {
  RankUsage usage{.rank = session.rank(), .host = session.host()};
  const StopCheck stop = [&port] { return port.stopping(); };
  const Clock::time_point begin = Clock::now();
  if (crew.teams.leads(session.rank())) {
    Slots slots(work, side_by_side, stop);
    lead(port, slots, crew, usage);
  } else {
    usage.busy_seconds = crew.help(stop);
  }
  usage.idle_seconds = seconds_since(begin) - usage.busy_seconds;
  return usage;
}

}  // namespace kinetune::parallel
