#include "study/stop_request.hpp"

#include <array>
#include <csignal>

namespace kinetune::study {
namespace {

volatile std::sig_atomic_t signalled = 0;  // a signal handler may touch nothing else

constexpr std::array caught{SIGINT, SIGTERM, SIGUSR1};

void note(int) { signalled = 1; }

}  // namespace

StopRequest::StopRequest(double max_seconds) : max_seconds_(max_seconds) {
  signalled = 0;
  struct sigaction action {};
  action.sa_handler = note;
  action.sa_flags = SA_RESTART | SA_RESETHAND;  // a second signal ends the process at once
  for (const int signal : caught) sigaction(signal, &action, nullptr);
}

StopRequest::~StopRequest() {
  for (const int signal : caught) std::signal(signal, SIG_DFL);
}

bool StopRequest::time_is_up() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count() >= max_seconds_;
}

const char* StopRequest::reason() const {
  return signalled != 0 ? "signal" : time_is_up() ? "time limit" : "";
}

}  // namespace kinetune::study
