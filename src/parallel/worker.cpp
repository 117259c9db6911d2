#include "parallel/worker.hpp"

#include <stdexcept>
#include <utility>

#include <fmt/format.h>

namespace kinetune::parallel {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

Ended do_task(std::uint64_t task, const Work& work, const StopCheck& stop) {
  try {
    auto result = work(task, stop);
    if (!result) return {task, Scheduler::End::given_up};
    return {task, Scheduler::End::done, std::move(*result)};
  } catch (const std::exception& error) {
    throw std::runtime_error(fmt::format("task {}: {}", task, error.what()));
  }
}

void lead(WorkerPort& port, const Work& work, const Crew& crew, const StopCheck& stop, RankUsage& usage) {
  while (const auto task = port.next_task()) {
    const Clock::time_point task_begin = Clock::now();
    Ended ended = do_task(*task, work, stop);
    usage.busy_seconds += seconds_since(task_begin);
    if (ended.end == Scheduler::End::done) ++usage.n_tasks;
    port.deliver(std::move(ended));
  }
  crew.dismiss();
  usage.busy_seconds -= crew.seconds_waited();
}

}  // namespace

RankUsage work_off(WorkerPort& port, const Work& work, const Crew& crew, const MpiSession& session) {
  RankUsage usage{.rank = session.rank(), .host = session.host()};
  const StopCheck stop = [&port] { return port.stopping(); };
  const Clock::time_point begin = Clock::now();
  if (crew.teams.leads(session.rank())) {
    lead(port, work, crew, stop, usage);
  } else {
    usage.busy_seconds = crew.help(stop);
  }
  usage.idle_seconds = seconds_since(begin) - usage.busy_seconds;
  return usage;
}

}  // namespace kinetune::parallel
