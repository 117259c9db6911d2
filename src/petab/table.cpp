#include "petab/table.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <set>

#include <fmt/format.h>

namespace kinetune::petab {
namespace {

/// Number of bytes of the UTF-8 character that begins the text (RFC 3629), 0 where none does.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0u) != 0x80u) return 0;
  }
  const bool overlong = (first == 0xE0 && byte(1) < 0xA0) || (first == 0xF0 && byte(1) < 0x90);
  const bool surrogate = first == 0xED && byte(1) > 0x9F;
  const bool too_large = first == 0xF4 && byte(1) > 0x8F;
  return overlong || surrogate || too_large ? 0 : length;
}

void require_utf8(std::string_view text, const std::string& file) {
  int line = 1;
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0 || text.front() == '\0') {
      throw core::Error({file, line}, "the table is not UTF-8 text", "save it as UTF-8");
    }
    if (text.front() == '\n') ++line;
    text.remove_prefix(length);
  }
}

/// Cuts text into cells and rows.
class Reader {
 public:
  Reader(std::string_view text, const std::string& file) : text_(text), file_(file) {}

  bool at_end() const { return next_ == text_.size(); }

  Table::Row row() {
    Table::Row row{line_, {}};
    row.cells.push_back(cell());
    while (!at_end() && text_[next_] == '\t') {
      ++next_;
      row.cells.push_back(cell());
    }
    skip_line_end();
    return row;
  }

 private:
  std::string cell() {
    std::string content;
    if (!at_end() && text_[next_] == '"') content = quoted();
    while (!at_end() && text_[next_] != '\t' && text_[next_] != '\n' && text_[next_] != '\r') {
      content += text_[next_++];
    }
    return content;
  }

  std::string quoted() {
    const int first_line = line_;
    std::string content;
    for (++next_; !at_end(); ++next_) {
      if (text_[next_] == '"') {
        ++next_;
        if (at_end() || text_[next_] != '"') return content;
      }
      if (text_[next_] == '\n') ++line_;
      content += text_[next_];
    }
    throw core::Error({file_, first_line}, "a quoted cell does not end", "close it with \"");
  }

  void skip_line_end() {
    if (at_end()) return;
    const bool windows = text_.substr(next_, 2) == "\r\n";
    next_ += windows ? 2 : 1;
    ++line_;
  }

  std::string_view text_;
  const std::string& file_;
  std::size_t next_ = 0;
  int line_ = 1;
};

bool is_blank(const Table::Row& row) {
  return std::all_of(row.cells.begin(), row.cells.end(),
                     [](const std::string& cell) { return cell.empty(); });
}

void check_header(const Table& table) {
  std::set<std::string_view> seen;
  for (const std::string& column : table.columns) {
    if (!column.empty() && (column.front() == ' ' || column.back() == ' ')) {
      throw core::Error({table.file, table.header_line},
                        fmt::format("column '{}' has blanks around its name", column), "remove them");
    }
    if (!column.empty() && !seen.insert(column).second) {
      throw core::Error({table.file, table.header_line}, fmt::format("column '{}' appears twice", column),
                        "keep one of the two");
    }
  }
}

/// Rows that end early are common (and pandas fills them); rows that go on have a cell nobody can name.
void fit_to_header(Table::Row& row, const Table& table) {
  const std::size_t n_columns = table.columns.size();
  while (row.cells.size() > n_columns && row.cells.back().empty()) row.cells.pop_back();
  if (row.cells.size() > n_columns) {
    throw core::Error(table.location(row),
                      fmt::format("the row has {} cells, the header {}", row.cells.size(), n_columns),
                      "separate cells by one tab, or quote a cell that holds a tab");
  }
  row.cells.resize(n_columns);
}

}  // namespace

std::optional<std::size_t> Table::column(std::string_view name) const {
  const auto found = std::find(columns.begin(), columns.end(), name);
  if (found == columns.end()) return std::nullopt;
  return static_cast<std::size_t>(found - columns.begin());
}

Table parse_table(std::string_view text, const std::string& file) {
  require_utf8(text, file);
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (text.substr(0, byte_order_mark.size()) == byte_order_mark) text.remove_prefix(byte_order_mark.size());

  Table table;
  table.file = file;
  Reader reader(text, file);
  while (!reader.at_end()) {
    Table::Row row = reader.row();
    if (is_blank(row)) continue;
    if (table.columns.empty()) {
      table.header_line = row.line;
      table.columns = std::move(row.cells);
      check_header(table);
    } else {
      fit_to_header(row, table);
      table.rows.push_back(std::move(row));
    }
  }
  if (table.columns.empty()) throw core::Error({file, 0}, "the table is empty", "give it a header");
  return table;
}

bool is_missing(std::string_view cell) {
  constexpr std::array<std::string_view, 18> spellings{
      "",     "nan", "NaN",  "-nan", "-NaN",     "NA",   "N/A",     "n/a",      "<NA>",
      "#N/A", "#NA", "null", "NULL", "#N/A N/A", "None", "1.#QNAN", "-1.#QNAN", "-1.#IND"};
  return std::find(spellings.begin(), spellings.end(), cell) != spellings.end();
}

std::optional<double> parse_number(std::string_view text) {
  if (!text.empty() && text.front() == '+') {
    text.remove_prefix(1);  // which from_chars does not take
    if (!text.empty() && text.front() == '-') return std::nullopt;
  }
  double value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace kinetune::petab
