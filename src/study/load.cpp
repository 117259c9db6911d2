#include "study/load.hpp"

#include <chrono>

#include <fmt/format.h>

#include "core/checksum.hpp"
#include "core/error.hpp"
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

void check_lanes(int lanes) {
  if (const int most = jit::host_lanes(); lanes > most) {
    throw core::Error(
        {}, fmt::format("{} lanes, but this processor has no registers for more than {}", lanes, most),
        "leave --lanes away, or give a smaller number");
  }
}

}  // namespace

LoadedProblem load(const std::filesystem::path& problem_yaml, simulate::Method method, int lanes) {
  using Clock = std::chrono::steady_clock;
  const auto seconds_since = [](Clock::time_point t) {
    return std::chrono::duration<double>(Clock::now() - t).count();
  };

  check_lanes(lanes);
  LoadedProblem loaded;
  const auto start = Clock::now();
  loaded.petab = petab::read_problem(problem_yaml);
  std::vector<model::OdeModel> models;
  for (const petab::Model& model : loaded.petab.models) models.push_back(sbml::read_model(model.file));
  petab::Diagnostics diagnostics;
  estimate::check(loaded.petab, models, diagnostics);
  diagnostics.throw_first();
  loaded.inputs_checksum = combined_checksum(loaded.petab);
  loaded.import_seconds = seconds_since(start);

  const auto compile_start = Clock::now();
  auto joined = estimate::join(loaded.petab, std::move(models));
  loaded.problem = std::move(joined.problem);
  const auto derivatives =
      method == simulate::Method::cvodes ? jit::Derivatives::first : jit::Derivatives::second;
  for (std::size_t i = 0; i < joined.sources.size(); ++i) {
    const bool has_several = loaded.problem.parts[i].simulations.size() > 1;
    const int own_lanes = lanes == 0 ? (has_several ? jit::host_lanes() : 1) : lanes;
    loaded.codes.push_back(
        jit::compile_cached(joined.sources[i], {.derivatives = derivatives, .lanes = own_lanes}));
  }
  loaded.compile_seconds = seconds_since(compile_start);
  return loaded;
}

}  // namespace kinetune::study
