// How many points a second does training take, beside the same networks in PyTorch?
//
// Epochs over 2048 points of 20 parameters, batches of 128, at each method's default sizes, CPU time of one
// thread: draws, forward, backward and the optimiser's step. benchmark_generate.py runs this program and the
// same in PyTorch in turns, and prints the ratios. The counter `weights` lets it check that both train as
// many.

#include <cstdio>
#include <memory>
#include <string>

#include <benchmark/benchmark.h>

#include "core/random.hpp"
#include "generate/generator.hpp"
#include "store/batch.hpp"

namespace {

using namespace kinetune;
using namespace kinetune::generate;

constexpr std::size_t n_points = 2048, n_x = 20, n_epochs = 4;

DataSet points() {
  DataSet data;
  for (std::size_t j = 0; j < n_x; ++j) data.parameter_ids.push_back("k" + std::to_string(j));
  data.kinds.assign(n_x, ParameterKind::rate);
  core::RandomStream random(1, 0);
  for (std::size_t i = 0; i < n_points; ++i) {
    for (std::size_t j = 0; j < n_x; ++j) data.x.push_back(random.uniform());
    data.fval.push_back(random.uniform());
    data.outcome.push_back(Outcome::evaluated);
    data.run.push_back(i);
  }
  return data;
}

class Silent final : public TrainingObserver {
 public:
  Next on_epoch(const EpochRecord&) override { return Next::go_on; }
};

std::uint64_t n_weights(const Generator& model) {
  store::Batch batch;
  model.add_to(batch);
  std::uint64_t n = 0;
  for (const auto& [path, change] : batch.changes()) {
    if (path.starts_with("/optimiser/") && path.ends_with("/average")) n += store::n_elements(change.values);
  }
  return n;
}

void epochs(benchmark::State& state, Method method) {
  use_threads(1);
  GeneratorOptions options = default_options(method);
  options.validation_share = 0;
  options.keep = Keep::last;
  options.epochs = 1;
  const DataSet data = points();
  const auto model = make_generator(options);
  Silent observer;
  (void)model->train(data, observer);  // makes the networks
  std::uint64_t n = 0;
  for (auto _ : state) {
    model->options().epochs += n_epochs;
    if (!model->train(data, observer)) state.SkipWithError("training failed");
    n += n_epochs * n_points;
  }
  state.counters["points"] = benchmark::Counter(static_cast<double>(n), benchmark::Counter::kIsRate);
  state.counters["weights"] = static_cast<double>(n_weights(*model));
}

}  // namespace

int main(int argc, char** argv) {
  for (const Method method : {Method::cvae, Method::transformer, Method::ccgan, Method::flow}) {
    benchmark::RegisterBenchmark((std::string("train/") + std::string(name(method))).c_str(), epochs, method)
        ->Unit(benchmark::kMillisecond);
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
}
