#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "petab/diagnostics.hpp"
#include "petab/problem.hpp"
#include "petab/table.hpp"

namespace kinetune::petab {

/// The typed cells of one row. What is wrong with a cell is reported, and reading goes on with a stand-in.
class Row {
 public:
  Row(const Table& table, const Table::Row& row, Diagnostics& diagnostics)
      : table_(table), row_(row), diagnostics_(diagnostics) {}

  core::Location where() const { return table_.location(row_); }
  void report(std::string what, std::string suggestion) const;

  /// The text of a cell; empty where the cell or the whole column is missing.
  std::string text(std::string_view column) const;
  std::string required_text(std::string_view column) const;
  /// An id; empty where there is none or it is not one.
  std::string required_id(std::string_view column) const;
  std::string optional_id(std::string_view column) const;
  /// NaN where the cell is missing or no number.
  double required_number(std::string_view column) const;
  double optional_number(std::string_view column) const;
  /// The numbers or ids of a list separated by semicolons; empty where the cell is missing.
  std::vector<Value> values(std::string_view column) const;
  /// A finite number or an id; nothing where text is neither, which is reported.
  std::optional<Value> value(std::string_view column, const std::string& text) const;

  /// Which of the spellings the cell has; `otherwise` where the cell is missing.
  template <class Enum, class Spellings>
  Enum choice(std::string_view column, const Spellings& spellings, std::optional<Enum> otherwise) const {
    const std::string cell = text(column);
    if (cell.empty() && otherwise) return *otherwise;
    std::string expected;
    for (const auto& [spelling, meaning] : spellings) {
      if (cell == spelling) return meaning;
      expected += (expected.empty() ? "" : ", ") + std::string(spelling);
    }
    report_choice(column, cell, expected);
    return spellings.begin()->second;
  }

 private:
  void report_choice(std::string_view column, const std::string& cell, const std::string& expected) const;

  const Table& table_;
  const Table::Row& row_;
  Diagnostics& diagnostics_;
};

/// The parts between semicolons, without the spaces around them.
std::vector<std::string> split_list(std::string_view text);

}  // namespace kinetune::petab
