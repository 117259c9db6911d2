#include "parallel/work_queue.hpp"

#include <exception>
#include <thread>
#include <utility>

#include "core/log.hpp"
#include "parallel/backoff.hpp"
#include "parallel/local_port.hpp"
#include "parallel/protocol.hpp"
#include "parallel/scheduler.hpp"

namespace kinetune::parallel {
namespace {

using Clock = std::chrono::steady_clock;

/// Rank 0's thread beside the work: hands out tasks, takes results, calls the hooks.
class Coordinator {
 public:
  Coordinator(MpiSession& session, LocalPort& local, std::span<const std::uint64_t> tasks,
              const QueueHooks& hooks)
      : session_(session), local_(local), scheduler_(tasks, session.size()), hooks_(hooks) {
    report_.ranks.resize(static_cast<std::size_t>(session.size()));
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
  void tick();
  std::chrono::microseconds pause();

  MpiSession& session_;
  LocalPort& local_;
  Scheduler scheduler_;
  const QueueHooks& hooks_;
  QueueReport report_;
  Backoff backoff_;
  Clock::time_point last_tick_ = Clock::now();
  int n_goodbyes_ = 0;
  bool finishing_ = false;
};

void Coordinator::run() {
  while (!over()) {
    if (hooks_.stop_requested && hooks_.stop_requested()) scheduler_.stop();
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
  if (message->tag == static_cast<int>(Tag::ended)) take(message->from, decode_ended(message->bytes));
  if (message->tag == static_cast<int>(Tag::goodbye)) {
    ++n_goodbyes_;
    report_.ranks[static_cast<std::size_t>(message->from)] = decode_usage(message->bytes);
  }
  return true;
}

void Coordinator::take(int rank, Ended ended) {
  scheduler_.ended(rank, ended.task, ended.result ? Scheduler::End::done : Scheduler::End::given_up);
  hand_out();  // the rank need not wait for the hook
  if (ended.result) hooks_.on_result(ended.task, rank, std::move(*ended.result));
}

void Coordinator::hand_out() {
  while (const auto assignment = scheduler_.next()) {
    if (assignment->rank == 0) {
      local_.give(assignment->task);
    } else {
      session_.post(assignment->rank, static_cast<int>(Tag::task), encode_task(assignment->task));
    }
  }
}

void Coordinator::finish() {
  if (std::exchange(finishing_, true)) return;
  local_.finish();
  for (int rank = 1; rank < session_.size(); ++rank) session_.post(rank, static_cast<int>(Tag::finish), "");
}

void Coordinator::tick() {
  if (!hooks_.on_tick || Clock::now() - last_tick_ < hooks_.tick) return;
  hooks_.on_tick();
  last_tick_ = Clock::now();
}

QueueReport Coordinator::report(RankUsage own) {
  report_.ranks[0] = std::move(own);
  report_.not_done = scheduler_.not_done();
  return std::move(report_);
}

[[noreturn]] void take_down(MpiSession& session, const char* what) {
  core::log(core::LogLevel::error, "rank {} on {}: {}", session.rank(), session.host(), what);
  session.abort(1);
}

QueueReport coordinate_and_work(MpiSession& session, std::span<const std::uint64_t> tasks, const Work& work,
                                const QueueHooks& hooks) {
  LocalPort local;
  Coordinator coordinator(session, local, tasks, hooks);
  std::exception_ptr hook_failure;
  std::jthread thread([&] {
    try {
      coordinator.run();
    } catch (const std::exception& error) {
      if (session.size() > 1) take_down(session, error.what());
      hook_failure = std::current_exception();
      local.finish();
    }
  });
  RankUsage usage;
  try {
    usage = work_off(local, work, session);
  } catch (const std::exception& error) {
    if (session.size() > 1) take_down(session, error.what());
    local.leave();
    throw;
  }
  local.leave();
  thread.join();
  if (hook_failure) std::rethrow_exception(hook_failure);
  return coordinator.report(std::move(usage));
}

void work_remotely(MpiSession& session, const Work& work) {
  RemotePort port(session);
  try {
    const RankUsage usage = work_off(port, work, session);
    session.send(0, static_cast<int>(Tag::goodbye), encode(usage));
  } catch (const std::exception& error) {
    take_down(session, error.what());
  }
}

}  // namespace

QueueReport run_tasks(MpiSession& session, std::span<const std::uint64_t> tasks, const Work& work,
                      const QueueHooks& hooks) {
  if (session.rank() == 0) return coordinate_and_work(session, tasks, work, hooks);
  work_remotely(session, work);
  return {};
}

}  // namespace kinetune::parallel
