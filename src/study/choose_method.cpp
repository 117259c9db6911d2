#include "study/choose_method.hpp"

#include <algorithm>
#include <limits>

#include <time.h>

namespace kinetune::study {
namespace {

using estimate::Sensitivities;
using simulate::Method;

// Of CPU time: what a choice may cost where evaluations take long.
constexpr double patience = 0.3;
constexpr int repeats = 3;  // the least of so many times counts

double thread_cpu_seconds() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

/// One way to evaluate the objective, and how it has done so far.
struct Candidate {
  estimate::PosteriorOptions options;
  std::unique_ptr<estimate::Posterior> posterior;
  double seconds = 0;
  int n_failed = 0;
};

std::vector<Candidate> candidates(const estimate::Problem& problem, const std::vector<jit::ModelCode>& codes,
                                  optimize::Order order, const estimate::PosteriorOptions& options) {
  const bool has_curvature =
      std::ranges::all_of(codes, [](const jit::ModelCode& code) { return code.curvature.is_present; });
  std::vector<Candidate> result;
  for (const Method method : {Method::rodas5p, Method::rodas4p2, Method::cvodes}) {
    const Method asked = options.integrator.method;
    if (asked != Method::automatic && method != asked) continue;
    if (asked == Method::automatic && method != Method::cvodes && !has_curvature) continue;
    for (const Sensitivities sensitivities : {Sensitivities::forward, Sensitivities::adjoint}) {
      if (options.sensitivities != Sensitivities::automatic && sensitivities != options.sensitivities)
        continue;
      // Only forward sensitivities give Gauss-Newton matrices.
      const bool both_mean_forward =
          order == optimize::Order::gauss_newton && options.sensitivities == Sensitivities::automatic;
      if (both_mean_forward && sensitivities == Sensitivities::adjoint) continue;
      Candidate candidate{options, nullptr};
      candidate.options.integrator.method = method;
      candidate.options.sensitivities = sensitivities;
      candidate.options.fallback = estimate::Fallback::none;
      candidate.posterior = std::make_unique<estimate::Posterior>(problem, codes, candidate.options);
      result.push_back(std::move(candidate));
    }
  }
  return result;
}

/// @returns the CPU time that all of it took
double try_point(Candidate& candidate, std::span<const double> x, optimize::Order order) {
  const double start = thread_cpu_seconds();
  double least = std::numeric_limits<double>::infinity();
  for (int i = 0; i < repeats && thread_cpu_seconds() - start < patience / 10; ++i) {
    const double before = thread_cpu_seconds();
    if (!candidate.posterior->evaluate(x, order)) {
      ++candidate.n_failed;
      break;
    }
    least = std::min(least, thread_cpu_seconds() - before);
  }
  if (least < std::numeric_limits<double>::infinity()) candidate.seconds += least;
  return thread_cpu_seconds() - start;
}

}  // namespace

std::vector<MethodTime> choose_method(const estimate::Problem& problem,
                                      const std::vector<jit::ModelCode>& codes, optimize::Order order,
                                      std::span<const std::vector<double>> points,
                                      estimate::PosteriorOptions& options) {
  if (options.integrator.method != Method::automatic && options.sensitivities != Sensitivities::automatic) {
    return {};
  }
  auto all = candidates(problem, codes, order, options);
  double spent = 0;
  for (const auto& x : points) {
    for (Candidate& candidate : all) spent += try_point(candidate, x, order);
    if (spent > patience) break;
  }
  const int fewest = std::ranges::min_element(all, {}, &Candidate::n_failed)->n_failed;
  std::vector<MethodTime> times;
  for (const Candidate& candidate : all) {
    times.push_back(
        {candidate.options.integrator.method, candidate.options.sensitivities,
         candidate.n_failed > fewest ? std::numeric_limits<double>::infinity() : candidate.seconds});
  }
  std::ranges::stable_sort(times, {}, &MethodTime::seconds);
  options.integrator.method = times.front().method;
  options.sensitivities = times.front().sensitivities;
  return times;
}

}  // namespace kinetune::study
