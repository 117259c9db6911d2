#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace kinetune::parallel {

/// What one rank tells another. Any size.
struct Message {
  int from;
  int tag;
  std::string bytes;
};

/// Ranks that can talk to each other; messages of two communicators never meet. Whoever waits here sleeps in
/// between: MPI's own waiting would take a core.
class Communicator {
 public:
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;
  ~Communicator();

  int rank() const { return rank_; }
  int size() const { return size_; }

  /// The ranks that give the same number, in their order here. Collective.
  std::unique_ptr<Communicator> split(int part) const;

  /// The bytes of rank 0, on all ranks. Collective.
  std::string broadcast(std::string bytes);
  /// Returns when all ranks have called it.
  void barrier();
  /// Bytes of the same number from each rank, one after the other. Collective.
  std::string all_gather(std::string_view bytes);

  // Messages between two ranks: from one thread a rank at a time, tag in 0..1000.

  /// Returns when the receiver has taken a long message; a short one is on its way.
  /// @param meanwhile  called now and then while waiting for the receiver
  void send(
      int to, int tag, std::string_view bytes, const std::function<void()>& meanwhile = [] {});
  /// Never waits for the receiver. For short messages.
  void post(int to, int tag, std::string_view bytes);
  /// A message that has arrived, if there is one. Messages of one sender keep their order.
  std::optional<Message> try_receive();

 protected:
  /// Of all ranks; MPI must have begun.
  explicit Communicator(std::size_t largest_part);

  /// Ends all ranks of the job, whatever they are at.
  [[noreturn]] void abort_all(int exit_code);
  /// Until all that was posted has been taken.
  void wait_for_posted();

 private:
  struct Impl;
  explicit Communicator(std::unique_ptr<Impl>);

  std::unique_ptr<Impl> impl_;
  int rank_ = 0;
  int size_ = 1;
};

}  // namespace kinetune::parallel
