// What does a gradient cost, by which method, when all are as accurate?
//
//     benchmark_gradients [--subject=NAME | --problem=YAML --point=TSV]
//
// Each problem is evaluated at the point of shared/reference/gradients (serine: at its nominal parameters),
// or the one that is named at the point that is. Each method runs with those tolerances of a grid at which it
// is fastest among those whose gradient is within 1e-4 (in norm) of one that was integrated tightly; then
// thread CPU time of one evaluation of the objective over all conditions is measured. The tables at the end
// hold times and ratios within this run; absolute times depend on the machine and its load. Forward gradients
// grow with the number of parameters that a condition's dynamics depend on, adjoint ones do not.
//
// "lanes" is throughput: adjoint gradients at many points around that one, all their simulations side by side
// in vector registers, per gradient; "one lane" the same points one by one. "index lists" is the adjoint
// gradient without the code that is written out for the LU of the model's pattern.

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <time.h>

#include "core/random.hpp"
#include "estimate/posterior.hpp"
#include "shared_folder.hpp"
#include "study/load.hpp"
#include "study/parameter_vector.hpp"

namespace {

using namespace kinetune;
using estimate::Sensitivities;
using optimize::Order;
using simulate::IntegratorOptions;
using simulate::Method;

constexpr double wanted_accuracy = 1e-4;

constexpr Method methods[] = {Method::cvodes, Method::rodas5p, Method::rodas4p2};

struct Kind {
  const char* name;
  Order order;
  Sensitivities sensitivities;
};
constexpr Kind kinds[] = {{"simulation", Order::value, Sensitivities::forward},
                          {"forward", Order::gradient, Sensitivities::forward},
                          {"adjoint", Order::gradient, Sensitivities::adjoint}};

struct Subject {
  std::string name;
  study::LoadedProblem loaded;
  std::vector<double> x;
  std::vector<double> gradient;  ///< integrated tightly
};

double thread_seconds() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

std::vector<double> gradient(const Subject& subject, const IntegratorOptions& options,
                             Sensitivities sensitivities, double* seconds = nullptr) {
  estimate::Posterior posterior(subject.loaded.problem, subject.loaded.codes, {options, sensitivities});
  auto result = posterior.evaluate(subject.x, Order::gradient);
  if (seconds && result) {
    const double start = thread_seconds();
    result = posterior.evaluate(subject.x, Order::gradient);
    *seconds = thread_seconds() - start;
  }
  return result ? result->gradient : std::vector<double>();
}

double relative_distance(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.size() != b.size()) return HUGE_VAL;
  double difference = 0, size = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference += (a[i] - b[i]) * (a[i] - b[i]);
    size += b[i] * b[i];
  }
  return std::sqrt(difference / size);
}

/// The tolerances with which a method is fastest among those that are accurate.
std::optional<IntegratorOptions> match(const Subject& subject, Method method, Sensitivities sensitivities) {
  std::optional<IntegratorOptions> best;
  double least = HUGE_VAL;
  for (const double atol : {1e-5, 1e-8, 1e-11, 1e-16}) {
    for (double rtol = 1e-2; rtol > 0.9e-9; rtol /= std::sqrt(10.0)) {
      const IntegratorOptions options{.rtol = rtol, .atol = atol, .method = method};
      double seconds = HUGE_VAL;
      const auto found = gradient(subject, options, sensitivities, &seconds);
      if (relative_distance(found, subject.gradient) > wanted_accuracy) continue;
      if (seconds < least) best = options;
      least = std::min(least, seconds);
      break;  // tighter ones are slower
    }
  }
  return best;
}

using Codes = std::vector<jit::ModelCode>;

Codes without_lu(Codes codes) {
  for (jit::ModelCode& code : codes) code.has_lu = false;
  return codes;
}

void evaluate(benchmark::State& state, const Subject& subject, const Codes& codes, const Kind& kind,
              const IntegratorOptions& options) {
  estimate::Posterior posterior(subject.loaded.problem, codes, {options, kind.sensitivities});
  for (auto _ : state) {
    const auto result = posterior.evaluate(subject.x, kind.order);
    if (!result) {
      state.SkipWithError(result.error().reason.c_str());
      break;
    }
    benchmark::DoNotOptimize(result->fval);
  }
  estimate::Details details;
  (void)posterior.assess(subject.x, Order::value, &details);
  long steps = 0;
  for (const auto& s : details.simulations) steps += s.statistics.steps;
  state.counters["steps"] = static_cast<double>(steps);
  state.counters["rtol"] = options.rtol;
  state.counters["atol"] = options.atol;
}

constexpr int n_points = 32;

/// Starts and iterates of a study are as different as these, or more. All have a gradient.
std::vector<std::vector<double>> points_around(const Subject& subject, IntegratorOptions options) {
  options.lanes = 1;
  estimate::Posterior posterior(subject.loaded.problem, subject.loaded.codes,
                                {options, Sensitivities::adjoint});
  core::RandomStream random(1, 0);
  std::vector<std::vector<double>> points;
  for (int n_drawn = 0; n_drawn < 10 * n_points && std::ssize(points) < n_points; ++n_drawn) {
    auto x = subject.x;
    for (double& value : x) value += 0.05 * (2.0 * random.uniform() - 1.0);
    if (posterior.evaluate(x, Order::gradient)) points.push_back(std::move(x));
  }
  return points;
}

/// Counts each gradient as an iteration.
void evaluate_many(benchmark::State& state, const Subject& subject, IntegratorOptions options, int lanes) {
  const auto points = points_around(subject, options);
  if (std::ssize(points) < n_points) return state.SkipWithError("hardly a point around has a gradient");
  options.lanes = lanes;
  estimate::Posterior posterior(subject.loaded.problem, subject.loaded.codes,
                                {options, Sensitivities::adjoint});
  for (const auto& result : posterior.evaluate_all(points, Order::gradient)) {
    if (!result) return state.SkipWithError(result.error().reason.c_str());
  }
  while (state.KeepRunningBatch(n_points)) {
    benchmark::DoNotOptimize(posterior.evaluate_all(points, Order::gradient));
  }
}

/// What to look at: all problems whose name contains `filter`, or one problem.
struct Selection {
  std::string filter, problem, point;
};

std::vector<std::shared_ptr<Subject>> subjects(const Selection& selection) {
  std::vector<std::shared_ptr<Subject>> found;
  const auto add = [&](const std::string& name, const std::filesystem::path& yaml,
                       const std::optional<std::filesystem::path>& parameters) {
    if (name.find(selection.filter) == std::string::npos) return;
    if (!std::filesystem::exists(yaml) || (parameters && !std::filesystem::exists(*parameters))) {
      fmt::print("{}: skipped, there is no {}; KINETUNE_SHARED names the folder of public data\n", name,
                 yaml.string());
      return;
    }
    auto loaded = study::load(yaml, Method::automatic, jit::host_lanes());
    auto x = study::parameter_vector(parameters, loaded.problem);
    auto subject = std::make_shared<Subject>(Subject{name, std::move(loaded), std::move(x), {}});
    for (const Method method : {Method::rodas5p, Method::cvodes}) {
      if (method != Method::cvodes && !subject->loaded.codes.front().curvature.is_present) continue;
      subject->gradient =
          gradient(*subject, {.rtol = 1e-10, .atol = 1e-16, .max_steps = 1000000, .method = method},
                   Sensitivities::forward);
      if (!subject->gradient.empty()) break;
    }
    if (subject->gradient.empty())
      fmt::print("{}: skipped, no method integrates it tightly\n", name);
    else
      found.push_back(std::move(subject));
  };
  if (!selection.problem.empty()) {
    const std::filesystem::path yaml = selection.problem;
    add(yaml.stem(), yaml, selection.point);
    return found;
  }
  add("serine", std::filesystem::path(KINETUNE_SOURCE_DIR) / "inputs/serine/serine.yaml", {});
  const auto shared = shared_folder();
  for (const std::string name :
       {"Boehm_JProteomeRes2014", "Borghans_BiophysChem1997", "Elowitz_Nature2000", "Sneyd_PNAS2002",
        "Rahman_MBS2016", "Bachmann_MSB2011", "Beer_MolBioSystems2014", "Blasi_CellSystems2016",
        "Brannmark_JBC2010", "Fujita_SciSignal2010", "Laske_PLOSComputBiol2019", "Oliveira_NatCommun2021",
        "Schwen_PONE2014", "Zheng_PNAS2012"}) {
    add(name, shared / "data/petab-benchmarks" / name / (name + ".yaml"),
        shared / "reference/gradients" / (name + ".tsv"));
  }
  return found;
}

/// Prints as usual and keeps each benchmark's CPU time.
class Keeper final : public benchmark::ConsoleReporter {
 public:
  Keeper() : ConsoleReporter(OO_None) {}

  void ReportRuns(const std::vector<Run>& runs) override {
    ConsoleReporter::ReportRuns(runs);
    for (const Run& run : runs) {
      failed_ = failed_ || run.error_occurred;
      const bool is_time = run.run_type == Run::RT_Iteration || run.aggregate_name == "median";
      if (!run.error_occurred && is_time) times_[run.run_name.function_name] = run.GetAdjustedCPUTime();
    }
  }

  bool failed() const { return failed_; }

  /// Of the last run of that name, or its median over repetitions; in the benchmark's unit.
  std::optional<double> time(const std::string& name) const {
    const auto entry = times_.find(name);
    return entry == times_.end() ? std::nullopt : std::optional(entry->second);
  }

 private:
  std::map<std::string, double> times_;
  bool failed_ = false;
};

std::string name_of(const Subject& subject, Method method, const Kind& kind) {
  return fmt::format("{}/{}/{}", subject.name, name(method), kind.name);
}

std::string lanes_name_of(const Subject& subject, Method method, int lanes) {
  return fmt::format("{}/{}/{} lanes", subject.name, name(method), lanes);
}

void print_table(const std::vector<std::shared_ptr<Subject>>& subjects, const Keeper& keeper) {
  fmt::print("\nms\n{:<26} {:>6} {:>6} {:<9} {:>10} {:>10} {:>10} {:>11} {:>11}\n", "", "states", "param.",
             "method", "simulation", "forward", "adjoint", "best/simul.", "CVODES/this");
  const auto text = [](const std::optional<double>& v) { return v ? fmt::format("{:.4g}", *v) : "-"; };
  for (const auto& subject : subjects) {
    std::optional<double> cvodes;
    for (const Method method : methods) {
      const auto time = [&](int kind) { return keeper.time(name_of(*subject, method, kinds[kind])); };
      std::optional<double> best = time(1);
      if (time(2) && (!best || *time(2) < *best)) best = time(2);
      if (!best) continue;
      if (method == Method::cvodes) cvodes = best;
      fmt::print("{:<26} {:>6} {:>6} {:<9} {:>10} {:>10} {:>10} {:>11} {:>11}\n", subject->name,
                 subject->loaded.codes.front().n_states, subject->x.size(), name(method), text(time(0)),
                 text(time(1)), text(time(2)), text(time(0) ? std::optional(*best / *time(0)) : std::nullopt),
                 text(cvodes ? std::optional(*cvodes / *best) : std::nullopt));
    }
  }
}

std::string lists_name_of(const Subject& subject, Method method) {
  return name_of(subject, method, kinds[2]) + ", index lists";
}

void print_lu(const std::vector<std::shared_ptr<Subject>>& subjects, const Keeper& keeper) {
  fmt::print("\nms, adjoint gradient\n{:<26} {:<9} {:>11} {:>10} {:>8}\n", "", "method", "index lists",
             "LU as code", "ratio");
  for (const auto& subject : subjects) {
    for (const Method method : {Method::rodas5p, Method::rodas4p2}) {
      const auto lists = keeper.time(lists_name_of(*subject, method));
      const auto code = keeper.time(name_of(*subject, method, kinds[2]));
      if (lists && code)
        fmt::print("{:<26} {:<9} {:>11.4g} {:>10.4g} {:>8.2f}\n", subject->name, name(method), *lists, *code,
                   *lists / *code);
    }
  }
}

/// The benchmarks of throughput; the options are those of the adjoint.
void register_lanes(const std::shared_ptr<Subject>& subject, Method method,
                    const IntegratorOptions& options) {
  const int most = subject->loaded.codes.front().lanes;
  for (const int lanes : {1, most}) {
    benchmark::RegisterBenchmark(lanes_name_of(*subject, method, lanes).c_str(),
                                 [subject, options, lanes](benchmark::State& state) {
                                   evaluate_many(state, *subject, options, lanes);
                                 })
        ->Unit(benchmark::kMillisecond);
  }
}

void print_lanes(const std::vector<std::shared_ptr<Subject>>& subjects, const Keeper& keeper) {
  fmt::print("\nms a gradient, adjoint, {} points\n{:<26} {:<9} {:>6} {:>10} {:>10} {:>8}\n", n_points, "",
             "method", "lanes", "one lane", "lanes", "ratio");
  for (const auto& subject : subjects) {
    const int most = subject->loaded.codes.front().lanes;
    for (const Method method : {Method::rodas5p, Method::rodas4p2}) {
      const auto one = keeper.time(lanes_name_of(*subject, method, 1));
      const auto many = keeper.time(lanes_name_of(*subject, method, most));
      if (!one || !many || most == 1) continue;
      fmt::print("{:<26} {:<9} {:>6} {:>10.4g} {:>10.4g} {:>8.2f}\n", subject->name, name(method), most, *one,
                 *many, *one / *many);
    }
  }
}

/// The value of an argument, which is taken out; "" where it is not given.
std::string take(int& argc, char** argv, const std::string& name) {
  const auto end = argv + argc;
  const auto found =
      std::find_if(argv + 1, end, [&](const char* a) { return std::string(a).starts_with(name); });
  if (found == end) return "";
  const std::string value = std::string(*found).substr(name.size());
  std::copy(found + 1, end, found);
  --argc;
  return value;
}

}  // namespace

int main(int argc, char** argv) {
  // Matching takes a while: with --subject=NAME only problems of such names are looked at.
  const Selection selection{take(argc, argv, "--subject="), take(argc, argv, "--problem="),
                            take(argc, argv, "--point=")};
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  const auto all = subjects(selection);
  for (const auto& subject : all) {
    for (const Method method : methods) {
      if (method != Method::cvodes && !subject->loaded.codes.front().curvature.is_present) continue;
      std::optional<IntegratorOptions> options;
      for (const Kind* kind : {&kinds[1], &kinds[2], &kinds[0]}) {  // a simulation: as the adjoint's
        if (kind->order == Order::gradient) {
          const auto matched = match(*subject, method, kind->sensitivities);
          if (matched) options = matched;
          if (!matched) continue;
        }
        if (!options) continue;
        const auto add = [&](const std::string& name, const Codes& codes) {
          const auto run = [=, settings = *options](benchmark::State& state) {
            evaluate(state, *subject, codes, *kind, settings);
          };
          benchmark::RegisterBenchmark(name.c_str(), run)->Unit(benchmark::kMillisecond);
        };
        const Codes& codes = subject->loaded.codes;
        add(name_of(*subject, method, *kind), codes);
        if (kind == &kinds[2] && method != Method::cvodes && codes.front().has_lu)
          add(lists_name_of(*subject, method), without_lu(codes));
      }
      if (options && method != Method::cvodes && subject->loaded.codes.front().lanes > 1)
        register_lanes(subject, method, *options);
    }
  }
  Keeper keeper;
  benchmark::RunSpecifiedBenchmarks(&keeper);
  print_table(all, keeper);
  print_lanes(all, keeper);
  print_lu(all, keeper);
  benchmark::Shutdown();
  return keeper.failed() ? 1 : 0;
}
