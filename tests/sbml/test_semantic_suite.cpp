// The SBML semantic test suite's cases without events and delays, against its published results.
#include <algorithm>
#include <cmath>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/file.hpp"
#include "sbml/read_model.hpp"
#include "sbml/support.hpp"

namespace fs = std::filesystem;
using namespace kinetune;
using sbml::test::Walk;

namespace {

std::vector<std::string> split(const std::string& line, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(line);
  for (std::string part; std::getline(stream, part, separator);) {
    part.erase(0, part.find_first_not_of(" \t\r"));
    part.erase(part.find_last_not_of(" \t\r") + 1);
    if (!part.empty()) parts.push_back(part);
  }
  return parts;
}

/// "key: value" lines.
std::map<std::string, std::string> settings_of(const fs::path& file) {
  std::map<std::string, std::string> settings;
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);) {
    const auto colon = line.find(':');
    if (colon != line.npos) settings[line.substr(0, colon)] = line.substr(colon + 1);
  }
  return settings;
}

/// Every case in every level that there is; files that hierarchical models include are not among them.
std::vector<fs::path> models_below(const fs::path& suite) {
  std::vector<fs::path> models;
  for (const auto& entry : fs::recursive_directory_iterator(suite)) {
    if (entry.path().filename().string().find("-sbml-l") != std::string::npos) models.push_back(entry.path());
  }
  std::ranges::sort(models);
  return models;
}

/// What the suite reports under a name.
symbolic::Expr reported(const model::OdeModel& model, const std::string& id, const std::string& amounts,
                        const std::string& concentrations) {
  const auto listed = [&](const std::string& list) {
    const auto ids = split(list, ',');
    return std::ranges::count(ids, id) > 0;
  };
  for (const model::SpeciesUnits& species : model.species) {
    if (species.id != id) continue;
    if (listed(amounts)) return species.amount;
    if (listed(concentrations)) return species.concentration;
  }
  if (const auto* entry = model.state(id)) return entry->symbol;
  if (const auto* entry = model.parameter(id)) return entry->symbol;
  if (const auto* entry = model.initial_constant(id)) return entry->symbol;
  return model.derived_quantity(id)->symbol;
}

bool agree(double ours, double published, double absolute, double relative) {
  if (std::isnan(published) || std::isinf(published)) return std::isnan(ours) == std::isnan(published);
  return std::abs(ours - published) <= absolute + relative * std::abs(published);
}

/// Empty, or the first difference.
std::string difference(const model::OdeModel& model, const fs::path& folder, int n_steps) {
  const std::string name = folder.filename().string();
  auto settings = settings_of(folder / (name + "-settings.txt"));
  const double absolute = std::stod(settings["absolute"]), relative = std::stod(settings["relative"]);
  std::ifstream results(folder / (name + "-results.csv"));
  std::string line;
  std::getline(results, line);
  const auto header = split(line, ',');
  Walk walk(model);
  double time = 0;
  while (std::getline(results, line)) {
    const auto row = split(line, ',');
    if (row.empty()) continue;
    const double next = std::stod(row[0]);
    if (next > time) walk.advance(next, n_steps);
    time = next;
    for (std::size_t i = 1; i < row.size(); ++i) {
      const auto quantity = reported(model, header[i], settings["amount"], settings["concentration"]);
      const double ours = walk.value(quantity), published = std::stod(row[i]);
      if (!agree(ours, published, absolute, relative)) {
        return fmt::format("{} at {}: {} instead of {}", header[i], time, ours, published);
      }
    }
  }
  return {};
}

bool is_known_limit(const std::string& refusal) {
  const auto has = [&](const char* text) { return refusal.find(text) != refusal.npos; };
  return has("is fast: not supported") || has("a flux balance model");
}

}  // namespace

TEST(SemanticSuite, cases_without_events_follow_the_published_results) {
  const fs::path suite = sbml::test::shared_data() / "sbml-test-suite";
  if (!fs::exists(suite)) GTEST_SKIP() << "no SBML test suite in " << suite;
  int n_agreed = 0, n_refused = 0, n_left_out = 0;
  for (const fs::path& file : models_below(suite)) {
    try {
      const auto model = sbml::read_model(file);
      if (!model.events.empty() || !model.delays.empty()) {
        model::flatten(model);
        ++n_left_out;
        continue;
      }
      std::string wrong = difference(model, file.parent_path(), 20);
      if (!wrong.empty()) wrong = difference(model, file.parent_path(), 2000);  // stiff
      EXPECT_EQ(wrong, "") << file;
      if (wrong.empty()) ++n_agreed;
    } catch (const core::Error& error) {
      EXPECT_TRUE(is_known_limit(error.what())) << error.what();
      ++n_refused;
    }
  }
  std::cout << fmt::format("{} agreed, {} refused, {} with events or delays left out\n", n_agreed, n_refused,
                           n_left_out);
}
