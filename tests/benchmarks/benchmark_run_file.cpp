// What does a large run file cost to write, and to read?
//
//   benchmark_run_file FILE.h5 [starts] [parameters] [iterates]
//
// Writes so many starts with their traces, a commit every 1,000, as a busy run does about once a second.
// Prints the time of a start and of a commit as the file grows: both must stay. read_run_file.py then reads
// the file.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <vector>

#include <fmt/format.h>

#include "core/random.hpp"
#include "store/run_file.hpp"

namespace {

using namespace kinetune;

constexpr std::uint64_t starts_a_commit = 1000;

double seconds(const auto& action) {
  const auto begin = std::chrono::steady_clock::now();
  action();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

std::vector<double> numbers(core::RandomStream& random, std::uint64_t n) {
  std::vector<double> result(n);
  for (double& value : result) value = random.uniform();
  return result;
}

void add(store::RunFile& file, std::uint64_t id, std::uint64_t n_x, std::uint64_t n_iterates) {
  core::RandomStream random(1, id);
  file.add_start({.id = id, .source = "lhs", .x0 = numbers(random, n_x), .f0 = random.uniform()});
  std::vector<store::TraceRow> trace(n_iterates);
  for (std::uint64_t i = 0; i < n_iterates; ++i)
    trace[i] = {i, i, random.uniform(), random.uniform(), random.uniform(), numbers(random, n_x)};
  store::ResultRow result{.start_id = id, .x = numbers(random, n_x), .fval = random.uniform()};
  result.status = store::StartStatus::converged;
  result.message = "fval_change";
  file.add_result(result, trace);
}

}  // namespace

int main(int argc, char** argv) {
  const auto argument = [&](int i, const char* otherwise) {
    return std::strtoull(i < argc ? argv[i] : otherwise, nullptr, 10);
  };
  const std::uint64_t n_starts = argument(2, "10000"), n_x = argument(3, "100"),
                      n_iterates = argument(4, "20");
  if (argc < 2 || n_x == 0) {
    fmt::print(stderr, "benchmark_run_file FILE.h5 [starts] [parameters] [iterates]\n");
    return 2;
  }
  std::vector<store::ParameterRow> parameters(n_x);
  for (std::uint64_t i = 0; i < n_x; ++i) parameters[i].id = fmt::format("p{}", i);
  auto file = store::RunFile::create(argv[1], store::Overwrite::yes, {}, parameters);

  fmt::print("{:>8} {:>16} {:>14}\n", "starts", "us a start", "ms a commit");
  double adding = 0, committing = 0;
  std::uint64_t n_commits = 0, n_added = 0;
  for (std::uint64_t id = 0; id < n_starts; ++id) {
    adding += seconds([&] { add(file, id, n_x, n_iterates); });
    ++n_added;
    if ((id + 1) % starts_a_commit == 0 || id + 1 == n_starts) {
      committing += seconds([&] {
        if (const auto done = file.commit(); !done) fmt::print("commit failed: {}\n", done.error().reason);
      });
      ++n_commits;
    }
    if ((id + 1) % std::max<std::uint64_t>(n_starts / 10, 1) == 0) {
      fmt::print("{:>8} {:>16.1f} {:>14.1f}\n", id + 1,
                 1e6 * (adding + committing) / static_cast<double>(n_added),
                 1e3 * committing / static_cast<double>(std::max<std::uint64_t>(n_commits, 1)));
      adding = committing = 0;
      n_commits = n_added = 0;
    }
  }
}
