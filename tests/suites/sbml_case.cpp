#include "suites/sbml_case.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <sstream>

#include "core/error.hpp"
#include "core/file.hpp"
#include "sbml/read_model.hpp"
#include "study/simulate.hpp"

namespace kinetune::suites {
namespace {

namespace fs = std::filesystem;

// Ours, as a share of the case's.
constexpr double integration_share = 1e-4;

std::string trimmed(std::string text) {
  text.erase(0, std::min(text.find_first_not_of(" \t\r"), text.size()));
  text.erase(text.find_last_not_of(" \t\r") + 1);
  return text;
}

std::vector<std::string> split(const std::string& line) {
  std::vector<std::string> parts;
  std::istringstream stream(line);
  for (std::string part; std::getline(stream, part, ',');) {
    if (part = trimmed(part); !part.empty()) parts.push_back(part);
  }
  return parts;
}

/// Lines "key: value"; of a key that comes twice the first.
std::map<std::string, std::string> keyed_lines(const fs::path& file) {
  std::map<std::string, std::string> entries;
  std::istringstream stream(core::read_file(file));
  for (std::string line; std::getline(stream, line);) {
    const auto colon = line.find(':');
    if (colon != line.npos) entries.emplace(trimmed(line.substr(0, colon)), trimmed(line.substr(colon + 1)));
  }
  return entries;
}

/// The model of the highest level and version.
fs::path newest_model(const fs::path& folder, const std::string& name) {
  std::vector<fs::path> models;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().filename().string().starts_with(name + "-sbml-l")) models.push_back(entry.path());
  }
  if (models.empty()) throw core::Error({folder.string(), 0}, "no model in this folder");
  return *std::ranges::max_element(models);
}

struct Expected {
  std::vector<std::string> variables;
  std::vector<double> times, values;
};

Expected read_expected(const fs::path& file) {
  Expected expected;
  std::istringstream stream(core::read_file(file));
  std::string line;
  std::getline(stream, line);
  expected.variables = split(line);
  expected.variables.erase(expected.variables.begin());
  while (std::getline(stream, line)) {
    const auto row = split(line);
    if (row.empty()) continue;
    expected.times.push_back(std::stod(row[0]));
    for (std::size_t i = 1; i < row.size(); ++i) expected.values.push_back(std::stod(row[i]));
  }
  return expected;
}

bool agree(double ours, double expected, double absolute, double relative) {
  if (std::isnan(expected)) return std::isnan(ours);
  if (std::isinf(expected)) return ours == expected;
  return std::fabs(ours - expected) <= absolute + relative * std::fabs(expected);
}

/// Empty, or the first difference.
std::string difference(const study::TimeCourse& ours, const Expected& expected, double absolute,
                       double relative) {
  if (ours.values.size() != expected.values.size()) {
    return fmt::format("{} values instead of {}", ours.values.size(), expected.values.size());
  }
  const std::size_t n = expected.variables.size();
  for (std::size_t i = 0; i < ours.values.size(); ++i) {
    if (agree(ours.values[i], expected.values[i], absolute, relative)) continue;
    return fmt::format("{} at {} is {}, not {}", expected.variables[i % n], expected.times[i / n],
                       ours.values[i], expected.values[i]);
  }
  return {};
}

/// The ids that are species: settings list other quantities, too.
std::vector<std::string> species_among(const model::OdeModel& model, std::vector<std::string> ids) {
  std::erase_if(ids, [&](const std::string& id) {
    return std::ranges::find(model.species, id, &model::SpeciesUnits::id) == model.species.end();
  });
  return ids;
}

CaseResult compare(const fs::path& folder, const std::string& name, std::string tags) {
  auto settings = keyed_lines(folder / (name + "-settings.txt"));
  const double absolute = std::stod(settings["absolute"]), relative = std::stod(settings["relative"]);
  const Expected expected = read_expected(folder / (name + "-results.csv"));
  study::SimulateModelOptions options;
  options.model = newest_model(folder, name);
  options.start = std::stod(settings["start"]);
  options.duration = std::stod(settings["duration"]);
  options.steps = std::stoi(settings["steps"]);
  options.variables = expected.variables;
  const model::OdeModel model = sbml::read_model(options.model);
  options.amounts = species_among(model, split(settings["amount"]));
  options.concentrations = species_among(model, split(settings["concentration"]));
  options.integrator.rtol = std::clamp(relative * integration_share, 1e-11, 1e-8);
  options.integrator.atol = std::max(absolute * integration_share, 1e-30);
  const std::string wrong = difference(study::time_course(options), expected, absolute, relative);
  return {name, wrong.empty() ? Verdict::passed : Verdict::failed, wrong, std::move(tags)};
}

}  // namespace

CaseResult run_sbml_case(const fs::path& folder) {
  const std::string name = folder.filename().string();
  std::string tags;
  try {
    auto description = keyed_lines(folder / (name + "-model.m"));
    tags = description["componentTags"] + ", " + description["testTags"];
    if (description["testType"] != "TimeCourse") {
      return {name, Verdict::refused, "no time course: " + description["testType"], tags};
    }
    return compare(folder, name, tags);
  } catch (const core::Error& error) {
    return {name, Verdict::refused, error.what(), tags};
  } catch (const std::exception& error) {
    return {name, Verdict::failed, error.what(), tags};
  }
}

}  // namespace kinetune::suites
