// What does a gradient cost beside a simulation of the same problem, by forward and by adjoint sensitivities?
//
// Thread CPU time of one evaluation of the objective over all conditions, at default tolerances, at the
// points of shared/reference/gradients (serine: at its nominal parameters). The table at the end holds the
// ratios within this run; absolute times depend on the machine and its load. Forward gradients grow with the
// number of parameters that a condition's dynamics depend on, adjoint ones do not.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "estimate/posterior.hpp"
#include "shared_folder.hpp"
#include "study/load.hpp"
#include "study/parameter_vector.hpp"

namespace {

using namespace kinetune;
using estimate::Sensitivities;
using optimize::Order;

struct Subject {
  std::string name;
  study::LoadedProblem loaded;
  std::vector<double> x;
};

struct Kind {
  const char* name;
  Order order;
  Sensitivities sensitivities;
};
constexpr Kind kinds[] = {{"simulation", Order::value, Sensitivities::forward},
                          {"forward", Order::gradient, Sensitivities::forward},
                          {"adjoint", Order::gradient, Sensitivities::adjoint}};

void evaluate(benchmark::State& state, const Subject& subject, const Kind& kind) {
  estimate::Posterior posterior(subject.loaded.problem, subject.loaded.code, {{}, kind.sensitivities});
  for (auto _ : state) {
    const auto result = posterior.evaluate(subject.x, kind.order);
    if (!result) {
      state.SkipWithError(result.error().reason.c_str());
      break;
    }
    benchmark::DoNotOptimize(result->fval);
  }
}

std::vector<std::shared_ptr<Subject>> subjects() {
  std::vector<std::shared_ptr<Subject>> found;
  const auto add = [&](const std::string& name, const std::filesystem::path& yaml,
                       const std::optional<std::filesystem::path>& parameters) {
    if (!std::filesystem::exists(yaml) || (parameters && !std::filesystem::exists(*parameters))) {
      fmt::print("{}: skipped, there is no {}; KINETUNE_SHARED names the folder of public data\n", name,
                 yaml.string());
      return;
    }
    auto loaded = study::load(yaml);
    auto x = study::parameter_vector(parameters, loaded.problem);
    found.push_back(std::make_shared<Subject>(Subject{name, std::move(loaded), std::move(x)}));
  };
  add("serine", std::filesystem::path(KINETUNE_SOURCE_DIR) / "inputs/serine/serine.yaml", {});
  const auto shared = shared_folder();
  for (const std::string name : {"Boehm_JProteomeRes2014", "Elowitz_Nature2000", "Bachmann_MSB2011"}) {
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

std::string name_of(const Subject& subject, const Kind& kind) { return subject.name + "/" + kind.name; }

void print_ratios(const std::vector<std::shared_ptr<Subject>>& subjects, const Keeper& keeper) {
  fmt::print("\n{:<24} {:>8} {:>11} {:>16} {:>16}\n", "", "states", "parameters", "forward/simul.",
             "adjoint/simul.");
  for (const auto& subject : subjects) {
    const auto simulation = keeper.time(name_of(*subject, kinds[0]));
    const auto forward = keeper.time(name_of(*subject, kinds[1]));
    const auto adjoint = keeper.time(name_of(*subject, kinds[2]));
    if (!simulation || !forward || !adjoint) continue;
    fmt::print("{:<24} {:>8} {:>11} {:>16.2f} {:>16.2f}\n", subject->name, subject->loaded.code.n_states,
               subject->x.size(), *forward / *simulation, *adjoint / *simulation);
  }
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  const auto all = subjects();
  for (const auto& subject : all) {
    for (const Kind& kind : kinds) {
      benchmark::RegisterBenchmark(name_of(*subject, kind).c_str(), [subject,
                                                                     &kind](benchmark::State& state) {
        evaluate(state, *subject, kind);
      })->Unit(benchmark::kMillisecond);
    }
  }
  Keeper keeper;
  benchmark::RunSpecifiedBenchmarks(&keeper);
  print_ratios(all, keeper);
  benchmark::Shutdown();
  return keeper.failed() ? 1 : 0;
}
