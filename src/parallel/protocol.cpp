#include "parallel/protocol.hpp"

#include <cassert>
#include <cstring>
#include <thread>
#include <type_traits>

#include "parallel/backoff.hpp"

namespace kinetune::parallel {
namespace {

constexpr std::chrono::milliseconds look_interval{10};  // of a worker for messages while it works

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
  put(bytes, ended.result.has_value());
  return bytes.append(ended.result.value_or(""));
}

Ended decode_ended(std::string_view bytes) {
  const auto task = take<std::uint64_t>(bytes);
  const auto done = take<bool>(bytes);
  return {task, done ? std::optional<std::string>(bytes) : std::nullopt};
}

std::string encode(const RankUsage& usage) {
  std::string bytes;
  put(bytes, usage.rank);
  put(bytes, usage.busy_seconds);
  put(bytes, usage.idle_seconds);
  put(bytes, usage.n_tasks);
  return bytes.append(usage.host);
}

RankUsage decode_usage(std::string_view bytes) {
  RankUsage usage;
  usage.rank = take<int>(bytes);
  usage.busy_seconds = take<double>(bytes);
  usage.idle_seconds = take<double>(bytes);
  usage.n_tasks = take<std::uint64_t>(bytes);
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
    if (finishing_) return {};
    if (!tasks_.empty()) break;
    std::this_thread::sleep_for(backoff.next());
  }
  const std::uint64_t task = tasks_.front();
  tasks_.pop_front();
  return task;
}

void RemotePort::deliver(Ended ended) { session_.send(0, static_cast<int>(Tag::ended), encode(ended)); }

bool RemotePort::stopping() {
  const auto now = std::chrono::steady_clock::now();
  if (now - last_look_ >= look_interval) {
    last_look_ = now;
    while (take_message()) {
    }
  }
  return finishing_;
}

bool RemotePort::take_message() {
  const auto message = session_.try_receive();
  if (!message) return false;
  if (message->tag == static_cast<int>(Tag::finish)) finishing_ = true;
  if (message->tag == static_cast<int>(Tag::task)) tasks_.push_back(decode_task(message->bytes));
  return true;
}

}  // namespace kinetune::parallel
