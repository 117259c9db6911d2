#include "petab/row.hpp"

#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "symbolic/maths_parser.hpp"

namespace kinetune::petab {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

}  // namespace

void Row::report(std::string what, std::string suggestion) const {
  diagnostics_.report(where(), std::move(what), std::move(suggestion));
}

void Row::report_choice(std::string_view column, const std::string& cell, const std::string& expected) const {
  report(fmt::format("{} is '{}'", column, cell), fmt::format("one of {}", expected));
}

std::string Row::text(std::string_view column) const {
  const auto index = table_.column(column);
  if (!index || is_missing(row_.cells[*index])) return {};
  const std::string& cell = row_.cells[*index];
  const std::string_view content = trim(cell);
  if (content.size() != cell.size())
    report(fmt::format("{} '{}' has blanks around it", column, cell), "remove them");
  return std::string(content);
}

std::string Row::required_text(std::string_view column) const {
  std::string cell = text(column);
  if (cell.empty()) report(fmt::format("{} is empty", column), "fill it in");
  return cell;
}

std::string Row::required_id(std::string_view column) const {
  return required_text(column).empty() ? std::string{} : optional_id(column);
}

std::string Row::optional_id(std::string_view column) const {
  std::string cell = text(column);
  if (cell.empty() || symbolic::is_identifier(cell)) return cell;
  report(fmt::format("{} '{}' is no valid id", column, cell),
         "a letter or underscore, then letters, digits and underscores");
  return {};
}

double Row::required_number(std::string_view column) const {
  return required_text(column).empty() ? nan : optional_number(column);
}

double Row::optional_number(std::string_view column) const {
  const std::string cell = text(column);
  if (cell.empty()) return nan;
  if (const auto number = parse_number(cell); number && !std::isnan(*number)) return *number;
  report(fmt::format("{} '{}' is not a number", column, cell), "a number such as 1.5 or 1e-3");
  return nan;
}

std::optional<Value> Row::value(std::string_view column, const std::string& text) const {
  if (const auto number = parse_number(text)) {
    if (std::isfinite(*number)) return *number;
  } else if (symbolic::is_identifier(text)) {
    return text;
  }
  report(fmt::format("'{}' in {} is neither a finite number nor an id", text, column), "give one of them");
  return std::nullopt;
}

std::vector<Value> Row::values(std::string_view column) const {
  std::vector<Value> values;
  const std::string cell = text(column);
  if (cell.empty()) return values;
  for (const std::string& part : split_list(cell)) {
    // A stand-in for what was reported keeps the count right, so that it is not reported as well.
    values.push_back(value(column, part).value_or(Value{nan}));
  }
  return values;
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(';', begin), text.size());
    parts.emplace_back(trim(text.substr(begin, end - begin)));
    begin = end + 1;
  }
  return parts;
}

}  // namespace kinetune::petab
