#include "estimate/part_run.hpp"

#include <utility>

#include "simulate/lane_integrator.hpp"

namespace kinetune::estimate {
namespace {

simulate::IntegratorOptions with_method(simulate::IntegratorOptions options, simulate::Method method) {
  options.method = method;
  return options;
}

}  // namespace

PartRun::PartRun(const Part& part, jit::ModelCode code, const simulate::IntegratorOptions& options)
    : part_(part),
      model_(std::move(code)),
      options_(with_method(options, simulate::settled(options, model_.code()))),
      run_(model_, part_, options_) {
  const jit::ModelCode& own = model_.code();
  if (options_.lanes < 2 || own.lanes != options_.lanes || !simulate::has_lanes(own, options_.method)) return;
  const int n_members = simulate::LaneGroup::suggested_members(own);
  group_ = std::make_unique<simulate::LaneGroup>(model_, options_, n_members);
  for (int i = 0; i < n_members; ++i) {
    members_.push_back(std::make_unique<SimulationRun>(model_, part_, options_, group_->integrator(i)));
  }
}

void PartRun::for_each(std::size_t n_jobs, const std::function<void(std::size_t, SimulationRun&)>& job) {
  if (group_) {
    group_->run(n_jobs, [&](std::size_t number, int member) { job(number, *members_[member]); });
    return;
  }
  for (std::size_t number = 0; number < n_jobs; ++number) job(number, run_);
}

SimulationRun& PartRun::cvodes() {
  if (!has_other_method()) return run_;
  if (!cvodes_) {
    cvodes_ = std::make_unique<SimulationRun>(model_, part_, with_method(options_, simulate::Method::cvodes));
  }
  return *cvodes_;
}

}  // namespace kinetune::estimate
