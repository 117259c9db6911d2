#include <cmath>
#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "example_run.hpp"
#include "store/run_file.hpp"

using namespace kinetune;
using namespace kinetune::store;
using testing::HasSubstr;
namespace fs = std::filesystem;

namespace {

RunFile create(const fs::path& path) {
  return RunFile::create(path, Overwrite::no, example::header(), example::parameters());
}

std::string what(const std::function<void()>& action) {
  try {
    action();
  } catch (const core::Error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST(RunFile, everything_that_was_written_is_read) {
  const auto path = example::fresh_folder("round_trip") / "run.h5";
  {
    RunFile file = create(path);
    for (std::uint64_t id = 0; id < 7; ++id) example::add(file, id);
    file.add_ranks({{.rank = 0, .host = "a", .busy_seconds = 5, .idle_seconds = 0.5, .n_starts = 7}});
    const FitRow fit{"obs", "cond", "", 10, 1.5, 1.25, 0.5, "log10"};
    const CurveRow curve[] = {{"obs", "cond", 0, 1}, {"obs", "cond", 1, 2}};
    file.set_fit({&fit, 1}, curve);
    ASSERT_TRUE(file.commit());
  }

  const RunReader reader(path);

  EXPECT_EQ(example::inconsistency(path, 7), "");
  EXPECT_EQ(reader.header().seed, example::header().seed);
  EXPECT_EQ(reader.header().study, example::header().study);
  EXPECT_EQ(reader.header().end_time, "");
  ASSERT_EQ(reader.parameters().size(), 3u);
  EXPECT_EQ(reader.parameters()[0].name, "rate of α");
  EXPECT_EQ(reader.parameters()[2].scale, "log");
  ASSERT_EQ(reader.ranks().size(), 1u);
  EXPECT_EQ(reader.ranks()[0].host, "a");
  ASSERT_EQ(reader.fit().size(), 1u);
  EXPECT_EQ(reader.fit()[0].sigma, 0.5);
  ASSERT_EQ(reader.curves().size(), 2u);
  EXPECT_EQ(reader.curves()[1].simulation, 2);
}

TEST(RunFile, a_failed_start_has_a_reason_and_no_numbers) {
  const auto path = example::fresh_folder("failed") / "run.h5";
  RunFile file = create(path);
  ResultRow row{.start_id = 3, .x = std::vector<double>(3, not_a_number), .message = "too many steps"};
  row.condition = "dose_1";
  row.time = 12.5;
  file.add_result(row, {});
  ASSERT_TRUE(file.commit());

  const ResultRow read = RunReader(path).results().at(0);

  EXPECT_EQ(read.status, StartStatus::failed);
  EXPECT_EQ(read.message, "too many steps");
  EXPECT_EQ(read.condition, "dose_1");
  EXPECT_EQ(read.time, 12.5);
  EXPECT_TRUE(std::isnan(read.fval));
  EXPECT_TRUE(std::isnan(read.x.at(2)));
}

TEST(RunFile, a_resumed_run_knows_its_starts_and_goes_on_in_a_new_session) {
  const auto path = example::fresh_folder("resume") / "run.h5";
  {
    RunFile file = create(path);
    for (std::uint64_t id = 0; id < 5; ++id) example::add(file, id);
    file.add_ranks({{.rank = 0}, {.rank = 1}});
    ASSERT_TRUE(file.commit());
  }
  {
    RunFile file = RunFile::resume(path);
    EXPECT_EQ(file.header().inputs_checksum, example::header().inputs_checksum);
    EXPECT_TRUE(file.has_start(4) && file.has_result(4));
    EXPECT_FALSE(file.has_start(5) || file.has_result(5));
    for (std::uint64_t id = 5; id < 12; ++id) example::add(file, id);
    file.add_ranks({{.rank = 0}});
    RunHeader header = file.header();
    header.end_time = "2024-05-02T00:00:00Z";
    file.set_header(header);
    ASSERT_TRUE(file.commit());
  }
  EXPECT_EQ(example::inconsistency(path, 12), "");
  const RunReader reader(path);
  EXPECT_EQ(reader.header().end_time, "2024-05-02T00:00:00Z");
  ASSERT_EQ(reader.ranks().size(), 3u);
  EXPECT_EQ(reader.ranks()[1].session, 0u);
  EXPECT_EQ(reader.ranks()[2].session, 1u);
}

TEST(RunFile, what_is_no_run_file_is_refused_and_left_alone) {
  const auto folder = example::fresh_folder("refused");
  Batch other_version;
  other_version.set_attribute("/", "format_version", std::uint64_t{99});
  { DurableFile::create(folder / "new.h5", Overwrite::no, other_version); }
  { DurableFile::create(folder / "other.h5", Overwrite::no, {}); }
  EXPECT_THAT(what([&] { RunFile::resume(folder / "new.h5"); }), HasSubstr("format version 99"));
  EXPECT_THAT(what([&] { RunFile::resume(folder / "other.h5"); }), HasSubstr("is no run file"));
  EXPECT_THAT(what([&] { RunFile::resume(folder / "absent.h5"); }), HasSubstr("absent.h5"));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder), {}), 2);
}

TEST(RunFile, h5py_reads_it_as_the_header_of_this_class_says) {
  if (std::system("/usr/bin/python3 -c 'import h5py' 2>/dev/null") != 0)
    GTEST_SKIP() << "no python3 with h5py here";
  const auto path = example::fresh_folder("h5py") / "run.h5";
  {
    RunFile file = create(path);
    for (std::uint64_t id = 0; id < 7; ++id) {
      example::add(file, id);
      ASSERT_TRUE(file.commit());
    }
  }
  const std::string script = KINETUNE_SOURCE_DIR "/tests/store/read_run.py";
  EXPECT_EQ(std::system(("/usr/bin/python3 '" + script + "' '" + path.string() + "'").c_str()), 0);
}
