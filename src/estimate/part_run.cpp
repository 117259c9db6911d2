#include "estimate/part_run.hpp"

#include <utility>

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
      options_(with_method(options, simulate::settled(options.method, model_.code()))),
      run_(model_, part_, options_) {}

SimulationRun& PartRun::cvodes() {
  if (!has_other_method()) return run_;
  if (!cvodes_) {
    cvodes_ = std::make_unique<SimulationRun>(model_, part_, with_method(options_, simulate::Method::cvodes));
  }
  return *cvodes_;
}

}  // namespace kinetune::estimate
