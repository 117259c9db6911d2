#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "petab/table.hpp"

using namespace kinetune::petab;
using kinetune::core::Error;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

std::string message_for(std::string_view text) {
  try {
    parse_table(text, "t.tsv");
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST(Table, rows_keep_their_line_in_the_file) {
  const Table table = parse_table("a\tb\n1\t2\n\n\t\n3\t4\n", "t.tsv");

  EXPECT_THAT(table.columns, ElementsAre("a", "b"));
  ASSERT_EQ(table.rows.size(), 2u);
  EXPECT_EQ(table.rows[0].line, 2);
  EXPECT_EQ(table.rows[1].line, 5);  // after a blank line and a line of tabs
  EXPECT_THAT(table.rows[1].cells, ElementsAre("3", "4"));
}

TEST(Table, files_of_all_systems_read_the_same) {
  for (const char* text : {"a\tb\n1\t2\n", "a\tb\r\n1\t2\r\n", "a\tb\r1\t2\r", "a\tb\n1\t2",
                           "\xEF\xBB\xBF"
                           "a\tb\r\n1\t2"}) {
    const Table table = parse_table(text, "t.tsv");
    EXPECT_THAT(table.columns, ElementsAre("a", "b")) << text;
    ASSERT_EQ(table.rows.size(), 1u) << text;
    EXPECT_THAT(table.rows[0].cells, ElementsAre("1", "2")) << text;
    EXPECT_EQ(table.rows[0].line, 2) << text;
  }
}

TEST(Table, quotes_keep_tabs_line_ends_and_doubled_quotes) {
  const Table table =
      parse_table("a\tb\n\"x\ty\"\t\"he said \"\"no\"\"\"\n\"two\nlines\"\t5\"\nlast\t\n", "t.tsv");

  EXPECT_THAT(table.rows[0].cells, ElementsAre("x\ty", "he said \"no\""));
  EXPECT_THAT(table.rows[1].cells, ElementsAre("two\nlines", "5\""));
  EXPECT_EQ(table.rows[2].line, 5);
}

TEST(Table, rows_that_end_early_are_filled_and_rows_that_go_on_are_errors) {
  EXPECT_THAT(parse_table("a\tb\tc\n1\n", "t.tsv").rows[0].cells, ElementsAre("1", "", ""));
  EXPECT_THAT(parse_table("a\n1\t\t\n", "t.tsv").rows[0].cells, ElementsAre("1"));
  EXPECT_THAT(message_for("a\tb\n1\t2\n1\t2\t3\n"), HasSubstr("t.tsv:3: the row has 3 cells, the header 2"));
}

TEST(Table, what_is_no_table_is_an_error_with_its_line) {
  EXPECT_THAT(message_for(""), HasSubstr("t.tsv: the table is empty"));
  EXPECT_THAT(message_for("a\tb\ta\n"), HasSubstr("t.tsv:1: column 'a' appears twice"));
  EXPECT_THAT(message_for("a\n1\n\"open\n"), HasSubstr("t.tsv:3: a quoted cell does not end"));
}

TEST(Table, text_that_is_not_utf8_is_an_error_with_its_line) {
  EXPECT_EQ(message_for("a\n\xC3\xA4 \xE2\x82\xAC \xF0\x9D\x84\x9E\n"), "no error");           // ä € 𝄞
  EXPECT_THAT(message_for("a\n\n\xE4\n"), HasSubstr("t.tsv:3: the table is not UTF-8 text"));  // Latin-1
  EXPECT_THAT(message_for(std::string_view("\xFF\xFE"
                                           "a\0",
                                           4)),
              HasSubstr("t.tsv:1: the table is not UTF-8"));
  EXPECT_THAT(message_for(std::string_view("a\0b", 3)), HasSubstr("t.tsv:1: the table is not UTF-8 text"));
  for (const char* bad : {"\xC0\xAF", "\xE0\x80\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82"}) {
    EXPECT_THAT(message_for(bad), HasSubstr("UTF-8"));
  }
}

TEST(Table, numbers_are_read_strictly) {
  EXPECT_EQ(parse_number("-1.5e-3"), -1.5e-3);
  EXPECT_EQ(parse_number("+2"), 2.0);
  EXPECT_EQ(parse_number("1E5"), 1e5);
  EXPECT_EQ(parse_number("0.1"), 0.1);
  EXPECT_EQ(parse_number("-inf"), -std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::isnan(*parse_number("NaN")));
  for (const char* bad : {"", "1,5", "1 ", " 1", "1.5x", "k1", "+-1", "0x10", "--1", "1e"}) {
    EXPECT_EQ(parse_number(bad), std::nullopt) << bad;
  }
}

TEST(Table, missing_cells_have_pandas_spellings) {
  for (const char* missing : {"", "NaN", "nan", "NA", "n/a"}) EXPECT_TRUE(is_missing(missing)) << missing;
  for (const char* present : {"0", "inf", "na", "none", " "}) EXPECT_FALSE(is_missing(present)) << present;
}
