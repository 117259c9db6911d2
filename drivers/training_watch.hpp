#pragma once

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "generate/generator.hpp"
#include "generate/search.hpp"

// What kinetune-train does while something is trained: show progress, save, and stop when a signal asks.
namespace kinetune::drivers {

inline volatile std::sig_atomic_t stop_asked = 0;
inline void stop_on_signals() {
  for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, [](int) { stop_asked = 1; });
}

struct SavePlan {
  std::filesystem::path file;
  double every = 30;  ///< seconds
};

/// Shows the progress of a training on standard error, and saves so that a kill costs little.
class Watch final : public generate::TrainingObserver {
 public:
  /// @param more  what else is in every file that it writes
  Watch(const generate::Generator& model, const store::Batch& more, SavePlan plan)
      : model_(model), more_(more), plan_(std::move(plan)) {}

  Next on_epoch(const generate::EpochRecord& record) override {
    const auto now = Clock::now();
    const std::chrono::duration<double> since_saved = now - saved_, since_shown = now - shown_;
    if (since_saved.count() >= plan_.every) {
      save(model_, plan_.file, more_);
      saved_ = now;
    }
    const bool last = record.epoch == model_.options().epochs;
    if (last || since_shown.count() >= (on_terminal_ ? 0.2 : 60)) show(record, last);
    return stop_asked ? Next::stop : Next::go_on;
  }

 private:
  using Clock = std::chrono::steady_clock;

  void show(const generate::EpochRecord& record, bool last) {
    shown_ = Clock::now();
    const std::chrono::duration<double> spent = shown_ - begin_;
    if (first_ == 0) first_ = record.epoch - 1;
    const double rate = spent.count() / static_cast<double>(record.epoch - first_);
    fmt::print(stderr, "{}epoch {}/{}, loss {:.5g}, held out {:.5g}, {:.0f} s to go{}",
               on_terminal_ ? "\r" : "", record.epoch, model_.options().epochs, record.train_loss,
               record.validation_loss, rate * static_cast<double>(model_.options().epochs - record.epoch),
               on_terminal_ && !last ? "\033[K" : "\n");
  }

  const generate::Generator& model_;
  const store::Batch& more_;
  SavePlan plan_;
  bool on_terminal_ = isatty(STDERR_FILENO);
  std::uint64_t first_ = 0;
  Clock::time_point begin_ = Clock::now(), saved_ = begin_, shown_ = begin_;
};

/// Keeps the file up to date with what has ended of a search.
class SearchWatch final : public generate::SearchObserver {
 public:
  /// @param model  untrained, of the base options; it stands in the file until the best trial's does
  SearchWatch(const generate::Generator& model, std::filesystem::path file)
      : model_(model), file_(std::move(file)) {}

  void on_trials(const std::vector<generate::Trial>& trials) override {
    save(model_, file_, search_batch(trials));
    const auto n_open = std::ranges::count(trials, generate::TrialStatus::open, &generate::Trial::status);
    fmt::print(stderr, "search: {} of {} trials have ended\n",
               trials.size() - static_cast<std::size_t>(n_open), trials.size());
  }
  generate::TrainingObserver::Next on_wait() override {
    return stop_asked ? generate::TrainingObserver::Next::stop : generate::TrainingObserver::Next::go_on;
  }

 private:
  const generate::Generator& model_;
  std::filesystem::path file_;
};

}  // namespace kinetune::drivers
