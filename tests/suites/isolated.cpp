#include "suites/isolated.hpp"

#include <csignal>
#include <stdexcept>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace kinetune::suites {
namespace {

constexpr rlim_t memory_limit = rlim_t{4} << 30;  // bytes
constexpr char separator = '\0';

std::string packed(const CaseResult& result) {
  return result.name + separator + static_cast<char>('0' + static_cast<int>(result.verdict)) + separator +
         result.reason + separator + result.tags + separator;
}

CaseResult unpacked(const std::string& bytes) {
  std::vector<std::string> fields(1);
  for (const char c : bytes) {
    if (c == separator)
      fields.emplace_back();
    else
      fields.back() += c;
  }
  return {fields.at(0), static_cast<Verdict>(fields.at(1).at(0) - '0'), fields.at(2), fields.at(3)};
}

[[noreturn]] void answer(int pipe, unsigned seconds, const std::function<CaseResult()>& run) {
#if !defined(__SANITIZE_ADDRESS__)  // whose shadow memory is larger than any limit
  const rlimit memory{memory_limit, memory_limit};
  setrlimit(RLIMIT_AS, &memory);
#endif
  alarm(seconds);
  const std::string bytes = packed(run());
  const bool written = write(pipe, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size());
  _exit(written ? 0 : 1);
}

}  // namespace

CaseResult run_isolated(const std::string& name, unsigned seconds, const std::function<CaseResult()>& run) {
  int ends[2];
  if (pipe(ends) != 0) throw std::runtime_error("no pipe");
  std::cout.flush();
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error("no process");
  if (child == 0) answer(ends[1], seconds, run);
  close(ends[1]);
  std::string bytes;
  char buffer[4096];
  for (ssize_t n; (n = read(ends[0], buffer, sizeof buffer)) > 0;)
    bytes.append(buffer, static_cast<std::size_t>(n));
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return unpacked(bytes);
  const bool timed_out = WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM;
  return {name, Verdict::failed, timed_out ? fmt::format("ended after {} s", seconds) : "crashed"};
}

}  // namespace kinetune::suites
