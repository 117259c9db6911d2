#include "study/progress.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

namespace kinetune::study {
namespace {

using namespace std::chrono_literals;

std::string duration(double seconds) {
  const auto whole = static_cast<long>(seconds + 0.5);
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{}:{:02} min", whole / 60, whole % 60);
  return fmt::format("{}:{:02} h", whole / 3600, whole / 60 % 60);
}

}  // namespace

Progress::Progress(std::uint64_t n_total, std::uint64_t n_before, double best_before)
    : n_total_(n_total),
      n_before_(n_before),
      n_done_(n_before),
      best_(best_before),
      on_terminal_(isatty(STDERR_FILENO)) {}

void Progress::add(const store::ResultRow& row) {
  ++n_done_;
  n_evaluations_ += row.n_fval;
  if (row.status == store::StartStatus::failed)
    ++failures_[row.message];
  else if (!(best_ <= row.fval))
    best_ = row.fval;
}

void Progress::tick() {
  const auto interval = on_terminal_ ? Clock::duration(500ms) : Clock::duration(1min);
  if (Clock::now() - last_drawn_ >= interval) draw();
}

void Progress::leave_line() const {
  if (on_terminal_) std::fputc('\n', stderr);
}

void Progress::finish() {
  draw();
  if (on_terminal_) std::fputc('\n', stderr);
}

std::string Progress::line() const {
  const double elapsed = std::chrono::duration<double>(Clock::now() - start_).count();
  const std::uint64_t now = n_done_ - n_before_;
  std::string text = fmt::format("{}/{} starts", n_done_, n_total_);
  text += std::isnan(best_) ? ", no fval yet" : fmt::format(", best fval {:.6g}", best_);
  text +=
      fmt::format(", {:.0f} evaluations/s", static_cast<double>(n_evaluations_) / std::max(elapsed, 1e-3));
  int n_failed = 0;
  for (const auto& [reason, count] : failures_) n_failed += count;
  if (n_failed > 0) {
    const auto most = std::ranges::max_element(failures_, {}, [](const auto& f) { return f.second; });
    text += fmt::format(", {} failed (most: {})", n_failed, most->first);
  }
  text += ", " + duration(elapsed);
  if (now > 0 && n_done_ < n_total_) {
    text += fmt::format(
        ", {} to go", duration(elapsed / static_cast<double>(now) * static_cast<double>(n_total_ - n_done_)));
  }
  return text;
}

void Progress::draw() {
  last_drawn_ = Clock::now();
  if (on_terminal_)
    fmt::print(stderr, "\r\033[K{}", line());
  else
    fmt::print(stderr, "{}\n", line());
  std::fflush(stderr);
}

}  // namespace kinetune::study
