#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"

namespace kinetune::parallel {

/// What one rank tells another. Any size.
struct Message {
  int from;
  int tag;
  std::string bytes;
};

/// MPI from the beginning to the end of a program; one instance a process. A process that mpirun did not
/// start is rank 0 of 1. Whoever waits here sleeps in between: MPI's own waiting would take a core.
class MpiSession {
 public:
  /// @param largest_part  bytes in one MPI message; longer ones travel in parts (MPI counts with an int)
  /// @throws core::Error when MPI has no full thread support
  MpiSession(int& argc, char**& argv, std::size_t largest_part = std::size_t{1} << 30);
  MpiSession(const MpiSession&) = delete;
  MpiSession& operator=(const MpiSession&) = delete;
  /// Finalises MPI; but when an exception takes this rank out of its scope, ends the whole job, because the
  /// others would wait for it forever.
  ~MpiSession();

  int rank() const { return rank_; }
  int size() const { return size_; }
  const std::string& host() const { return hosts_[static_cast<std::size_t>(rank_)]; }
  const std::vector<std::string>& hosts() const { return hosts_; }  ///< by rank

  /// Ends all ranks at once.
  [[noreturn]] void abort(int exit_code);

  /// The bytes of rank 0, on all ranks. Collective.
  std::string broadcast(std::string bytes);
  /// Returns when all ranks have called it.
  void barrier();

  // Messages between two ranks: from one thread a rank at a time, tag in 0..1000.

  /// Returns when the receiver has taken a long message; a short one is on its way.
  /// @param meanwhile  called now and then while waiting for the receiver
  void send(
      int to, int tag, std::string_view bytes, const std::function<void()>& meanwhile = [] {});
  /// Never waits for the receiver. For short messages.
  void post(int to, int tag, std::string_view bytes);
  /// A message that has arrived, if there is one. Messages of one sender keep their order.
  std::optional<Message> try_receive();

 private:
  void share_hosts();

  struct Impl;
  std::unique_ptr<Impl> impl_;
  int rank_ = 0;
  int size_ = 1;
  std::vector<std::string> hosts_;
};

/// An error that every rank throws alike, so that all leave together and one speaks.
class SharedError : public core::Error {
 public:
  explicit SharedError(std::string what) : core::Error({}, std::move(what)) {}
};

/// Runs the function on rank 0 and gives all ranks what it returns. Collective.
/// @throws SharedError on all ranks when the function throws core::Error
std::string share_verdict(MpiSession&, const std::function<std::string()>& on_rank_0);

/// Runs a program's body and returns its exit code. SharedError: rank 0 prints it, all return 2. Any other
/// exception is printed by the rank that throws it and ends the whole job: exit code 2 for core::Error,
/// otherwise 1.
int run_guarded(MpiSession&, const std::function<int()>& body);

/// Whether mpirun, or another launcher that speaks PMI, has started this process.
bool started_by_launcher();
/// For programs that compute on one rank: under a launcher rank 0 runs the body, and all return what it
/// returns; alone it is run without MPI.
int run_on_first_rank(int& argc, char**& argv, const std::function<int()>& body);

}  // namespace kinetune::parallel
