#include "petab/problem_file.hpp"

#include <charconv>

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

namespace kinetune::petab {
namespace {

namespace fs = std::filesystem;

/// The document as nodes that know their place.
class Document {
 public:
  Document(std::string_view text, const fs::path& file) : file_(file) {
    try {
      root_ = YAML::Load(std::string(text));
    } catch (const YAML::Exception& error) {
      throw core::Error({file.string(), error.mark.line + 1}, fmt::format("malformed YAML ({})", error.msg),
                        "see PEtab's documentation for an example");
    }
    if (!root_.IsMap()) {
      throw core::Error({file.string(), 0}, "not a PEtab problem",
                        "a map with format_version, parameter_file and problems");
    }
  }

  const YAML::Node& root() const { return root_; }

  core::Location location(const YAML::Node& node) const { return {file_.string(), node.Mark().line + 1}; }

  YAML::Node require(const YAML::Node& map, const char* key) const {
    const YAML::Node entry = map[key];
    if (!entry || entry.IsNull()) throw core::Error(location(map), fmt::format("no '{}'", key), "add it");
    return entry;
  }

  FileEntry file(const YAML::Node& node, const char* key) const {
    if (!node.IsScalar() || node.Scalar().empty()) {
      throw core::Error(location(node), fmt::format("an entry of '{}' is no text", key),
                        "give the name of a file");
    }
    return {(file_.parent_path() / node.Scalar()).lexically_normal(), location(node)};
  }

  /// A list of files; one name stands for a list of one.
  std::vector<FileEntry> files(const YAML::Node& node, const char* key) const {
    if (!node.IsSequence()) return {file(node, key)};
    std::vector<FileEntry> entries;
    for (const auto& entry : node) entries.push_back(file(entry, key));
    if (entries.empty())
      throw core::Error(location(node), fmt::format("'{}' is empty", key), "name at least one file");
    return entries;
  }

  std::vector<FileEntry> required_files(const YAML::Node& map, const char* key) const {
    return files(require(map, key), key);
  }

 private:
  const fs::path& file_;
  YAML::Node root_;
};

/// The number before the first point: "1" and "1.0.0" are version 1.
int major_version(const Document& document, const YAML::Node& node) {
  const std::string text = node.IsScalar() ? node.Scalar() : "";
  int version = 0;
  const char* end = text.data() + text.size();
  const auto [stop, code] = std::from_chars(text.data(), end, version);
  if (code != std::errc{} || (stop != end && *stop != '.')) {
    throw core::Error(document.location(node), fmt::format("format_version '{}' is no version number", text),
                      "format_version: 1");
  }
  if (version != 1) {
    throw core::Error(document.location(node), fmt::format("PEtab format version {} is not read yet", text),
                      "give a problem of version 1");
  }
  return version;
}

/// The one entry of a list.
YAML::Node only_entry(const Document& document, const YAML::Node& list, const char* key) {
  if (list.IsSequence() && list.size() == 1) return list[0];
  throw core::Error(document.location(list), fmt::format("'{}' must hold exactly one entry", key),
                    "make one PEtab problem of each model");
}

}  // namespace

ProblemFile parse_problem_file(std::string_view text, const fs::path& file) {
  const Document document(text, file);
  ProblemFile result;
  result.format_version = major_version(document, document.require(document.root(), "format_version"));
  result.parameters = document.required_files(document.root(), "parameter_file");

  const YAML::Node problem = only_entry(document, document.require(document.root(), "problems"), "problems");
  if (!problem.IsMap())
    throw core::Error(document.location(problem), "the problem names no files", "sbml_files: …");
  result.model = document.file(only_entry(document, document.require(problem, "sbml_files"), "sbml_files"),
                               "sbml_files");
  result.conditions = document.required_files(problem, "condition_files");
  result.observables = document.required_files(problem, "observable_files");
  result.measurements = document.required_files(problem, "measurement_files");
  if (const YAML::Node plots = problem["visualization_files"];
      plots && plots.IsSequence() && plots.size() > 0) {
    result.visualizations = document.files(plots, "visualization_files");
  }
  return result;
}

}  // namespace kinetune::petab
