#pragma once

#include <functional>
#include <memory>

#include "simulate/integrator.hpp"

namespace kinetune::simulate {

/// Carries out jobs, each written for one integration after the other, so that their integrations go side by
/// side: a job waits where it integrates, until all that are under way wait, too; then what they wait for is
/// done by a LaneIntegrator.
///
/// What becomes of a job does not depend on the others. One instance a thread.
class LaneGroup {
 public:
  /// @param model      as LaneIntegrator needs it
  /// @param n_members  jobs that are under way at once
  LaneGroup(const jit::CompiledModel& model, const IntegratorOptions& options, int n_members);
  ~LaneGroup();

  /// How many are worth while: so many that lanes seldom wait, so few that what is taped stays in caches.
  static int suggested_members(const jit::ModelCode&);

  /// What a member's jobs integrate with, within run(). It must not outlive the group.
  std::unique_ptr<Integrator> integrator(int member);

  /// @param job  called once for each number below n_jobs, started in this order, with the member that it
  ///             may use meanwhile; what it throws is thrown here, once all jobs have ended
  void run(std::size_t n_jobs, const std::function<void(std::size_t number, int member)>& job);

 private:
  struct Impl;
  class Port;
  std::unique_ptr<Impl> impl_;
};

}  // namespace kinetune::simulate
