#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "petab/problem.hpp"

namespace kinetune::petab {

/// A file that a problem names, and where it names it.
struct FileEntry {
  std::filesystem::path path;  ///< relative to the working folder, or absolute
  core::Location where;
};

/// Models and the tables about them. Version 2 has one group, version 1 one for each model.
struct FileGroup {
  std::vector<Model> models;
  std::vector<FileEntry> conditions;
  std::vector<FileEntry> experiments;  ///< version 2
  std::vector<FileEntry> observables;
  std::vector<FileEntry> measurements;
  std::vector<FileEntry> mappings;        ///< version 2
  std::vector<FileEntry> visualizations;  ///< version 1
};

/// What a problem's YAML file says: which files it consists of.
struct ProblemFile {
  int format_version = 1;
  std::vector<FileEntry> parameters;
  std::vector<FileGroup> groups;
};

/// @param text  content of the file
/// @throws core::Error for text that is no YAML, lacks an entry or holds one of the wrong kind, and for what
/// is not supported: other versions, models in other languages than SBML, several models with the same tables
/// in version 1, extensions that the problem needs
ProblemFile parse_problem_file(std::string_view text, const std::filesystem::path& file);

}  // namespace kinetune::petab
