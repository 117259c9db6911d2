#include <filesystem>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/file.hpp"

namespace fs = std::filesystem;
using namespace kinetune::core;

namespace {
const fs::path folder = fs::path(testing::TempDir()) / "kinetune_test_file";
}

TEST(File, what_is_written_is_read_and_nothing_else_is_left) {
  fs::remove_all(folder);
  fs::create_directories(folder);

  write_file_atomically(folder / "a", "first");
  write_file_atomically(folder / "a", std::string("sec\0nd", 6));

  EXPECT_EQ(read_file(folder / "a"), std::string("sec\0nd", 6));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder), {}), 1);
}

TEST(File, a_write_that_cannot_succeed_leaves_the_old_content) {
  fs::remove_all(folder);
  fs::create_directories(folder / "a.tmp" / "occupied");  // the temporary's name is taken by a folder
  EXPECT_THROW(write_file_atomically(folder / "a", "new"), Error);
  EXPECT_FALSE(fs::exists(folder / "a"));
}

TEST(File, reading_a_folder_or_nothing_is_an_error_that_names_it) {
  fs::create_directories(folder);
  EXPECT_THROW(read_file(folder), Error);
  try {
    read_file(folder / "absent");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.where().file, (folder / "absent").string());
  }
}
