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

void require_existence(const fs::path& path, const core::Location& where) {
  std::error_code none;  // a name that is too long is no file, either
  if (fs::exists(path, none)) return;
  throw core::Error(where, fmt::format("no such file as {}", path.string()),
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
      require_existence(entry.path, entry.where);
      read(parse_table(read_input(entry.path, problem), entry.path.string()), problem, diagnostics);
    });
  }
  return complete;
}

bool read_version_1(const FileGroup& files, Problem& problem, Diagnostics& diagnostics) {
  bool complete = read_tables(files.conditions, read_conditions, problem, diagnostics);
  complete &= read_tables(files.observables, read_observables, problem, diagnostics);
  complete &= read_tables(files.measurements, read_measurements, problem, diagnostics);
  for (const FileEntry& entry : files.visualizations) {
    diagnostics.attempt([&] {
      require_existence(entry.path, entry.where);
      problem.visualizations.push_back({entry.path});
    });
  }
  return complete;
}

bool read_version_2(const FileGroup& files, Problem& problem, Diagnostics& diagnostics) {
  bool complete = read_tables(files.conditions, v2::read_conditions, problem, diagnostics);
  complete &= read_tables(files.experiments, v2::read_experiments, problem, diagnostics);
  complete &= read_tables(files.observables, v2::read_observables, problem, diagnostics);
  complete &= read_tables(files.measurements, v2::read_measurements, problem, diagnostics);
  complete &= read_tables(files.mappings, v2::read_mappings, problem, diagnostics);
  return complete;
}

/// Of the problems of a version 1 file, one after the other.
void append(Problem& problem, Problem&& part) {
  const std::string& model_id = part.models.front().id;
  const auto move = [&](auto& from, auto& to) {
    for (auto& entry : from) {
      entry.model_id = model_id;
      to.push_back(std::move(entry));
    }
  };
  for (Measurement& m : part.measurements) m.row += static_cast<int>(problem.measurements.size());
  move(part.condition_targets, problem.condition_targets);
  move(part.conditions, problem.conditions);
  move(part.observables, problem.observables);
  move(part.measurements, problem.measurements);
  move(part.visualizations, problem.visualizations);
  problem.inputs = std::move(part.inputs);
}

void read_files(const ProblemFile& files, Problem& problem, Diagnostics& diagnostics) {
  const bool is_v1 = files.format_version == 1;
  problem.format_version = files.format_version;
  for (const FileGroup& group : files.groups) {
    for (const Model& model : group.models) {
      problem.models.push_back(model);
      diagnostics.attempt([&] {
        require_existence(model.file, model.where);
        read_input(model.file, problem);
      });
    }
  }
  const bool has_parameters =
      read_tables(files.parameters, is_v1 ? read_parameters : v2::read_parameters, problem, diagnostics);
  const auto read_group = [&](const FileGroup& group, Problem& part) {
    const bool complete = (is_v1 ? read_version_1 : read_version_2)(group, part, diagnostics);
    // A missing table would make every reference to it an error.
    if (has_parameters && complete) check_tables(part, diagnostics);
  };
  if (files.groups.size() == 1) return read_group(files.groups.front(), problem);
  Problem common = problem;
  for (const FileGroup& group : files.groups) {
    Problem part = common;
    part.models = group.models;
    part.inputs = std::move(problem.inputs);
    read_group(group, part);
    append(problem, std::move(part));
  }
}

}  // namespace

std::string Measurement::simulation_id() const {
  const std::string& id = simulation_condition_id.empty() ? experiment_id : simulation_condition_id;
  if (model_id.empty()) return id;
  return id.empty() ? model_id : model_id + '/' + id;
}

const Parameter* Problem::parameter(const std::string& id) const { return find(parameters, id); }
const Condition* Problem::condition(const std::string& id) const { return find(conditions, id); }
const Experiment* Problem::experiment(const std::string& id) const { return find(experiments, id); }
const Observable* Problem::observable(const std::string& id) const { return find(observables, id); }

const Observable& Problem::observable_of(const Measurement& m) const {
  return *std::ranges::find_if(observables, [&](const Observable& o) {
    return o.id == m.observable_id && (o.model_id.empty() || o.model_id == m.model_id);
  });
}

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
