#include "parallel/work_queue.hpp"

#include <exception>
#include <stdexcept>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "core/log.hpp"
#include "parallel/backoff.hpp"
#include "parallel/local_port.hpp"
#include "parallel/protocol.hpp"
#include "parallel/scheduler.hpp"

namespace kinetune::parallel {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::minutes silence_limit{10};  // of a rank; it speaks every alive_interval
constexpr std::chrono::minutes goodbye_limit{1};   // after a stop

/// Rank 0's thread beside the work: hands out tasks, takes results, calls the hooks.
class Coordinator {
 public:
  Coordinator(MpiSession& session, LocalPort& local, std::span<const std::uint64_t> tasks,
              const QueueHooks& hooks, const Teams& teams, int n_slots)
      : session_(session),
        local_(local),
        teams_(teams),
        scheduler_(tasks, teams.size(), n_slots),
        hooks_(hooks) {
    report_.ranks.resize(static_cast<std::size_t>(session.size()));
    heard_of_.resize(report_.ranks.size(), Clock::now());
    gone_.resize(report_.ranks.size());
  }

  void run();
  QueueReport report(RankUsage own);

 private:
  bool over() { return n_goodbyes_ == session_.size() - 1 && local_.left(); }
  bool take_local();
  bool take_message();
  void take(int rank, Ended);
  void hand_out();
  void finish();
  void stop(const std::string& reason);
  std::vector<TasksAtWork> at_work() const;
  void look_for_the_lost() const;
  void tick();
  std::chrono::microseconds pause();

  MpiSession& session_;
  LocalPort& local_;
  Teams teams_;
  Scheduler scheduler_;  // its ranks are our teams
  const QueueHooks& hooks_;
  QueueReport report_;
  Backoff backoff_;
  Clock::time_point last_tick_ = Clock::now(), stopped_at_{};
  int n_goodbyes_ = 0;
  bool finishing_ = false;
  std::vector<Clock::time_point> heard_of_;  // by rank
  std::vector<bool> gone_;                   // by rank: has said goodbye
};

void Coordinator::run() {
  while (!over()) {
    if (hooks_.stop_reason && !scheduler_.stopped()) stop(hooks_.stop_reason());
    hand_out();
    if (scheduler_.stopped() || scheduler_.finished()) finish();
    tick();
    const bool heard = take_local() | take_message();
    if (heard) {
      backoff_.reset();
    } else {
      local_.wait(pause());
    }
  }
}

/// Without other ranks nothing needs to be looked for: the local port wakes us.
std::chrono::microseconds Coordinator::pause() {
  return session_.size() == 1 ? std::chrono::milliseconds{20} : backoff_.next();
}

bool Coordinator::take_local() {
  auto ended = local_.take();
  if (ended) take(0, std::move(*ended));
  return ended.has_value();
}

bool Coordinator::take_message() {
  if (session_.size() == 1) return false;
  const auto message = session_.try_receive();
  if (!message) return false;
  const auto rank = static_cast<std::size_t>(message->from);
  heard_of_[rank] = Clock::now();
  if (message->tag == static_cast<int>(Tag::ended)) take(message->from, decode_ended(message->bytes));
  if (message->tag == static_cast<int>(Tag::stop)) stop(fmt::format("{} to rank {}", message->bytes, rank));
  if (message->tag == static_cast<int>(Tag::goodbye)) {
    ++n_goodbyes_;
    gone_[rank] = true;
    report_.ranks[rank] = decode_usage(message->bytes);
  }
  return true;
}

void Coordinator::take(int rank, Ended ended) {
  scheduler_.ended(teams_.team_of(rank), ended.task, ended.end);
  hand_out();  // the rank need not wait for the hook
  if (ended.end == Scheduler::End::done) hooks_.on_result(ended.task, rank, std::move(ended.result));
}

void Coordinator::hand_out() {
  while (const auto assignment = scheduler_.next()) {
    if (const int rank = teams_.leader(assignment->rank); rank == 0) {
      local_.give(assignment->task);
    } else {
      session_.post(rank, static_cast<int>(Tag::task), encode_task(assignment->task));
    }
  }
  while (const auto recall = scheduler_.next_recall()) {
    if (const int rank = teams_.leader(recall->rank); rank == 0) {
      local_.recall(recall->task);
    } else {
      session_.post(rank, static_cast<int>(Tag::recall), encode_task(recall->task));
    }
  }
}

void Coordinator::stop(const std::string& reason) {
  if (reason.empty() || scheduler_.stopped()) return;
  scheduler_.stop();
  report_.stopped_by = reason;
  stopped_at_ = Clock::now();
  finish();
  if (hooks_.on_stop) hooks_.on_stop(reason, at_work());
}

std::vector<TasksAtWork> Coordinator::at_work() const {
  std::vector<TasksAtWork> result;
  for (const auto& [team, task] : scheduler_.at_work()) {
    const int rank = teams_.leader(team);
    if (result.empty() || result.back().rank != rank)
      result.push_back({rank, session_.hosts()[static_cast<std::size_t>(rank)], {}});
    result.back().tasks.push_back(task);
  }
  return result;
}

/// A launcher takes the job down when one of its processes dies. Should it not, nobody waits for ever.
void Coordinator::look_for_the_lost() const {
  const auto now = Clock::now();
  const bool no_goodbye = scheduler_.stopped() && now - stopped_at_ > goodbye_limit;
  for (std::size_t rank = 1; rank < gone_.size(); ++rank) {
    if (gone_[rank] || !(no_goodbye || now - heard_of_[rank] > silence_limit)) continue;
    std::string where;
    for (const auto& at_work : at_work())
      if (at_work.rank == static_cast<int>(rank))
        where = fmt::format(", at work on task {}", fmt::join(at_work.tasks, ", "));
    throw std::runtime_error(
        fmt::format("rank {} on {} does not answer{}", rank, session_.hosts()[rank], where));
  }
}

void Coordinator::finish() {
  if (std::exchange(finishing_, true)) return;
  local_.finish();
  for (int rank = 1; rank < session_.size(); ++rank) session_.post(rank, static_cast<int>(Tag::finish), "");
}

void Coordinator::tick() {
  if (Clock::now() - last_tick_ < hooks_.tick) return;
  if (hooks_.on_tick) hooks_.on_tick();
  look_for_the_lost();
  last_tick_ = Clock::now();
}

QueueReport Coordinator::report(RankUsage own) {
  report_.ranks[0] = std::move(own);
  report_.not_done = scheduler_.not_done();
  return std::move(report_);
}

[[noreturn]] void take_down(MpiSession& session, const char* what, const std::string& advice) {
  core::log(core::LogLevel::error, "rank {} on {}: {}{}{}", session.rank(), session.host(), what,
            advice.empty() ? "" : "; ", advice);
  session.abort(1);
}

QueueReport coordinate_and_work(MpiSession& session, std::span<const std::uint64_t> tasks, const Work& work,
                                const QueueHooks& hooks, const Crew& crew, const SideBySide& side_by_side) {
  LocalPort local;
  Coordinator coordinator(session, local, tasks, hooks, crew.teams, side_by_side.n_slots);
  std::exception_ptr hook_failure;
  std::jthread thread([&] {
    try {
      coordinator.run();
    } catch (const std::exception& error) {
      if (session.size() > 1) take_down(session, error.what(), hooks.advice);
      hook_failure = std::current_exception();
      local.finish();
    }
  });
  RankUsage usage;
  try {
    usage = work_off(local, work, side_by_side, crew, session);
  } catch (const std::exception& error) {
    if (session.size() > 1) take_down(session, error.what(), hooks.advice);
    local.leave();
    throw;
  }
  local.leave();
  thread.join();
  if (hook_failure) std::rethrow_exception(hook_failure);
  return coordinator.report(std::move(usage));
}

void work_remotely(MpiSession& session, const Work& work, const QueueHooks& hooks, const Crew& crew,
                   const SideBySide& side_by_side) {
  RemotePort port(session, hooks);
  try {
    const RankUsage usage = work_off(port, work, side_by_side, crew, session);
    session.send(0, static_cast<int>(Tag::goodbye), encode(usage));
  } catch (const std::exception& error) {
    take_down(session, error.what(), hooks.advice);
  }
}

}  // namespace

Crew Crew::of_one(int n_ranks) {
  return {Teams(n_ranks, n_ranks), [](const StopCheck&) { return 0.0; }, [] {}, [] { return 0.0; }};
}

QueueReport run_tasks(MpiSession& session, std::span<const std::uint64_t> tasks, const Work& work,
                      const QueueHooks& hooks, const Crew& crew, const SideBySide& side_by_side) {
  if (session.rank() == 0) return coordinate_and_work(session, tasks, work, hooks, crew, side_by_side);
  work_remotely(session, work, hooks, crew, side_by_side);
  return {};
}

QueueReport run_tasks(MpiSession& session, std::span<const std::uint64_t> tasks, const Work& work,
                      const QueueHooks& hooks, const SideBySide& side_by_side) {
  return run_tasks(session, tasks, work, hooks, Crew::of_one(session.size()), side_by_side);
}

}  // namespace kinetune::parallel
