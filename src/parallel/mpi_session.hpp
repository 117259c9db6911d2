#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "parallel/communicator.hpp"

namespace kinetune::parallel {

/// MPI between its beginning and its end.
class MpiRuntime {
 protected:
  /// @throws core::Error when MPI has no full thread support
  MpiRuntime(int& argc, char**& argv);
  ~MpiRuntime();
  MpiRuntime(const MpiRuntime&) = delete;
  MpiRuntime& operator=(const MpiRuntime&) = delete;
};

/// MPI from the beginning to the end of a program, and all its ranks; one instance a process. A process that
/// mpirun did not start is rank 0 of 1.
class MpiSession : private MpiRuntime, public Communicator {
 public:
  /// @param largest_part  bytes in one MPI message; longer ones travel in parts (MPI counts with an int)
  /// @throws core::Error when MPI has no full thread support
  MpiSession(int& argc, char**& argv, std::size_t largest_part = std::size_t{1} << 30);
  /// Finalises MPI; but when an exception takes this rank out of its scope, ends the whole job, because the
  /// others would wait for it forever.
  ~MpiSession();

  const std::string& host() const { return hosts_[static_cast<std::size_t>(rank())]; }
  const std::vector<std::string>& hosts() const { return hosts_; }  ///< by rank

  /// Ends all ranks at once.
  [[noreturn]] void abort(int exit_code) { abort_all(exit_code); }

 private:
  int exceptions_at_start_;
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
