#pragma once

#include <functional>
#include <vector>

#include "estimate/posterior.hpp"
#include "parallel/communicator.hpp"
#include "parallel/work_queue.hpp"

namespace kinetune::study {

/// Ranks that evaluate one posterior together, each with an instance of its own. The first leads: it runs the
/// optimiser, tells the others x, and adds up what each says of its shares. Which rank carries a share out
/// follows from how long it took before, the longest given first; the results do not depend on it.
class ShareTeam {
 public:
  /// From now on the leader's posterior leaves its shares to the team, if there is more than one rank.
  /// @param team, posterior  must outlive the object
  ShareTeam(parallel::Communicator& team, estimate::Posterior& posterior);
  ~ShareTeam();

  // The leader's.
  /// Called now and then while the leader waits for the others.
  void set_meanwhile(std::function<void()> meanwhile) { meanwhile_ = std::move(meanwhile); }
  void dismiss();
  double seconds_waited() const { return seconds_waited_; }
  /// CPU time of the others since the last call.
  double take_helpers_seconds();

  /// The others': carries shares out until the leader dismisses it.
  /// @returns the seconds that it was busy
  double help(const parallel::StopCheck&);

 private:
  using Outcomes = estimate::ShareOutcomes;

  Outcomes carry_out(std::span<const double> x, optimize::Order);
  std::vector<std::vector<std::size_t>> assign() const;
  std::vector<Outcomes> collect(std::size_t n_asked);
  parallel::Message wait_for_message(const std::function<void()>& meanwhile);
  Outcomes join(const std::vector<std::vector<std::size_t>>& assigned, std::vector<Outcomes> parts);

  parallel::Communicator& team_;
  estimate::Posterior& posterior_;
  std::vector<double> costs_;  ///< (n_shares) CPU seconds of each, as far as known
  std::function<void()> meanwhile_ = [] {};
  double seconds_waited_ = 0, helpers_seconds_ = 0;
};

}  // namespace kinetune::study
