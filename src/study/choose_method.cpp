#include "study/choose_method.hpp"

#include <algorithm>
#include <limits>

#include "core/cpu_time.hpp"

namespace kinetune::study {
namespace {

using estimate::Sensitivities;
using simulate::Method;

using core::thread_cpu_seconds;

// Of CPU time: after so much at one point, no others are looked at.
constexpr double patience = 0.3;
constexpr int repeats = 3;  // the least of so many times counts
constexpr double endless = std::numeric_limits<double>::infinity();

/// One way to evaluate the objective, and how it has done so far.
struct Candidate {
  estimate::PosteriorOptions options;
  std::unique_ptr<estimate::Posterior> posterior;
  double seconds = 0;
  int n_failed = 0;
  bool was_broken_off = false;
};

std::vector<int> lanes_to_try(const std::vector<jit::ModelCode>& codes, Method method, int asked) {
  if (asked != 0) return {asked};
  int most = 1;
  for (const jit::ModelCode& code : codes) most = std::max(most, code.lanes);
  if (most == 1 || method == Method::cvodes) return {1};
  return {1, most};
}

std::vector<Candidate> candidates(const estimate::Problem& problem, const std::vector<jit::ModelCode>& codes,
                                  optimize::Order order, const estimate::PosteriorOptions& options) {
  const bool has_curvature =
      std::ranges::all_of(codes, [](const jit::ModelCode& code) { return code.curvature.is_present; });
  std::vector<Candidate> result;
  for (const Method method : {Method::rodas5p, Method::rodas4p2, Method::cvodes}) {
    const Method asked = options.integrator.method;
    if (asked != Method::automatic && method != asked) continue;
    if (asked == Method::automatic && method != Method::cvodes && !has_curvature) continue;
    // Adjoints first: no other way takes as long as forward sensitivities of many parameters.
    for (const Sensitivities sensitivities : {Sensitivities::adjoint, Sensitivities::forward}) {
      if (options.sensitivities != Sensitivities::automatic && sensitivities != options.sensitivities)
        continue;
      // Only forward sensitivities give Gauss-Newton matrices and Jacobians of residuals.
      const bool both_mean_forward =
          order >= optimize::Order::gauss_newton && options.sensitivities == Sensitivities::automatic;
      if (both_mean_forward && sensitivities == Sensitivities::adjoint) continue;
      for (const int lanes : lanes_to_try(codes, method, options.integrator.lanes)) {
        Candidate candidate{options, nullptr};
        candidate.options.integrator.method = method;
        candidate.options.integrator.lanes = lanes;
        candidate.options.sensitivities = sensitivities;
        candidate.options.fallback = estimate::Fallback::none;
        candidate.posterior = std::make_unique<estimate::Posterior>(problem, codes, candidate.options);
        result.push_back(std::move(candidate));
      }
    }
  }
  return result;
}

/// Points of the same mix, over and over, to make up whole batches.
std::vector<std::vector<double>> repeated(std::span<const std::vector<double>> points, std::size_t batch) {
  std::vector<std::vector<double>> result;
  while (result.size() < points.size() || result.size() % batch != 0)
    result.push_back(points[result.size() % points.size()]);
  return result;
}

/// How long a way may take for what the best one so far needed `best` seconds for. Short times are uncertain.
double longest(double best) { return best > 0.1 ? best : 2 * best + 0.02; }

/// Looks at all candidates at some points.
class Trial {
 public:
  Trial(std::span<const std::vector<double>> points, std::size_t n_at_once, optimize::Order order,
        const std::function<bool()>& stopping)
      : points_(points), n_at_once_(n_at_once), order_(order), stopping_(stopping) {}

  void look_at(Candidate&);
  double seconds() const { return seconds_; }  ///< CPU time of it all

 private:
  std::span<const std::vector<double>> points_;
  std::size_t n_at_once_;
  optimize::Order order_;
  const std::function<bool()>& stopping_;
  double best_ = endless;  // seconds for one of the points
  double seconds_ = 0;
};

void Trial::look_at(Candidate& candidate) {
  if (candidate.was_broken_off) return;
  const std::size_t batch = std::min(n_at_once_, candidate.posterior->points_at_once());
  const auto asked = repeated(points_, batch);
  const double start = thread_cpu_seconds(), limit = longest(best_ * static_cast<double>(asked.size()));
  double least = endless, before = start;
  int n_failed = 0;
  candidate.posterior->set_interrupt([&] {
    if (!candidate.was_broken_off)
      candidate.was_broken_off = stopping_() || thread_cpu_seconds() - before > limit;
    return candidate.was_broken_off;
  });
  for (int i = 0; i < repeats && n_failed == 0 && thread_cpu_seconds() - start < patience / 10; ++i) {
    before = thread_cpu_seconds();
    for (std::size_t at = 0; at < asked.size(); at += batch) {
      const auto results = candidate.posterior->evaluate_all(std::span(asked).subspan(at, batch), order_);
      for (std::size_t k = 0; k < batch && at + k < points_.size(); ++k) n_failed += results[k] ? 0 : 1;
    }
    least = std::min(least, thread_cpu_seconds() - before);
  }
  candidate.posterior->set_interrupt({});
  const double a_point = least / static_cast<double>(asked.size());
  candidate.n_failed += n_failed;
  candidate.seconds += a_point * static_cast<double>(points_.size());
  if (n_failed == 0) best_ = std::min(best_, a_point);
  seconds_ += thread_cpu_seconds() - start;
}

MethodTime described(const Candidate& candidate, double seconds) {
  const simulate::IntegratorOptions& integrator = candidate.options.integrator;
  return {integrator.method, candidate.options.sensitivities, integrator.lanes, seconds};
}

}  // namespace

std::vector<MethodTime> choose_method(const estimate::Problem& problem,
                                      const std::vector<jit::ModelCode>& codes, optimize::Order order,
                                      std::span<const std::vector<double>> points, int n_at_once,
                                      const std::function<bool()>& stopping,
                                      estimate::PosteriorOptions& options) {
  auto all = candidates(problem, codes, order, options);
  const auto settle = [&](const MethodTime& chosen) {
    options.integrator.method = chosen.method;
    options.integrator.lanes = chosen.lanes;
    options.sensitivities = chosen.sensitivities;
  };
  if (all.size() == 1) {
    settle(described(all.front(), 0.0));
    return {};
  }
  const auto try_all = [&](std::span<const std::vector<double>> some) {
    Trial trial(some, static_cast<std::size_t>(n_at_once), order, stopping);
    for (Candidate& candidate : all) trial.look_at(candidate);
    return trial.seconds();
  };
  std::size_t n_tried = 1;
  if (try_all(points.first(n_tried)) < patience && points.size() > n_tried) {
    try_all(points.subspan(n_tried));
    n_tried = points.size();
  }
  const int fewest = std::ranges::min_element(all, {}, &Candidate::n_failed)->n_failed;
  std::vector<MethodTime> times;
  for (const Candidate& candidate : all) {
    const bool is_worse = candidate.was_broken_off || candidate.n_failed > fewest;
    times.push_back(
        described(candidate, is_worse ? endless : candidate.seconds / static_cast<double>(n_tried)));
  }
  std::ranges::stable_sort(times, {}, &MethodTime::seconds);
  settle(times.front());
  return times;
}

}  // namespace kinetune::study
