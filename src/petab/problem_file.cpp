#include "petab/problem_file.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <regex>

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include "symbolic/maths_parser.hpp"

namespace kinetune::petab {
namespace {

namespace fs = std::filesystem;

/// The document as nodes that know their place.
class Document {
 public:
  Document(std::string_view text, const fs::path& file) : file_(file), root_(YAML::Load(std::string(text))) {
    if (!root_.IsMap()) {
      throw core::Error({file.string(), 0}, "not a PEtab problem",
                        "a map with format_version, parameter_file and problems");
    }
  }

  const YAML::Node& root() const { return root_; }

  core::Location location(const YAML::Node& node) const { return {file_.string(), node.Mark().line + 1}; }

  YAML::Node require(const YAML::Node& map, const char* key) const {
    if (!map.IsMap()) throw core::Error(location(map), fmt::format("no map with '{}'", key), "add it");
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

  std::vector<FileEntry> files(const YAML::Node& node, const char* key) const {
    if (!node.IsSequence()) {
      throw core::Error(location(node), fmt::format("'{}' is no list", key),
                        fmt::format("{}: [name of a file]", key));
    }
    std::vector<FileEntry> entries;
    for (const auto& entry : node) entries.push_back(file(entry, key));
    if (entries.empty())
      throw core::Error(location(node), fmt::format("'{}' is empty", key), "name at least one file");
    return entries;
  }

  /// The same of an entry that may be missing or an empty list.
  std::vector<FileEntry> optional_files(const YAML::Node& map, const char* key) const {
    const YAML::Node entry = map[key];
    if (!entry || entry.IsNull() || (entry.IsSequence() && entry.size() == 0)) return {};
    return files(entry, key);
  }

  std::vector<FileEntry> required_files(const YAML::Node& map, const char* key) const {
    return files(require(map, key), key);
  }

 private:
  const fs::path& file_;
  YAML::Node root_;
};

/// Numbers between points, perhaps with what marks a version that is not final yet (as PEtab's schema has
/// it).
bool is_version(const std::string& text) {
  static const std::regex pattern(
      R"((0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))*((a|b|rc)[0-9]+)?(\.post[0-9]+)?(\.dev[0-9]+)?)");
  constexpr std::size_t longest = 40;  // std::regex takes a stack frame a character
  return text.size() <= longest && std::regex_match(text, pattern);
}

/// The number before the first point: "1" and "1.0.0" are version 1.
int major_version(const Document& document, const YAML::Node& node) {
  const std::string text = node.IsScalar() ? node.Scalar() : "";
  int version = 0;
  const auto code = std::from_chars(text.data(), text.data() + text.size(), version).ec;
  if (code != std::errc{} || !is_version(text)) {
    throw core::Error(document.location(node), fmt::format("format_version '{}' is no version number", text),
                      "format_version: 1");
  }
  if (version != 1 && version != 2) {
    throw core::Error(document.location(node), fmt::format("PEtab format version {} is not known", text),
                      "give a problem of version 1 or 2");
  }
  return version;
}

/// A model with the tables of its problem.
FileGroup parse_problem(const Document& document, const YAML::Node& problem, std::size_t number) {
  if (!problem.IsMap())
    throw core::Error(document.location(problem), "the problem names no files", "sbml_files: …");
  const YAML::Node models = document.require(problem, "sbml_files");
  if (!models.IsSequence() || models.size() != 1) {
    throw core::Error(document.location(models), "'sbml_files' must hold exactly one entry",
                      "an entry of 'problems' for each model, or a problem of version 2");
  }
  const FileEntry model = document.file(models[0], "sbml_files");
  FileGroup result;
  result.models.push_back({std::to_string(number), model.path, model.where});
  result.conditions = document.required_files(problem, "condition_files");
  result.observables = document.required_files(problem, "observable_files");
  result.measurements = document.required_files(problem, "measurement_files");
  result.visualizations = document.optional_files(problem, "visualization_files");
  return result;
}

ProblemFile parse_version_1(const Document& document) {
  ProblemFile result;
  const YAML::Node parameters = document.require(document.root(), "parameter_file");
  result.parameters = parameters.IsScalar() ? std::vector{document.file(parameters, "parameter_file")}
                                            : document.files(parameters, "parameter_file");

  const YAML::Node problems = document.require(document.root(), "problems");
  if (!problems.IsSequence() || problems.size() == 0) {
    throw core::Error(document.location(problems), "'problems' is no list, or an empty one",
                      "a list with the files of at least one problem");
  }
  for (const YAML::Node& problem : problems)
    result.groups.push_back(parse_problem(document, problem, result.groups.size() + 1));
  return result;
}

void refuse_unknown_entries(const Document& document) {
  constexpr std::array<std::string_view, 10> known{"format_version",    "id",
                                                   "parameter_files",   "model_files",
                                                   "measurement_files", "condition_files",
                                                   "experiment_files",  "observable_files",
                                                   "mapping_files",     "extensions"};
  for (const auto& entry : document.root()) {
    const std::string key = entry.first.IsScalar() ? entry.first.Scalar() : "";
    if (std::ranges::find(known, key) != known.end()) continue;
    throw core::Error(document.location(entry.first), fmt::format("unknown entry '{}'", key),
                      fmt::format("one of {}", fmt::join(known, ", ")));
  }
}

void refuse_needed_extensions(const Document& document, const YAML::Node& extensions) {
  if (!extensions || extensions.IsNull()) return;
  if (!extensions.IsMap()) {
    throw core::Error(document.location(extensions), "'extensions' is no map",
                      "names of extensions, each with version and required");
  }
  for (const auto& entry : extensions) {
    const YAML::Node version = document.require(entry.second, "version");
    if (!version.IsScalar() || !is_version(version.Scalar())) {
      throw core::Error(document.location(version),
                        fmt::format("extension '{}' has no version number", entry.first.Scalar()),
                        "version: 1.0.0");
    }
    const YAML::Node needed = entry.second["required"];
    bool is_needed = true;
    if (!needed || !YAML::convert<bool>::decode(needed, is_needed)) {
      throw core::Error(
          document.location(entry.first),
          fmt::format("extension '{}' does not say whether it is required", entry.first.Scalar()),
          "required: true or false");
    }
    if (!is_needed) continue;
    throw core::Error(document.location(entry.first),
                      fmt::format("extension '{}' is not supported", entry.first.Scalar()),
                      "give a problem that does not require it");
  }
}

Model parse_model(const Document& document, const YAML::Node& id, const YAML::Node& model) {
  if (!id.IsScalar() || !symbolic::is_identifier(id.Scalar())) {
    throw core::Error(document.location(id),
                      fmt::format("model id '{}' is no valid id", id.IsScalar() ? id.Scalar() : ""),
                      "a letter or underscore, then letters, digits and underscores");
  }
  const YAML::Node language = document.require(model, "language");
  if (!language.IsScalar() || language.Scalar() != "sbml") {
    throw core::Error(document.location(language),
                      fmt::format("models in language '{}' are not supported",
                                  language.IsScalar() ? language.Scalar() : ""),
                      "language: sbml");
  }
  const FileEntry file = document.file(document.require(model, "location"), "location");
  return {id.Scalar(), file.path, file.where};
}

std::vector<Model> parse_models(const Document& document) {
  const YAML::Node models = document.require(document.root(), "model_files");
  if (!models.IsMap() || models.size() == 0)
    throw core::Error(document.location(models), "'model_files' names no model", "id: {location, language}");
  std::vector<Model> result;
  for (const auto& entry : models) {
    result.push_back(parse_model(document, entry.first, entry.second));
    if (std::ranges::count(result, result.back().id, &Model::id) == 1) continue;
    throw core::Error(document.location(entry.first),
                      fmt::format("model '{}' is defined twice", result.back().id), "another id");
  }
  return result;
}

void check_id(const Document& document, const YAML::Node& id) {
  if (!id || id.IsNull() || (id.IsScalar() && symbolic::is_identifier(id.Scalar()))) return;
  throw core::Error(document.location(id), "the problem's id is no valid id",
                    "a letter or underscore, then letters, digits and underscores");
}

ProblemFile parse_version_2(const Document& document) {
  refuse_unknown_entries(document);
  check_id(document, document.root()["id"]);
  refuse_needed_extensions(document, document.root()["extensions"]);
  ProblemFile result;
  FileGroup files;
  files.models = parse_models(document);
  result.parameters = document.required_files(document.root(), "parameter_files");
  files.conditions = document.optional_files(document.root(), "condition_files");
  files.experiments = document.optional_files(document.root(), "experiment_files");
  files.observables = document.required_files(document.root(), "observable_files");
  files.measurements = document.required_files(document.root(), "measurement_files");
  files.mappings = document.optional_files(document.root(), "mapping_files");
  result.groups.push_back(std::move(files));
  return result;
}

}  // namespace

ProblemFile parse_problem_file(std::string_view text, const fs::path& file) try {
  const Document document(text, file);
  const int version = major_version(document, document.require(document.root(), "format_version"));
  ProblemFile result = version == 1 ? parse_version_1(document) : parse_version_2(document);
  result.format_version = version;
  return result;
} catch (const YAML::Exception& error) {
  throw core::Error({file.string(), error.mark.line + 1}, fmt::format("malformed YAML ({})", error.msg),
                    "see PEtab's documentation for an example");
}

}  // namespace kinetune::petab
