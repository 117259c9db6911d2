#pragma once

#include <memory>

#include "estimate/simulation_run.hpp"

namespace kinetune::estimate {

/// A part of a problem and its model, with the method asked for and the one that can take its place.
class PartRun {
 public:
  /// @param part  must outlive the object
  PartRun(const Part& part, jit::ModelCode, const simulate::IntegratorOptions&);
  PartRun(const PartRun&) = delete;

  const Part& part() const { return part_; }
  SimulationRun& run() { return run_; }
  bool has_other_method() const { return options_.method != simulate::Method::cvodes; }
  SimulationRun& cvodes();  ///< the same as run() where there is no other method

 private:
  const Part& part_;
  jit::CompiledModel model_;
  simulate::IntegratorOptions options_;  // with a settled method
  SimulationRun run_;
  std::unique_ptr<SimulationRun> cvodes_;  // made when first needed
};

}  // namespace kinetune::estimate
