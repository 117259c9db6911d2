#include "study/run_start.hpp"

namespace kinetune::study {
namespace {

/// Keeps the iterates, and passes a stop request on.
class TraceKeeper final : public optimize::Observer {
 public:
  TraceKeeper(std::vector<store::TraceRow>& trace, const std::function<bool()>& stop_requested)
      : trace_(trace), stop_requested_(stop_requested) {}

  Verdict observe(const optimize::Iterate& i) override {
    trace_.push_back({static_cast<std::uint64_t>(i.iteration), static_cast<std::uint64_t>(i.n_fval),
                      i.seconds, i.fval, i.gradient_norm, std::vector<double>(i.x.begin(), i.x.end())});
    return Verdict::proceed;
  }
  bool interrupts() override { return stop_requested_(); }

 private:
  std::vector<store::TraceRow>& trace_;
  const std::function<bool()>& stop_requested_;
};

store::StartStatus status_of(optimize::Termination termination) {
  using optimize::Termination;
  if (is_converged(termination)) return store::StartStatus::converged;
  switch (termination) {
    case Termination::max_iterations:
    case Termination::max_evaluations:
    case Termination::max_time:
      return store::StartStatus::limit_reached;
    case Termination::observer:
      return store::StartStatus::stopped;
    default:
      return store::StartStatus::stalled;
  }
}

void describe(const optimize::Optimum& optimum, store::ResultRow& row) {
  row.x = optimum.x;
  row.fval = optimum.fval;
  row.fval0 = optimum.fval_start;
  row.gradient_norm = optimum.gradient_norm;
  row.status = status_of(optimum.termination);
  row.message =
      std::string(name(optimum.termination)) + (optimum.detail.empty() ? "" : ": " + optimum.detail);
  row.n_iterations = static_cast<std::uint64_t>(optimum.n_iterations);
  row.n_fval = static_cast<std::uint64_t>(optimum.n_fval);
  row.n_grad = static_cast<std::uint64_t>(optimum.n_gradient);
  row.n_hess = static_cast<std::uint64_t>(optimum.n_hessian);
  row.n_fallback = static_cast<std::uint64_t>(optimum.n_fallback);
  row.wall_seconds = optimum.seconds;
}

void describe(const optimize::StartFailure& failure, store::ResultRow& row) {
  row.status = store::StartStatus::failed;
  row.message = failure.why.reason;
  row.condition = failure.why.condition;
  row.time = failure.why.time;
  row.wall_seconds = failure.seconds;
}

}  // namespace

std::optional<StartOutcome> run_start(std::uint64_t id, const sample::Sampler& sampler,
                                      std::string_view source, optimize::Objective& objective,
                                      const optimize::LocalOptions& options, std::uint64_t n_redraws,
                                      const std::function<bool()>& stop_requested) {
  StartOutcome outcome;
  outcome.start = {.id = id, .source = std::string(source), .x0 = sampler.sample(id)};
  outcome.result.start_id = id;
  outcome.result.x.assign(outcome.start.x0.size(), store::not_a_number);
  TraceKeeper keeper(outcome.trace, stop_requested);

  auto result = minimize(objective, outcome.start.x0, options, &keeper);
  while (!result && outcome.start.n_redraws < n_redraws && !stop_requested()) {
    outcome.start.x0 = sampler.redraw(id, outcome.start.n_redraws++);
    result = minimize(objective, outcome.start.x0, options, &keeper);
  }

  const bool was_stopped = result ? result->termination == optimize::Termination::observer : stop_requested();
  if (was_stopped) return std::nullopt;
  if (result)
    describe(*result, outcome.result);
  else
    describe(result.error(), outcome.result);
  outcome.result.n_fval += outcome.start.n_redraws + (result ? 0 : 1);
  outcome.start.f0 = outcome.result.fval0;
  return outcome;
}

}  // namespace kinetune::study
