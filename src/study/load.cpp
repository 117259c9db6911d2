#include "study/load.hpp"

#include <chrono>

#include "core/checksum.hpp"
#include "estimate/join.hpp"
#include "jit/code_cache.hpp"
#include "sbml/read_model.hpp"

namespace kinetune::study {
namespace {

std::string combined_checksum(const petab::Problem& petab) {
  std::string all;
  for (const petab::InputFile& file : petab.inputs)
    all += file.path.filename().string() + ' ' + file.checksum + '\n';
  return core::checksum(all);
}

}  // namespace

LoadedProblem load(const std::filesystem::path& problem_yaml, simulate::Method method) {
  using Clock = std::chrono::steady_clock;
  const auto seconds_since = [](Clock::time_point t) {
    return std::chrono::duration<double>(Clock::now() - t).count();
  };

  LoadedProblem loaded;
  const auto start = Clock::now();
  loaded.petab = petab::read_problem(problem_yaml);
  const std::vector<model::OdeModel> models{sbml::read_model(loaded.petab.model_file)};
  petab::Diagnostics diagnostics;
  estimate::check(loaded.petab, models, diagnostics);
  diagnostics.throw_first();
  loaded.inputs_checksum = combined_checksum(loaded.petab);
  loaded.import_seconds = seconds_since(start);

  const auto compile_start = Clock::now();
  auto joined = estimate::join(loaded.petab, models);
  loaded.problem = std::move(joined.problem);
  const auto derivatives =
      method == simulate::Method::cvodes ? jit::Derivatives::first : jit::Derivatives::second;
  for (const jit::ModelSource& source : joined.sources)
    loaded.codes.push_back(jit::compile_cached(source, {.derivatives = derivatives}));
  loaded.compile_seconds = seconds_since(compile_start);
  return loaded;
}

}  // namespace kinetune::study
