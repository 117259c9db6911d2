#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"

namespace kinetune::petab {

/// A tab-separated table as text, every row with its line in the file.
struct Table {
  struct Row {
    int line;                        ///< where the row begins
    std::vector<std::string> cells;  ///< (n_columns)
  };

  std::string file;
  int header_line = 1;
  std::vector<std::string> columns;  ///< may be empty strings, which nothing asks for
  std::vector<Row> rows;

  core::Location location(const Row& row) const { return {file, row.line}; }
  std::optional<std::size_t> column(std::string_view name) const;
};

/// Reads a table the way pandas reads PEtab's: UTF-8 with or without a byte-order mark, line ends of any
/// system, fields quoted with " (doubled inside), blank rows skipped, rows that end early filled with empty
/// cells.
/// @throws core::Error for text that is not UTF-8, an open quote, a repeated column, or a row longer than the
/// header
Table parse_table(std::string_view text, const std::string& file);

/// Whether a cell holds no value: empty, or one of the spellings of "not available" that pandas takes for it.
bool is_missing(std::string_view cell);

/// The whole text as a number: decimal point, whatever the locale; inf and nan in any case. Nothing for other
/// text.
std::optional<double> parse_number(std::string_view text);

}  // namespace kinetune::petab
