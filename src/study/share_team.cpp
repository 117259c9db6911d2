#include "study/share_team.hpp"

#include <algorithm>
#include <chrono>
#include <numeric>
#include <optional>
#include <sstream>
#include <thread>

#include <cereal/archives/binary.hpp>
#include <cereal/types/optional.hpp>
#include <cereal/types/string.hpp>
#include <cereal/types/vector.hpp>

#include "parallel/backoff.hpp"

namespace kinetune::optimize {

template <class Archive>
void serialize(Archive& archive, EvaluationFailure& f) {
  archive(f.reason, f.condition, f.time, f.state);
}

}  // namespace kinetune::optimize

namespace kinetune::estimate {

template <class Archive>
void serialize(Archive& archive, LikelihoodSums& s) {
  archive(s.nllh, s.chi2, s.gradient, s.gauss_newton, s.n_rates);
}

template <class Archive>
void serialize(Archive& archive, LeastSquares& s) {
  archive(s.residuals, s.jacobian);
}

template <class Archive>
void serialize(Archive& archive, ShareOutcomes& o) {
  archive(o.sums, o.seconds, o.failure, o.has_fallen_back, o.squares);
}

}  // namespace kinetune::estimate

namespace kinetune::study {
namespace {

using Clock = std::chrono::steady_clock;

enum class Tag : int {
  carry_out,  ///< leader -> helper: a request
  outcomes,   ///< helper -> leader
  dismiss,    ///< leader -> helper: no more requests
};

struct Request {
  optimize::Order order;
  std::vector<double> x;
  std::vector<std::size_t> shares;  ///< ascending

  template <class Archive>
  void serialize(Archive& archive) {
    archive(order, x, shares);
  }
};

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// Numbers go as they lie in memory: all ranks of a job are of one kind.
template <class T>
std::string to_bytes(const T& value) {
  std::ostringstream stream;
  cereal::BinaryOutputArchive{stream}(value);
  return std::move(stream).str();
}

template <class T>
T from_bytes(const std::string& bytes) {
  std::istringstream stream(bytes);
  T value;
  cereal::BinaryInputArchive{stream}(value);
  return value;
}

/// Rows that are not ours are zeros.
void add_rows(std::vector<double>& to, const std::vector<double>& from) {
  if (to.empty()) to.resize(from.size());
  for (std::size_t i = 0; i < from.size(); ++i)
    if (from[i] != 0) to[i] = from[i];
}

}  // namespace

ShareTeam::ShareTeam(parallel::Communicator& team, estimate::Posterior& posterior)
    : team_(team), posterior_(posterior), costs_(posterior.n_shares(), 1.0) {
  if (team_.rank() == 0 && team_.size() > 1)
    posterior_.set_carrier([this](std::span<const double> x, optimize::Order o) { return carry_out(x, o); });
}

ShareTeam::~ShareTeam() { posterior_.set_carrier({}); }

void ShareTeam::dismiss() {
  for (int rank = 1; rank < team_.size(); ++rank) team_.post(rank, static_cast<int>(Tag::dismiss), "");
}

double ShareTeam::take_helpers_seconds() { return std::exchange(helpers_seconds_, 0.0); }

/// The longest first, each to the rank that has least to do so far.
std::vector<std::vector<std::size_t>> ShareTeam::assign() const {
  std::vector<std::size_t> by_cost(costs_.size());
  std::iota(by_cost.begin(), by_cost.end(), 0);
  std::ranges::stable_sort(by_cost, std::greater<>(), [this](std::size_t share) { return costs_[share]; });
  std::vector<std::vector<std::size_t>> assigned(static_cast<std::size_t>(team_.size()));
  std::vector<double> load(assigned.size());
  for (const std::size_t share : by_cost) {
    const auto least = static_cast<std::size_t>(std::ranges::min_element(load) - load.begin());
    assigned[least].push_back(share);
    load[least] += costs_[share];
  }
  // In its order each rank's first failure is that of its first share that fails.
  for (auto& shares : assigned) std::ranges::sort(shares);
  return assigned;
}

ShareTeam::Outcomes ShareTeam::carry_out(std::span<const double> x, optimize::Order order) {
  const auto assigned = assign();
  std::size_t n_asked = 0;
  for (std::size_t rank = 1; rank < assigned.size(); ++rank) {
    if (assigned[rank].empty()) continue;
    const Request request{order, {x.begin(), x.end()}, assigned[rank]};
    team_.send(static_cast<int>(rank), static_cast<int>(Tag::carry_out), to_bytes(request));
    ++n_asked;
  }
  Outcomes own = posterior_.evaluate_shares(x, order, assigned.front());
  const Clock::time_point begin = Clock::now();
  std::vector<Outcomes> parts = collect(n_asked);
  seconds_waited_ += seconds_since(begin);
  parts.front() = std::move(own);
  return join(assigned, std::move(parts));
}

/// Answers by rank; a place that nobody has filled is empty.
std::vector<ShareTeam::Outcomes> ShareTeam::collect(std::size_t n_asked) {
  std::vector<Outcomes> parts(static_cast<std::size_t>(team_.size()));
  for (std::size_t i = 0; i < n_asked; ++i) {
    const parallel::Message message = wait_for_message(meanwhile_);
    Outcomes& part = parts[static_cast<std::size_t>(message.from)];
    part = from_bytes<Outcomes>(message.bytes);
    helpers_seconds_ += std::accumulate(part.seconds.begin(), part.seconds.end(), 0.0);
  }
  return parts;
}

ShareTeam::Outcomes ShareTeam::join(const std::vector<std::vector<std::size_t>>& assigned,
                                    std::vector<Outcomes> parts) {
  Outcomes all;
  all.sums.resize(costs_.size());
  all.seconds.resize(costs_.size());
  std::size_t first_failed = costs_.size();
  for (std::size_t rank = 0; rank < parts.size(); ++rank) {
    Outcomes& part = parts[rank];
    for (std::size_t i = 0; i < part.seconds.size(); ++i)
      all.seconds[assigned[rank][i]] = costs_[assigned[rank][i]] = part.seconds[i];
    for (std::size_t i = 0; i < part.sums.size(); ++i) all.sums[assigned[rank][i]] = std::move(part.sums[i]);
    add_rows(all.squares.residuals, part.squares.residuals);
    add_rows(all.squares.jacobian, part.squares.jacobian);
    all.has_fallen_back |= part.has_fallen_back;
    if (!part.failure || assigned[rank][part.sums.size()] > first_failed) continue;
    first_failed = assigned[rank][part.sums.size()];
    all.failure = std::move(part.failure);
  }
  all.sums.resize(first_failed);
  return all;
}

parallel::Message ShareTeam::wait_for_message(const std::function<void()>& meanwhile) {
  parallel::Backoff backoff;
  while (true) {
    if (auto message = team_.try_receive()) return std::move(*message);
    meanwhile();
    std::this_thread::sleep_for(backoff.next());
  }
}

double ShareTeam::help(const parallel::StopCheck& stop) {
  posterior_.set_interrupt(stop);
  double seconds_busy = 0;
  while (true) {
    const parallel::Message message = wait_for_message([&] { stop(); });
    if (message.tag == static_cast<int>(Tag::dismiss)) return seconds_busy;
    const Clock::time_point begin = Clock::now();
    const auto request = from_bytes<Request>(message.bytes);
    const Outcomes outcomes = posterior_.evaluate_shares(request.x, request.order, request.shares);
    seconds_busy += seconds_since(begin);
    team_.send(0, static_cast<int>(Tag::outcomes), to_bytes(outcomes), [&] { stop(); });
  }
}

}  // namespace kinetune::study
