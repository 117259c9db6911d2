#pragma once

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
  finish,   ///< 0 -> worker: begin no other task, also none that you hold
  ended,    ///< worker -> 0: a task id and its result
  goodbye,  ///< worker -> 0: its usage; the last message
};

std::string encode(const Ended&);
Ended decode_ended(std::string_view);
std::string encode(const RankUsage&);
RankUsage decode_usage(std::string_view);
std::string encode_task(std::uint64_t);
std::uint64_t decode_task(std::string_view);

/// A worker's view of the coordinator on another rank.
class RemotePort : public WorkerPort {
 public:
  explicit RemotePort(MpiSession& session) : session_(session) {}

  std::optional<std::uint64_t> next_task() override;
  void deliver(Ended) override;
  bool stopping() override;

 private:
  bool take_message();

  MpiSession& session_;
  std::deque<std::uint64_t> tasks_;
  bool finishing_ = false;
  std::chrono::steady_clock::time_point last_look_{};
};

}  // namespace kinetune::parallel
