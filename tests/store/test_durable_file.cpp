#include <csignal>
#include <fstream>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "core/error.hpp"
#include "example_run.hpp"
#include "store/durable_file.hpp"
#include "store/h5_file.hpp"

using namespace kinetune;
using namespace kinetune::store;
using testing::HasSubstr;
namespace fs = std::filesystem;

namespace {

const Column number{"/number", ElementType::uint64, "0, 1, 2, ..."};
const Column text{"/text", ElementType::text, "the same as text"};

Batch rows(std::uint64_t from, std::uint64_t to) {
  Batch batch;
  for (std::uint64_t i = from; i < to; ++i) {
    batch.append(number, std::vector{i});
    batch.append(text, std::vector{std::to_string(i)});
  }
  return batch;
}

void add_rows(DurableFile& file, std::uint64_t from, std::uint64_t to) {
  for (std::uint64_t i = from; i < to; ++i) {
    file.pending().append(number, std::vector{i});
    file.pending().append(text, std::vector{std::to_string(i)});
  }
}

/// The file holds 0..n-1, each once and in order.
void expect_rows(const H5File& file, std::uint64_t n) {
  const auto numbers = file.read<std::uint64_t>("/number");
  const auto texts = file.read<std::string>("/text");
  ASSERT_EQ(numbers.size(), n);
  ASSERT_EQ(texts.size(), n);
  for (std::uint64_t i = 0; i < n; ++i) {
    EXPECT_EQ(numbers[i], i);
    EXPECT_EQ(texts[i], std::to_string(i));
  }
}
void expect_rows(const fs::path& path, std::uint64_t n) { expect_rows(H5File(path, Access::read), n); }

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename());
  return names;
}

/// While it lives no file of this process can grow beyond so many bytes: to a writer that is a full disk.
class FullDisk {
 public:
  explicit FullDisk(std::uintmax_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FullDisk() { ::setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

}  // namespace

class AnyLinks : public testing::TestWithParam<HardLinks> {};
INSTANTIATE_TEST_SUITE_P(DurableFile, AnyLinks, testing::Values(HardLinks::use, HardLinks::avoid));

TEST_P(AnyLinks, after_each_commit_a_reader_finds_all_rows_once) {
  const auto folder = example::fresh_folder("commits");
  {
    DurableFile file = DurableFile::create(folder / "run.h5", Overwrite::no, rows(0, 2), GetParam());
    expect_rows(folder / "run.h5", 2);
    for (std::uint64_t n = 2; n < 12; ++n) {
      add_rows(file, n, n + 1);
      ASSERT_TRUE(file.commit());
      expect_rows(folder / "run.h5", n + 1);
    }
    add_rows(file, 12, 20);  // never committed
  }
  expect_rows(folder / "run.h5", 12);
  EXPECT_THAT(names_in(folder), testing::ElementsAre("run.h5"));
}

TEST(DurableFile, replaced_columns_and_attributes_are_the_last_ones_after_every_commit) {
  const auto path = example::fresh_folder("replace") / "run.h5";
  DurableFile file = DurableFile::create(path, Overwrite::no, rows(0, 1));
  for (std::uint64_t round = 1; round < 5; ++round) {
    file.pending().replace(number, std::vector<std::uint64_t>(round, round));
    file.pending().set_attribute("/", "round", round);
    ASSERT_TRUE(file.commit());
    const H5File reader(path, Access::read);
    EXPECT_EQ(reader.read<std::uint64_t>("/number"), std::vector<std::uint64_t>(round, round));
    EXPECT_EQ(reader.attribute<std::uint64_t>("/", "round"), round);
  }
}

TEST(DurableFile, a_commit_touches_the_new_rows_and_not_the_size_of_the_file) {
  const auto path = example::fresh_folder("cost") / "run.h5";
  DurableFile file = DurableFile::create(path, Overwrite::no, rows(0, 1));
  std::map<ino_t, int> inodes;
  for (std::uint64_t n = 1; n < 9; ++n) {
    add_rows(file, n, n + 1);
    ASSERT_TRUE(file.commit());
    struct stat status {};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    ++inodes[status.st_ino];
  }
  EXPECT_EQ(inodes.size(), 2u);  // two files take turns; a copy would be a third
}

TEST(DurableFile, an_existing_file_is_overwritten_only_when_told) {
  const auto path = example::fresh_folder("overwrite") / "run.h5";
  { DurableFile::create(path, Overwrite::no, rows(0, 3)); }
  EXPECT_THROW(DurableFile::create(path, Overwrite::no, rows(0, 1)), core::Error);
  expect_rows(path, 3);
  { DurableFile::create(path, Overwrite::yes, rows(0, 1)); }
  expect_rows(path, 1);
}

TEST(DurableFile, a_second_writer_is_refused_and_told_who_the_first_is) {
  const auto path = example::fresh_folder("second") / "run.h5";
  {
    const DurableFile file = DurableFile::create(path, Overwrite::no, rows(0, 1));
    try {
      DurableFile::open(path);
      FAIL();
    } catch (const core::Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("process " + std::to_string(::getpid())));
    }
    EXPECT_THROW(DurableFile::create(path, Overwrite::yes, rows(0, 1)), core::Error);
  }
  EXPECT_NO_THROW(DurableFile::open(path));
}

TEST(DurableFile, leftovers_of_a_kill_at_any_point_are_removed_and_writing_goes_on) {
  const auto folder = example::fresh_folder("leftovers");
  const auto path = folder / "run.h5";
  { DurableFile::create(path, Overwrite::no, rows(0, 3)); }
  const auto torn = [&](const char* name) { std::ofstream(folder / name) << "torn"; };
  const auto ahead = [&](const char* name) {
    DurableFile::create(folder / name, Overwrite::yes, rows(0, 9));
  };
  const std::function<void()> kills[] = {
      [&] { torn(".run.h5.spare"); },
      [&] { ahead(".run.h5.spare"); },
      [&] { ahead(".run.h5.spare"), fs::create_hard_link(path, folder / ".run.h5.old"); },
      [&] { ahead(".run.h5.old"); },
  };
  std::uint64_t n = 3;
  for (const auto& kill : kills) {
    kill();
    std::ofstream(folder / ".run.h5.lock") << "process 1 on elsewhere";
    DurableFile file = DurableFile::open(path);
    expect_rows(path, n);
    for (int i = 0; i < 3; ++i, ++n) {
      add_rows(file, n, n + 1);
      ASSERT_TRUE(file.commit());
      expect_rows(path, n + 1);
    }
  }
  EXPECT_THAT(names_in(folder), testing::ElementsAre("run.h5"));
}

TEST(DurableFile, a_reader_keeps_what_it_opened_while_commits_go_on) {
  const auto path = example::fresh_folder("reader") / "run.h5";
  DurableFile file = DurableFile::create(path, Overwrite::no, rows(0, 1));
  add_rows(file, 1, 2);
  ASSERT_TRUE(file.commit());
  const H5File early(path, Access::read);
  for (std::uint64_t n = 2; n < 6; ++n) {
    add_rows(file, n, n + 1);
    ASSERT_TRUE(file.commit());
    expect_rows(path, n + 1);
  }
  expect_rows(early, 2);
}

TEST(DurableFile, a_full_disk_fails_the_commit_and_the_rows_are_there_once_when_it_has_room_again) {
  const auto path = example::fresh_folder("full") / "run.h5";
  DurableFile file = DurableFile::create(path, Overwrite::no, rows(0, 10));
  std::uint64_t n = 10;
  for (const std::uintmax_t room : {0, 100, 3000, 20000, 60000}) {
    const std::uint64_t more = n + 20000;  // their texts alone take more than the room
    add_rows(file, n, more);
    {
      const FullDisk full(fs::file_size(path) + room);
      for (int attempt = 0; attempt < 2; ++attempt) {
        const auto committed = file.commit();
        ASSERT_FALSE(committed) << room;
        EXPECT_THAT(committed.error().reason, HasSubstr("File too large"));
        expect_rows(path, n);
      }
    }
    ASSERT_TRUE(file.commit());
    expect_rows(path, more);
    n = more;
  }
}

TEST(DurableFile, a_folder_that_vanished_is_made_again_with_all_rows_in_it) {
  const auto folder = example::fresh_folder("vanished");
  DurableFile file = DurableFile::create(folder / "run.h5", Overwrite::no, rows(0, 2));
  add_rows(file, 2, 3);
  ASSERT_TRUE(file.commit());
  fs::remove_all(folder);
  add_rows(file, 3, 4);
  ASSERT_TRUE(file.commit());
  expect_rows(folder / "run.h5", 4);
  EXPECT_THROW(DurableFile::open(folder / "run.h5"), core::Error);  // locked as before
}

TEST(DurableFile, while_its_folder_cannot_be_had_commits_fail_and_lose_nothing) {
  const auto folder = example::fresh_folder("gone");
  DurableFile file = DurableFile::create(folder / "run.h5", Overwrite::no, rows(0, 2));
  fs::remove_all(folder);
  { std::ofstream(folder) << "a file where the folder was"; }
  for (std::uint64_t n = 2; n < 5; ++n) {
    add_rows(file, n, n + 1);
    EXPECT_FALSE(file.commit());
  }
  fs::remove(folder);
  ASSERT_TRUE(file.commit());
  expect_rows(folder / "run.h5", 5);
}

TEST(DurableFile, a_link_to_the_file_stays_a_link) {
  const auto folder = example::fresh_folder("link");
  { DurableFile::create(folder / "real.h5", Overwrite::no, rows(0, 1)); }
  fs::create_symlink("real.h5", folder / "link.h5");
  DurableFile file = DurableFile::open(folder / "link.h5");
  add_rows(file, 1, 2);
  ASSERT_TRUE(file.commit());
  EXPECT_TRUE(fs::is_symlink(folder / "link.h5"));
  expect_rows(folder / "real.h5", 2);
}
