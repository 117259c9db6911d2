#include "parallel/communicator.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <exception>
#include <list>
#include <thread>

#include <mpi.h>

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

void receive(MPI_Message message, char* into, int length) {
  MPI_Request request = MPI_REQUEST_NULL;
  MPI_Imrecv(into, length, MPI_BYTE, &message, &request);
  wait(request);
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

struct Communicator::Impl {
  MPI_Comm communicator = MPI_COMM_NULL;
  std::size_t largest_part = 0;

  struct Posted {
    std::string wire;
    MPI_Request request;
  };
  std::list<Posted> posted = {};

  void forget_delivered() {
    posted.remove_if([](Posted& message) {
      int done = 0;
      MPI_Test(&message.request, &done, MPI_STATUS_IGNORE);
      return done != 0;
    });
  }
};

Communicator::Communicator(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {
  MPI_Comm_rank(impl_->communicator, &rank_);
  MPI_Comm_size(impl_->communicator, &size_);
}

Communicator::Communicator(std::size_t largest_part)
    : Communicator([largest_part] {
        assert(largest_part >= sizeof(std::uint64_t));
        auto impl = std::make_unique<Impl>(Impl{.largest_part = largest_part});
        MPI_Comm_dup(MPI_COMM_WORLD,
                     &impl->communicator);  // our own: libraries' messages and ours do not meet
        return impl;
      }()) {}

Communicator::~Communicator() {
  wait_for_posted();
  MPI_Comm_free(&impl_->communicator);
}

std::unique_ptr<Communicator> Communicator::split(int part) const {
  auto impl = std::make_unique<Impl>(Impl{.largest_part = impl_->largest_part});
  MPI_Comm_split(impl_->communicator, part, rank_, &impl->communicator);
  return std::unique_ptr<Communicator>(new Communicator(std::move(impl)));
}

void Communicator::abort_all(int exit_code) {
  MPI_Abort(impl_->communicator, exit_code);
  std::terminate();  // not reached
}

void Communicator::wait_for_posted() {
  for (Impl::Posted& message : impl_->posted) wait(message.request);
  impl_->posted.clear();
}

std::string Communicator::all_gather(std::string_view bytes) {
  const int n = static_cast<int>(bytes.size());
  std::string all(bytes.size() * static_cast<std::size_t>(size_), '\0');
  MPI_Request request = MPI_REQUEST_NULL;
  MPI_Iallgather(bytes.data(), n, MPI_BYTE, all.data(), n, MPI_BYTE, impl_->communicator, &request);
  wait(request);
  return all;
}

std::string Communicator::broadcast(std::string bytes) {
  std::uint64_t length = bytes.size();
  const auto share = [this](void* data, int n) {
    MPI_Request request = MPI_REQUEST_NULL;
    MPI_Ibcast(data, n, MPI_BYTE, 0, impl_->communicator, &request);
    wait(request);
  };
  share(&length, sizeof length);
  bytes.resize(length);
  for_each_part(length, impl_->largest_part,
                [&](std::size_t offset, int n) { share(bytes.data() + offset, n); });
  return bytes;
}

void Communicator::barrier() {
  MPI_Request request = MPI_REQUEST_NULL;
  MPI_Ibarrier(impl_->communicator, &request);
  wait(request);
}

void Communicator::send(int to, int tag, std::string_view bytes, const std::function<void()>& meanwhile) {
  const std::string wire = with_length(bytes);
  for_each_part(wire.size(), impl_->largest_part, [&](std::size_t offset, int n) {
    MPI_Request request = MPI_REQUEST_NULL;
    MPI_Isend(wire.data() + offset, n, MPI_BYTE, to, offset == 0 ? tag : continuation_tag,
              impl_->communicator, &request);
    wait(request, meanwhile);
  });
}

void Communicator::post(int to, int tag, std::string_view bytes) {
  impl_->forget_delivered();
  Impl::Posted& message = impl_->posted.emplace_back(with_length(bytes), MPI_REQUEST_NULL);
  assert(message.wire.size() <= impl_->largest_part);
  MPI_Isend(message.wire.data(), static_cast<int>(message.wire.size()), MPI_BYTE, to, tag,
            impl_->communicator, &message.request);
}

std::optional<Message> Communicator::try_receive() {
  impl_->forget_delivered();
  int found = 0, n = 0;
  MPI_Message handle = MPI_MESSAGE_NULL;
  MPI_Status status;
  // Tags of beginnings only come first: a sender's further parts are fetched below before anything else of
  // it.
  MPI_Improbe(MPI_ANY_SOURCE, MPI_ANY_TAG, impl_->communicator, &found, &handle, &status);
  if (!found) return {};
  MPI_Get_count(&status, MPI_BYTE, &n);
  std::string wire(static_cast<std::size_t>(n), '\0');
  receive(handle, wire.data(), n);

  std::uint64_t length = 0;
  std::memcpy(&length, wire.data(), sizeof length);
  std::size_t arrived = wire.size();
  wire.resize(sizeof length + length);
  while (arrived < wire.size()) {
    const int part = static_cast<int>(std::min(impl_->largest_part, wire.size() - arrived));
    MPI_Request request = MPI_REQUEST_NULL;
    MPI_Irecv(wire.data() + arrived, part, MPI_BYTE, status.MPI_SOURCE, continuation_tag, impl_->communicator,
              &request);
    wait(request);
    arrived += static_cast<std::size_t>(part);
  }
  wire.erase(0, sizeof length);
  return Message{status.MPI_SOURCE, status.MPI_TAG, std::move(wire)};
}

}  // namespace kinetune::parallel
