#include "study/parameter_vector.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/file.hpp"
#include "petab/table.hpp"

namespace kinetune::study {
namespace {

/// Comment lines become empty, so that line numbers stay what they are.
std::string without_comments(const std::string& text) {
  std::string result;
  bool line_start = true, comment = false;
  for (const char c : text) {
    if (line_start) comment = c == '#';
    line_start = c == '\n';
    if (!comment || line_start) result += c;
  }
  return result;
}

void read_values(const std::filesystem::path& path, const estimate::Problem& problem,
                 std::vector<double>& x) {
  const petab::Table table = petab::parse_table(without_comments(core::read_file(path)), path.string());
  const auto id_column = table.column("parameterId");
  const auto linear_column = table.column("value"), scaled_column = table.column("scaledValue");
  if (!id_column || !(linear_column || scaled_column)) {
    throw core::Error({table.file, table.header_line},
                      "columns parameterId and value or scaledValue are missing",
                      "name them in the header, separated by tabs");
  }
  std::set<std::string> given;
  for (const auto& row : table.rows) {
    const std::string& id = row.cells[*id_column];
    const auto parameter = std::ranges::find(problem.parameters, id, &estimate::EstimatedParameter::id);
    if (parameter == problem.parameters.end()) {
      throw core::Error(table.location(row), fmt::format("'{}' is no estimated parameter of the problem", id),
                        "remove the row or correct the id");
    }
    const std::string& text = row.cells[scaled_column ? *scaled_column : *linear_column];
    const auto number = petab::parse_number(text);
    if (!number)
      throw core::Error(table.location(row), fmt::format("'{}' is no number", text), "give a number");
    const double value = scaled_column ? *number : estimate::scaled(parameter->scale, *number);
    if (!std::isfinite(value)) {
      throw core::Error(table.location(row), fmt::format("{} is no value for {}", text, id),
                        "give a finite number, above 0 on a logarithmic scale");
    }
    if (!given.insert(id).second)
      throw core::Error(table.location(row), fmt::format("{} stands here twice", id), "remove a row");
    x[parameter - problem.parameters.begin()] = value;
  }
}

}  // namespace

std::vector<double> parameter_vector(const std::optional<std::filesystem::path>& table,
                                     const estimate::Problem& problem) {
  std::vector<double> x;
  for (const auto& p : problem.parameters) x.push_back(p.nominal);
  if (table) read_values(*table, problem, x);
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (!std::isnan(x[i])) continue;
    throw core::Error({}, fmt::format("parameter {} has no nominal value", problem.parameters[i].id),
                      "give it one with --parameters");
  }
  return x;
}

}  // namespace kinetune::study
