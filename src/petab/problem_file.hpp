#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"

namespace kinetune::petab {

/// A file that a problem names, and where it names it.
struct FileEntry {
  std::filesystem::path path;  ///< relative to the working folder, or absolute
  core::Location where;
};

/// What a version 1 problem's YAML file says: which files it consists of.
struct ProblemFile {
  int format_version = 1;
  FileEntry model;
  std::vector<FileEntry> parameters;
  std::vector<FileEntry> conditions;
  std::vector<FileEntry> observables;
  std::vector<FileEntry> measurements;
  std::vector<FileEntry> visualizations;  ///< not used, but they must exist
};

/// @param text  content of the file
/// @throws core::Error for text that is no YAML, lacks an entry or holds one of the wrong kind, and for other
/// versions
ProblemFile parse_problem_file(std::string_view text, const std::filesystem::path& file);

}  // namespace kinetune::petab
