#include "suites/petab_case.hpp"

#include <cmath>
#include <map>

#include <yaml-cpp/yaml.h>

#include "core/error.hpp"
#include "core/file.hpp"
#include "estimate/posterior.hpp"
#include "estimate/prior.hpp"
#include "petab/table.hpp"
#include "study/load.hpp"

namespace kinetune::suites {
namespace {

namespace fs = std::filesystem;

/// A solution that is not met.
struct Mismatch {
  std::string what;
};

struct CaseFiles {
  fs::path problem, solution;
};

CaseFiles find_files(const fs::path& folder) {
  CaseFiles files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with("_solution.yaml"))
      files.solution = entry.path();
    else if (name.ends_with(".yaml"))
      files.problem = entry.path();
  }
  return files;
}

void expect_near(const std::string& what, double value, double expected, double tolerance) {
  if (std::fabs(value - expected) <= tolerance || (std::isnan(value) && std::isnan(expected))) return;
  throw Mismatch{fmt::format("{} is {:.10g}, not {:.10g} to {}", what, value, expected, tolerance)};
}

/// Compares a number that the solution may give.
void compare(const YAML::Node& solution, const std::string& name, double value) {
  if (!solution[name]) return;
  expect_near(name, value, solution[name].as<double>(), solution["tol_" + name].as<double>());
}

/// A row of the measurement or of the simulation table by what both have in common.
std::string key_of(const petab::Table& table, const petab::Table::Row& row) {
  std::string key;
  for (const char* name : {"observableId", "preequilibrationConditionId", "simulationConditionId",
                           "experimentId", "time", "observableParameters", "noiseParameters"}) {
    const auto column = table.column(name);
    std::string cell = column ? row.cells[*column] : "";
    if (const auto number = petab::parse_number(cell)) cell = fmt::format("{}", *number);
    key += cell + '\t';
  }
  return key;
}

petab::Table read_table(const fs::path& file) {
  return petab::parse_table(core::read_file(file), file.string());
}

void compare_simulations(const YAML::Node& solution, const study::LoadedProblem& loaded,
                         const std::vector<double>& values, const fs::path& folder) {
  std::map<std::string, double> simulated;
  std::size_t next = 0;
  for (const petab::InputFile& file : loaded.petab.inputs) {
    if (file.path.extension() != ".tsv") continue;
    const petab::Table table = read_table(file.path);
    if (!table.column("measurement")) continue;
    for (const auto& row : table.rows) simulated[key_of(table, row)] = values.at(next++);
  }
  const double tolerance = solution["tol_simulations"].as<double>();
  for (const auto& file : solution["simulation_files"]) {
    const petab::Table table = read_table(folder / file.as<std::string>());
    for (const auto& row : table.rows) {
      const std::string key = key_of(table, row);
      const auto found = simulated.find(key);
      if (found == simulated.end()) throw Mismatch{"no measurement for the simulation of " + key};
      const std::string& expected = row.cells[*table.column("simulation")];
      expect_near("simulation of " + key, found->second, petab::parse_number(expected).value(), tolerance);
    }
  }
}

void compare_priors(const YAML::Node& solution, const estimate::Problem& problem) {
  for (const auto& entry : solution["log_prior"]) {
    const auto id = entry.first.as<std::string>();
    for (const auto& p : problem.parameters) {
      if (p.id != id) continue;
      if (!p.prior) throw Mismatch{"no prior of " + id};
      expect_near("log_prior of " + id, -estimate::prior_term(*p.prior, p.scale, p.nominal).value,
                  entry.second.as<double>(), solution["tol_log_prior"].as<double>());
    }
  }
}

void run(const CaseFiles& files) {
  const YAML::Node solution = YAML::LoadFile(files.solution.string());
  study::LoadedProblem loaded = study::load(files.problem);
  std::vector<double> x;
  for (const auto& p : loaded.problem.parameters) x.push_back(p.nominal);
  estimate::Posterior posterior(loaded.problem, loaded.codes, {});
  estimate::Details details;
  const auto terms = posterior.assess(x, optimize::Order::gradient, &details);
  if (!terms) throw Mismatch{"not evaluated: " + terms.error().reason};
  compare_simulations(solution, loaded, details.values, files.solution.parent_path());
  compare(solution, "llh", terms->llh);
  compare(solution, "chi2", terms->chi2);
  compare_priors(solution, loaded.problem);
  compare(solution, "unnorm_log_posterior", -terms->fval());
}

}  // namespace

CaseResult run_petab_case(const fs::path& folder) {
  const std::string name = folder.filename().string();
  const CaseFiles files = find_files(folder);
  if (files.problem.empty() || files.solution.empty())
    return {name, Verdict::failed, "the folder lacks the problem or its solution"};
  try {
    run(files);
  } catch (const Mismatch& mismatch) {
    return {name, Verdict::failed, mismatch.what};
  } catch (const core::Error& error) {
    return {name, Verdict::refused, error.what()};
  } catch (const std::exception& error) {
    return {name, Verdict::failed, error.what()};
  }
  return {name, Verdict::passed, ""};
}

}  // namespace kinetune::suites
