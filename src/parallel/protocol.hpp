#pragma once

#include <chrono>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "parallel/mpi_session.hpp"
#include "parallel/worker.hpp"

namespace kinetune::parallel {

/// What rank 0 and the others tell each other while a queue is worked off. Every rank gets one `finish` and
/// answers with one `goodbye`, after which nothing of that queue is under way between the two.
enum class Tag : int {
  task,     ///< 0 -> worker: a task id
  recall,   ///< 0 -> worker: a task id; return it if it has not begun
  finish,   ///< 0 -> worker: begin no other task, also none that you hold
  ended,    ///< worker -> 0: a task id, how it ended and its result
  alive,    ///< worker -> 0: at least every alive_interval, also within a task
  stop,     ///< worker -> 0: why all are to stop
  goodbye,  ///< worker -> 0: its usage; the last message
};

inline constexpr std::chrono::seconds alive_interval{10};

std::string encode(const Ended&);
Ended decode_ended(std::string_view);
std::string encode(const RankUsage&);
RankUsage decode_usage(std::string_view);
std::string encode_task(std::uint64_t);
std::uint64_t decode_task(std::string_view);

/// A worker's view of the coordinator on another rank.
class RemotePort : public WorkerPort {
 public:
  RemotePort(MpiSession& session, const QueueHooks& hooks) : session_(session), hooks_(hooks) {}

  std::optional<std::uint64_t> next_task() override;
  std::optional<std::uint64_t> task_at_hand() override;
  void deliver(Ended) override;
  bool stopping() override;

 private:
  using Clock = std::chrono::steady_clock;

  bool take_message();
  void tell();
  void ask_to_stop(Clock::time_point now);

  MpiSession& session_;
  const QueueHooks& hooks_;
  std::deque<std::uint64_t> tasks_;
  bool finishing_ = false;
  bool has_complained_ = false;
  Clock::time_point last_look_{}, last_told_ = Clock::now();
  std::optional<Clock::time_point> asked_to_stop_;
};

}  // namespace kinetune::parallel
