#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <vector>

#include "estimate/simulation_run.hpp"
#include "simulate/lane_group.hpp"

namespace kinetune::estimate {

/// A part of a problem and its model, with the method asked for and the one that can take its place.
class PartRun {
 public:
  /// @param part  must outlive the object
  PartRun(const Part& part, jit::ModelCode, const simulate::IntegratorOptions&);
  PartRun(const PartRun&) = delete;

  const Part& part() const { return part_; }
  const std::vector<Share>& shares() const { return run_.shares(); }
  std::size_t most_columns() const { return run_.most_columns(); }
  bool has_other_method() const { return options_.method != simulate::Method::cvodes; }
  SimulationRun& cvodes();  ///< the method asked for where there is no other

  bool goes_side_by_side() const { return group_ != nullptr; }
  /// Jobs that keep what goes side by side busy; 1 where nothing does.
  std::size_t jobs_at_once() const { return std::max<std::size_t>(members_.size(), 1); }
  /// Calls a job for each number below n_jobs, with what it can carry a share out with: side by side where
  /// the options have lanes and the model can, otherwise one after the other. Jobs begin in their order.
  void for_each(std::size_t n_jobs, const std::function<void(std::size_t number, SimulationRun&)>& job);

 private:
  const Part& part_;
  jit::CompiledModel model_;
  simulate::IntegratorOptions options_;  // with a settled method
  SimulationRun run_;
  std::unique_ptr<SimulationRun> cvodes_;                // made when first needed
  std::unique_ptr<simulate::LaneGroup> group_;           // where there are lanes
  std::vector<std::unique_ptr<SimulationRun>> members_;  // of the group
};

}  // namespace kinetune::estimate
