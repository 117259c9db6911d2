#include "parallel/mpi_session.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <list>
#include <thread>

#include <mpi.h>

#include "core/log.hpp"
#include "parallel/backoff.hpp"

namespace kinetune::parallel {
namespace {

constexpr int continuation_tag = 1001;   // further parts of a long message
constexpr int spins_of_a_transfer = 50;  // a transfer that is under way needs frequent calls to go on

void wait(
    MPI_Request request, const std::function<void()>& meanwhile = [] {}) {
  Backoff backoff;
  int done = 0;
  for (int i = 0; MPI_Test(&request, &done, MPI_STATUS_IGNORE), !done; ++i) {
    if (i < spins_of_a_transfer) continue;
    std::this_thread::sleep_for(backoff.next());
    meanwhile();
  }
}

/// Calls the action with (offset, length) of each part of so many bytes; once with length 0 if there are
/// none.
template <class Action>
void for_each_part(std::size_t n, std::size_t largest, const Action& action) {
  std::size_t offset = 0;
  do {
    const std::size_t length = std::min(largest, n - offset);
    action(offset, static_cast<int>(length));
    offset += length;
  } while (offset < n);
}

/// On the wire a message begins with its length, so that the receiver knows how many parts to expect.
std::string with_length(std::string_view bytes) {
  const std::uint64_t length = bytes.size();
  std::string wire(sizeof length + bytes.size(), '\0');
  std::memcpy(wire.data(), &length, sizeof length);
  std::ranges::copy(bytes, wire.begin() + sizeof length);
  return wire;
}

}  // namespace

struct MpiSession::Impl {
  MPI_Comm world = MPI_COMM_NULL;  // our own copy: libraries' messages and ours do not meet
  std::size_t largest_part = 0;
  int exceptions_at_start = std::uncaught_exceptions();

  struct Posted {
    std::string wire;
    MPI_Request request;
  };
  std::list<Posted> posted;

  void forget_delivered() {
    posted.remove_if([](Posted& message) {
      int done = 0;
      MPI_Test(&message.request, &done, MPI_STATUS_IGNORE);
      return done != 0;
    });
  }
  void receive(MPI_Message, char* into, int length);
};

void MpiSession::Impl::receive(MPI_Message message, char* into, int length) {
  MPI_Request request = MPI_REQUEST_NULL;
  MPI_Imrecv(into, length, MPI_BYTE, &message, &request);
  wait(request);
}

MpiSession::MpiSession(int& argc, char**& argv, std::size_t largest_part) : impl_(std::make_unique<Impl>()) {
  assert(largest_part >= sizeof(std::uint64_t));
  int provided = MPI_THREAD_SINGLE;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &provided);
  if (provided < MPI_THREAD_MULTIPLE) {
    MPI_Finalize();
    throw core::Error({}, "this MPI library does not let several threads of a process communicate",
                      "use one built with MPI_THREAD_MULTIPLE");
  }
  MPI_Comm_dup(MPI_COMM_WORLD, &impl_->world);
  MPI_Comm_rank(impl_->world, &rank_);
  MPI_Comm_size(impl_->world, &size_);
  impl_->largest_part = largest_part;
  share_hosts();
}

void MpiSession::share_hosts() {
  using Name = std::array<char, MPI_MAX_PROCESSOR_NAME>;
  Name own{};
  int length = 0;
  MPI_Get_processor_name(own.data(), &length);
  std::vector<Name> names(static_cast<std::size_t>(size_));
  MPI_Allgather(own.data(), own.size(), MPI_CHAR, names.data(), own.size(), MPI_CHAR, impl_->world);
  for (const Name& name : names) hosts_.emplace_back(name.data());
}

MpiSession::~MpiSession() {
  if (std::uncaught_exceptions() > impl_->exceptions_at_start) {
    core::log(core::LogLevel::error, "rank {} on {} was left by an exception", rank_, host());
    abort(1);
  }
  for (Impl::Posted& message : impl_->posted) wait(message.request);
  barrier();  // MPI_Finalize waits for the slowest rank without sleeping
  MPI_Comm_free(&impl_->world);
  MPI_Finalize();
}

void MpiSession::abort(int exit_code) {
  MPI_Abort(impl_->world, exit_code);
  std::terminate();  // not reached
}

std::string MpiSession::broadcast(std::string bytes) {
  std::uint64_t length = bytes.size();
  const auto share = [this](void* data, int n) {
    MPI_Request request = MPI_REQUEST_NULL;
    MPI_Ibcast(data, n, MPI_BYTE, 0, impl_->world, &request);
    wait(request);
  };
  share(&length, sizeof length);
  bytes.resize(length);
  for_each_part(length, impl_->largest_part,
                [&](std::size_t offset, int n) { share(bytes.data() + offset, n); });
  return bytes;
}

void MpiSession::barrier() {
  MPI_Request request = MPI_REQUEST_NULL;
  MPI_Ibarrier(impl_->world, &request);
  wait(request);
}

void MpiSession::send(int to, int tag, std::string_view bytes, const std::function<void()>& meanwhile) {
  const std::string wire = with_length(bytes);
  for_each_part(wire.size(), impl_->largest_part, [&](std::size_t offset, int n) {
    MPI_Request request = MPI_REQUEST_NULL;
    MPI_Isend(wire.data() + offset, n, MPI_BYTE, to, offset == 0 ? tag : continuation_tag, impl_->world,
              &request);
    wait(request, meanwhile);
  });
}

void MpiSession::post(int to, int tag, std::string_view bytes) {
  impl_->forget_delivered();
  Impl::Posted& message = impl_->posted.emplace_back(with_length(bytes), MPI_REQUEST_NULL);
  assert(message.wire.size() <= impl_->largest_part);
  MPI_Isend(message.wire.data(), static_cast<int>(message.wire.size()), MPI_BYTE, to, tag, impl_->world,
            &message.request);
}

std::optional<Message> MpiSession::try_receive() {
  impl_->forget_delivered();
  int found = 0, n = 0;
  MPI_Message handle = MPI_MESSAGE_NULL;
  MPI_Status status;
  // Tags of beginnings only come first: a sender's further parts are fetched below before anything else of
  // it.
  MPI_Improbe(MPI_ANY_SOURCE, MPI_ANY_TAG, impl_->world, &found, &handle, &status);
  if (!found) return {};
  MPI_Get_count(&status, MPI_BYTE, &n);
  std::string wire(static_cast<std::size_t>(n), '\0');
  impl_->receive(handle, wire.data(), n);

  std::uint64_t length = 0;
  std::memcpy(&length, wire.data(), sizeof length);
  std::size_t arrived = wire.size();
  wire.resize(sizeof length + length);
  while (arrived < wire.size()) {
    const int part = static_cast<int>(std::min(impl_->largest_part, wire.size() - arrived));
    MPI_Request request = MPI_REQUEST_NULL;
    MPI_Irecv(wire.data() + arrived, part, MPI_BYTE, status.MPI_SOURCE, continuation_tag, impl_->world,
              &request);
    wait(request);
    arrived += static_cast<std::size_t>(part);
  }
  wire.erase(0, sizeof length);
  return Message{status.MPI_SOURCE, status.MPI_TAG, std::move(wire)};
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
