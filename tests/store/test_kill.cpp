#include <csignal>
#include <thread>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/random.hpp"
#include "example_run.hpp"

using namespace kinetune;
namespace fs = std::filesystem;

namespace {

/// Resumes the run, adds starts and commits forever; after each commit it reports the number of results to
/// the pipe.
[[noreturn]] void write_forever(const fs::path& path, int pipe) {
  store::RunFile file = store::RunFile::resume(path);
  std::uint64_t id = 0;
  while (file.has_result(id)) ++id;
  while (true) {
    for (const std::uint64_t end = id + 1 + id % 3; id < end; ++id) example::add(file, id);
    if (!file.commit() || ::write(pipe, &id, sizeof id) != sizeof id) ::_exit(1);
  }
}

struct Killed {
  std::uint64_t n_committed = 0;  ///< as the writer last reported
  int status = 0;
};

/// Lets a writer run until so many commits were reported and a little longer, then kills it.
Killed run_and_kill(const fs::path& path, std::uint64_t n_reports, std::chrono::microseconds longer) {
  int ends[2];
  if (::pipe(ends) != 0) throw std::runtime_error("no pipe");
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    write_forever(path, ends[1]);
  }
  ::close(ends[1]);
  Killed killed;
  std::uint64_t n = 0;
  for (std::uint64_t i = 0; i < n_reports && ::read(ends[0], &n, sizeof n) == sizeof n; ++i)
    killed.n_committed = n;
  std::this_thread::sleep_for(longer);
  ::kill(child, SIGKILL);
  while (::read(ends[0], &n, sizeof n) == sizeof n) killed.n_committed = n;
  ::waitpid(child, &killed.status, 0);
  ::close(ends[0]);
  return killed;
}

}  // namespace

TEST(Kill, at_any_moment_leaves_a_valid_file_with_all_that_was_committed_and_the_run_goes_on) {
  const auto path = example::fresh_folder("kill") / "run.h5";
  { store::RunFile::create(path, store::Overwrite::no, example::header(), example::parameters()); }
  core::RandomStream random(2024, 0);
  std::uint64_t n = 0;
  for (int kill = 0; kill < 40; ++kill) {
    const std::chrono::microseconds longer(random.below(20000));
    const Killed killed = run_and_kill(path, random.below(4), longer);
    ASSERT_TRUE(WIFSIGNALED(killed.status)) << "the writer gave up by itself";
    n = std::max(n, killed.n_committed);
    ASSERT_EQ(example::inconsistency(path, n), "") << "kill " << kill;
  }
  EXPECT_GT(n, 40u);
}
