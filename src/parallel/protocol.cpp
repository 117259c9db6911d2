#include "parallel/protocol.hpp"

#include <cassert>
#include <cstring>
#include <stdexcept>
#include <thread>
#include <type_traits>

#include "core/log.hpp"
#include "parallel/backoff.hpp"

namespace kinetune::parallel {
namespace {

constexpr std::chrono::milliseconds look_interval{10};     // of a worker for messages while it works
constexpr std::chrono::milliseconds complaint_after{400};  // mpirun kills after a second
constexpr std::chrono::seconds answer_limit{60};           // of rank 0 to a worker that asks to stop

/// Numbers go as they lie in memory: all ranks of a job are of one kind.
template <class T>
void put(std::string& bytes, const T& value) {
  static_assert(std::is_trivially_copyable_v<T>);
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

template <class T>
T take(std::string_view& bytes) {
  T value;
  assert(bytes.size() >= sizeof value);
  std::memcpy(&value, bytes.data(), sizeof value);
  bytes.remove_prefix(sizeof value);
  return value;
}

}  // namespace

std::string encode(const Ended& ended) {
  std::string bytes;
  put(bytes, ended.task);
  put(bytes, ended.end);
  return bytes.append(ended.result);
}

Ended decode_ended(std::string_view bytes) {
  const auto task = take<std::uint64_t>(bytes);
  const auto end = take<Scheduler::End>(bytes);
  return {task, end, std::string(bytes)};
}

std::string encode(const RankUsage& usage) {
  std::string bytes;
  put(bytes, usage.rank);
  put(bytes, usage.busy_seconds);
  put(bytes, usage.idle_seconds);
  put(bytes, usage.n_tasks);
  put(bytes, usage.task_cpu_seconds);
  put(bytes, usage.serve_cpu_seconds);
  return bytes.append(usage.host);
}

RankUsage decode_usage(std::string_view bytes) {
  RankUsage usage;
  usage.rank = take<int>(bytes);
  usage.busy_seconds = take<double>(bytes);
  usage.idle_seconds = take<double>(bytes);
  usage.n_tasks = take<std::uint64_t>(bytes);
  usage.task_cpu_seconds = take<double>(bytes);
  usage.serve_cpu_seconds = take<double>(bytes);
  usage.host = bytes;
  return usage;
}

std::string encode_task(std::uint64_t task) {
  std::string bytes;
  put(bytes, task);
  return bytes;
}

std::uint64_t decode_task(std::string_view bytes) { return take<std::uint64_t>(bytes); }

std::optional<std::uint64_t> RemotePort::next_task() {
  Backoff backoff;
  while (true) {
    while (take_message()) backoff.reset();
    tell();
    if (finishing_ || !tasks_.empty()) return task_at_hand();
    std::this_thread::sleep_for(backoff.next());
  }
}

std::optional<std::uint64_t> RemotePort::task_at_hand() {
  while (tasks_.empty() && take_message()) {
  }
  if (finishing_ || tasks_.empty()) return {};
  const std::uint64_t task = tasks_.front();
  tasks_.pop_front();
  return task;
}

void RemotePort::deliver(Ended ended) {
  session_.send(0, static_cast<int>(Tag::ended), encode(ended), [this] { tell(); });
}

bool RemotePort::stopping() {
  const auto now = std::chrono::steady_clock::now();
  if (now - last_look_ >= look_interval) {
    last_look_ = now;
    while (take_message()) {
    }
    tell();
  }
  return finishing_;
}

/// Says that this rank lives, and that it was asked to stop.
void RemotePort::tell() {
  const auto now = Clock::now();
  if (now - last_told_ >= alive_interval) {
    session_.post(0, static_cast<int>(Tag::alive), "");
    last_told_ = now;
  }
  if (!finishing_ && hooks_.stop_reason) ask_to_stop(now);
}

/// Launchers end all ranks by a signal when one has died. If that was rank 0, one of the others has to speak,
/// before it is killed as well.
void RemotePort::ask_to_stop(Clock::time_point now) {
  if (!asked_to_stop_) {
    const std::string reason = hooks_.stop_reason();
    if (reason.empty()) return;
    session_.post(0, static_cast<int>(Tag::stop), reason);
    asked_to_stop_ = now;
  }
  if (session_.rank() == 1 && !has_complained_ && now - *asked_to_stop_ > complaint_after) {
    core::log(core::LogLevel::warning, "rank 0 on {} does not answer; if it has died, {}",
              session_.hosts().front(), hooks_.advice);
    has_complained_ = true;
  }
  if (now - *asked_to_stop_ > answer_limit)
    throw std::runtime_error("asked to stop, and rank 0 does not answer");
}

bool RemotePort::take_message() {
  const auto message = session_.try_receive();
  if (!message) return false;
  if (message->tag == static_cast<int>(Tag::finish)) finishing_ = true;
  if (message->tag == static_cast<int>(Tag::task)) tasks_.push_back(decode_task(message->bytes));
  if (message->tag == static_cast<int>(Tag::recall)) {
    const std::uint64_t task = decode_task(message->bytes);
    if (std::erase(tasks_, task) > 0) deliver({task, Scheduler::End::returned});
  }
  return true;
}

}  // namespace kinetune::parallel
