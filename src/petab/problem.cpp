#include "petab/problem.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/checksum.hpp"
#include "core/file.hpp"
#include "petab/check.hpp"
#include "petab/problem_file.hpp"
#include "petab/read_tables.hpp"
#include "petab/table.hpp"

namespace kinetune::petab {
namespace {

namespace fs = std::filesystem;

template <class Entry>
const Entry* find(const std::vector<Entry>& entries, const std::string& id) {
  const auto found =
      std::find_if(entries.begin(), entries.end(), [&](const Entry& entry) { return entry.id == id; });
  return found == entries.end() ? nullptr : &*found;
}

void require_existence(const FileEntry& entry) {
  if (fs::exists(entry.path)) return;
  throw core::Error(entry.where, fmt::format("no such file as {}", entry.path.string()),
                    "a path relative to the YAML file's folder");
}

std::string read_input(const fs::path& path, Problem& problem) {
  std::string text = core::read_file(path);
  problem.inputs.push_back({path, core::checksum(text)});
  return text;
}

using TableReader = void (*)(const Table&, Problem&, Diagnostics&);

/// @return whether every table could be read; single rows may be wrong all the same
bool read_tables(const std::vector<FileEntry>& entries, TableReader read, Problem& problem,
                 Diagnostics& diagnostics) {
  bool complete = true;
  for (const FileEntry& entry : entries) {
    complete &= diagnostics.attempt([&] {
      require_existence(entry);
      read(parse_table(read_input(entry.path, problem), entry.path.string()), problem, diagnostics);
    });
  }
  return complete;
}

bool read_version_1(const ProblemFile& files, Problem& problem, Diagnostics& diagnostics) {
  bool complete = read_tables(files.parameters, read_parameters, problem, diagnostics);
  complete &= read_tables(files.conditions, read_conditions, problem, diagnostics);
  complete &= read_tables(files.observables, read_observables, problem, diagnostics);
  complete &= read_tables(files.measurements, read_measurements, problem, diagnostics);
  for (const FileEntry& entry : files.visualizations) diagnostics.attempt([&] { require_existence(entry); });
  return complete;
}

bool read_version_2(const ProblemFile& files, Problem& problem, Diagnostics& diagnostics) {
  bool complete = read_tables(files.parameters, v2::read_parameters, problem, diagnostics);
  complete &= read_tables(files.conditions, v2::read_conditions, problem, diagnostics);
  complete &= read_tables(files.experiments, v2::read_experiments, problem, diagnostics);
  complete &= read_tables(files.observables, v2::read_observables, problem, diagnostics);
  complete &= read_tables(files.measurements, v2::read_measurements, problem, diagnostics);
  complete &= read_tables(files.mappings, v2::read_mappings, problem, diagnostics);
  return complete;
}

void read_files(const ProblemFile& files, Problem& problem, Diagnostics& diagnostics) {
  problem.format_version = files.format_version;
  problem.model_file = files.model.path;
  problem.model_where = files.model.where;
  problem.model_id = files.model_id;
  diagnostics.attempt([&] {
    require_existence(files.model);
    read_input(files.model.path, problem);
  });
  const bool is_v1 = files.format_version == 1;
  const bool complete = (is_v1 ? read_version_1 : read_version_2)(files, problem, diagnostics);
  // A missing table would make every reference to it an error.
  if (complete) check_tables(problem, diagnostics);
}

}  // namespace

const Parameter* Problem::parameter(const std::string& id) const { return find(parameters, id); }
const Condition* Problem::condition(const std::string& id) const { return find(conditions, id); }
const Experiment* Problem::experiment(const std::string& id) const { return find(experiments, id); }
const Observable* Problem::observable(const std::string& id) const { return find(observables, id); }

Problem read_problem(const fs::path& yaml_file, Diagnostics& diagnostics) {
  Problem problem;
  problem.yaml_file = yaml_file;
  diagnostics.attempt([&] {
    read_files(parse_problem_file(read_input(yaml_file, problem), yaml_file), problem, diagnostics);
  });
  return problem;
}

Problem read_problem(const fs::path& yaml_file) {
  Diagnostics diagnostics;
  Problem problem = read_problem(yaml_file, diagnostics);
  diagnostics.throw_first();
  return problem;
}

}  // namespace kinetune::petab
