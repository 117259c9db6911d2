#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "estimate/posterior.hpp"
#include "parallel/communicator.hpp"
#include "parallel/work_queue.hpp"
#include "sample/sampler.hpp"
#include "study/evaluation_batch.hpp"
#include "study/fit.hpp"
#include "study/share_team.hpp"

namespace kinetune::study {

/// How the ranks of a session divide its starts. Results do not depend on it.
struct Division {
  parallel::Teams teams;  ///< ranks to a start
  int n_slots;            ///< starts to a rank, side by side; 1 where a team has several ranks
};

/// How many starts a rank may have under way at once, as far as it is no matter of lanes. One where a start
/// or an evaluation has a limit of time: it would be used up by others.
/// @param n_starts  that are left
int starts_at_once(const FitSession&, const FitOptions&, std::uint64_t n_starts, int n_ranks);

/// Teams, as many as starts are left, where there are more ranks; none has more ranks than there are shares
/// of an evaluation. Without teams, as many starts to a rank as fill its lanes. Unless the session says
/// otherwise.
Division divide(const FitSession&, const FitOptions&, std::uint64_t n_starts, int n_ranks,
                const estimate::Posterior&);

/// What a rank does in a study: refines starts, several of them side by side or each with a team of ranks.
class StartWorker {
 public:
  /// Collective. @param options, posterior  must outlive the object
  StartWorker(parallel::MpiSession&, const FitOptions& options, sample::Sampler,
              estimate::Posterior& posterior, const Division&);

  /// Collective: the starts that rank 0 names, as run_tasks does them. Results are bytes of StartOutcome.
  parallel::QueueReport refine(std::span<const std::uint64_t> starts, const parallel::QueueHooks&);

 private:
  std::optional<std::string> refine(std::uint64_t id, parallel::Slot&);
  void serve(const parallel::StopCheck&);

  parallel::MpiSession& mpi_;
  const FitOptions& options_;
  sample::Sampler sampler_;
  estimate::Posterior& posterior_;
  Division division_;
  std::unique_ptr<parallel::Communicator> communicator_;
  ShareTeam team_;
  EvaluationBatch batch_;
};

}  // namespace kinetune::study
