#include "parallel/mpi_session.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <exception>

#include <mpi.h>

#include "core/log.hpp"

namespace kinetune::parallel {

MpiRuntime::MpiRuntime(int& argc, char**& argv) {
  int provided = MPI_THREAD_SINGLE;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &provided);
  if (provided >= MPI_THREAD_MULTIPLE) return;
  MPI_Finalize();
  throw core::Error({}, "this MPI library does not let several threads of a process communicate",
                    "use one built with MPI_THREAD_MULTIPLE");
}

MpiRuntime::~MpiRuntime() { MPI_Finalize(); }

MpiSession::MpiSession(int& argc, char**& argv, std::size_t largest_part)
    : MpiRuntime(argc, argv), Communicator(largest_part), exceptions_at_start_(std::uncaught_exceptions()) {
  std::array<char, MPI_MAX_PROCESSOR_NAME> own{};
  int length = 0;
  MPI_Get_processor_name(own.data(), &length);
  const std::string names = all_gather({own.data(), own.size()});
  for (int rank = 0; rank < size(); ++rank) hosts_.emplace_back(names.data() + rank * own.size());
}

MpiSession::~MpiSession() {
  if (std::uncaught_exceptions() > exceptions_at_start_) {
    core::log(core::LogLevel::error, "rank {} on {} was left by an exception", rank(), host());
    abort(1);
  }
  wait_for_posted();
  barrier();  // MPI_Finalize waits for the slowest rank without sleeping
}

std::string share_verdict(MpiSession& session, const std::function<std::string()>& on_rank_0) {
  std::string answer;  // one letter for good or bad, then the bytes or the message
  if (session.rank() == 0) {
    try {
      answer = "+" + on_rank_0();
    } catch (const core::Error& error) {
      answer = std::string("-") + error.what();
    }
  }
  answer = session.broadcast(std::move(answer));
  if (answer.at(0) == '-') throw SharedError(answer.substr(1));
  answer.erase(0, 1);
  return answer;
}

int run_guarded(MpiSession& session, const std::function<int()>& body) {
  const auto leave = [&session](const char* what, int exit_code) {
    if (session.size() == 1) {
      core::log(core::LogLevel::error, "{}", what);
      return exit_code;
    }
    core::log(core::LogLevel::error, "rank {} on {}: {}", session.rank(), session.host(), what);
    session.abort(exit_code);
  };
  try {
    return body();
  } catch (const SharedError& error) {
    if (session.rank() == 0) core::log(core::LogLevel::error, "{}", error.what());
    return 2;
  } catch (const core::Error& error) {
    return leave(error.what(), 2);
  } catch (const std::exception& error) {
    return leave(error.what(), 1);
  }
}

bool started_by_launcher() {
  constexpr std::array variables{"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"};
  return std::ranges::any_of(variables, [](const char* name) { return std::getenv(name) != nullptr; });
}

int run_on_first_rank(int& argc, char**& argv, const std::function<int()>& body) {
  if (!started_by_launcher()) return body();
  MpiSession session(argc, argv);
  return run_guarded(
      session, [&] { return std::stoi(share_verdict(session, [&] { return std::to_string(body()); })); });
}

}  // namespace kinetune::parallel
