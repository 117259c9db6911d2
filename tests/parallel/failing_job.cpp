// A job that goes wrong in the way that its argument names; tests/parallel/CMakeLists.txt says what must be
// seen.
#include <chrono>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <vector>

#include "parallel/work_queue.hpp"

using namespace kinetune;
using namespace kinetune::parallel;

namespace {

/// Far longer than the test may take: only being taken down ends it.
std::optional<std::string> sleep_long() {
  std::this_thread::sleep_for(std::chrono::minutes(10));
  return {};
}

int fail(MpiSession& session, std::string_view how) {
  const std::vector<std::uint64_t> tasks{5, 7, 9};  // one a rank
  const QueueHooks quiet{.on_result = [](std::uint64_t, int, std::string) {}};
  const QueueHooks throwing{
      .on_result = [](std::uint64_t, int, std::string) { throw std::runtime_error("the disk is broken"); }};
  if (how == "work_throws") {
    const Work work = [](std::uint64_t task, Slot&) {
      if (task == 7) throw std::runtime_error("the model is broken");
      return sleep_long();
    };
    run_tasks(session, tasks, work, quiet);
  }
  if (how == "hook_throws") {
    const Work work = [](std::uint64_t task, Slot&) {
      return task == 9 ? std::optional<std::string>("result") : sleep_long();
    };
    run_tasks(session, tasks, work, throwing);
  }
  if (how == "one_rank_leaves") {
    if (session.rank() == 2) throw std::runtime_error("only I know");
    session.barrier();
  }
  if (how == "all_ranks_leave") {
    share_verdict(session, []() -> std::string { throw core::Error({}, "the input is wrong", "mend it"); });
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  MpiSession session(argc, argv);
  return run_guarded(session, [&] { return fail(session, argc > 1 ? argv[1] : ""); });
}
