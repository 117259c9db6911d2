// kinetune-train data.h5 -o model.h5: trains a generative model on evaluated parameter vectors.
#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "core/error.hpp"
#include "core/log.hpp"
#include "generate/generator.hpp"
#include "generate/measures.hpp"
#include "generate/search.hpp"

namespace {

using namespace kinetune;
using namespace kinetune::generate;
using Clock = std::chrono::steady_clock;

struct Flags {
  std::string data, output = "model.h5", resume;
  bool force = false;
  int threads = 1;
  double save_every = 30;
  std::uint64_t search = 0, processes = 1;
  std::vector<std::pair<std::string, std::optional<std::string>>> options;  ///< of the model, as given
};

volatile std::sig_atomic_t stop_asked = 0;

/// Shows the progress on standard error, and saves so that a kill costs little.
class Watch final : public TrainingObserver {
 public:
  Watch(const Generator& model, const Flags& flags) : model_(model), flags_(flags) {}

  Next on_epoch(const EpochRecord& record) override {
    const auto now = Clock::now();
    const std::chrono::duration<double> since_saved = now - saved_, since_shown = now - shown_;
    if (since_saved.count() >= flags_.save_every) {
      save(model_, flags_.output);
      saved_ = now;
    }
    const bool last = record.epoch == model_.options().epochs;
    if (last || since_shown.count() >= (on_terminal_ ? 0.2 : 60)) show(record, last);
    return stop_asked ? Next::stop : Next::go_on;
  }

 private:
  void show(const EpochRecord& record, bool last) {
    shown_ = Clock::now();
    const std::chrono::duration<double> spent = shown_ - begin_;
    if (first_ == 0) first_ = record.epoch - 1;
    const double rate = spent.count() / static_cast<double>(record.epoch - first_);
    fmt::print(stderr, "{}epoch {}/{}, loss {:.5g}, held out {:.5g}, {:.0f} s to go{}",
               on_terminal_ ? "\r" : "", record.epoch, model_.options().epochs, record.train_loss,
               record.validation_loss, rate * static_cast<double>(model_.options().epochs - record.epoch),
               on_terminal_ && !last ? "\033[K" : "\n");
  }

  const Generator& model_;
  const Flags& flags_;
  bool on_terminal_ = isatty(STDERR_FILENO);
  std::uint64_t first_ = 0;
  Clock::time_point begin_ = Clock::now(), saved_ = begin_, shown_ = begin_;
};

GeneratorOptions options_of(const Flags& flags) {
  GeneratorOptions method;
  for (const auto& [name, value] : flags.options) {
    if (name == "method" && value) set_option(method, name, *value);
  }
  GeneratorOptions options = default_options(method.method);
  for (const auto& [name, value] : flags.options) {
    if (value) set_option(options, name, *value);
  }
  return options;
}

/// A new model, or the one to resume, of which only the number of epochs may change.
std::unique_ptr<Generator> model_of(const Flags& flags) {
  if (flags.resume.empty()) return make_generator(options_of(flags));
  auto model = load_generator(flags.resume);
  for (const auto& [name, value] : flags.options) {
    if (!value) continue;
    if (name != "epochs") {
      throw core::Error({}, fmt::format("--{} cannot change when training is resumed", name),
                        "leave it out, or train a new model");
    }
    set_option(model->options(), name, *value);
  }
  return model;
}

int run(const Flags& flags) {
  if (!flags.force && flags.resume != flags.output && std::filesystem::exists(flags.output))
    throw core::Error({flags.output, 0}, "exists already", "choose another name, or give --force");
  if (flags.search > 0 && !flags.resume.empty())
    throw core::Error({}, "--search and --resume exclude each other", "leave one out");
  const DataSet data = read_data(flags.data);
  store::Batch more;
  std::unique_ptr<Generator> model;
  if (flags.search > 0) {
    const auto trials = run_search({options_of(flags), flags.search, flags.processes}, data);
    const Trial& best = best_trial(trials);
    fmt::print("search: trial {} of {} is best, validation loss {:.5g}\n", best.id, trials.size(),
               best.score);
    more = search_batch(trials);
    model = make_generator(best.options);
  } else {
    model = model_of(flags);
  }
  use_threads(flags.threads);
  fmt::print("{}: {} points of {} parameters, {} failed\n", name(model->options().method), data.size(),
             data.n_x(), data.size() - data.n_evaluated());
  std::fflush(stdout);
  Watch watch(*model, flags);
  const auto end = model->train(data, watch);
  if (!end) {
    save(*model, flags.output, more);
    core::log(core::LogLevel::error, "epoch {}: {}", end.error().epoch, end.error().reason);
    return 1;
  }
  if (*end != TrainingEnd::stopped_by_observer) {
    const Measures measures = measure(*model, data);
    fmt::print("{}", to_text(measures));
    add_measures(more, measures, data.n_x());
  }
  save(*model, flags.output, more);
  return *end == TrainingEnd::stopped_by_observer ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("kinetune-train learns from evaluated parameter vectors to propose better ones",
               "kinetune-train");
  app.set_version_flag("--version", "kinetune-train " KINETUNE_VERSION);
  Flags flags;
  app.add_option("data", flags.data, "training set or run file (HDF5)")->required();
  app.add_option("-o,--output", flags.output, "model file (HDF5)")->capture_default_str();
  app.add_option("--resume", flags.resume, "go on training this model, with the same data");
  app.add_flag("--force", flags.force, "overwrite an existing model file");
  app.add_option("--threads", flags.threads, "to compute with")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--save-every", flags.save_every, "seconds between saves of the model so far")
      ->capture_default_str();
  app.add_option("--search", flags.search, "trials of a random search over sizes and training; 0: none");
  app.add_option("--processes", flags.processes, "that the search runs in")->check(CLI::PositiveNumber);
  const GeneratorOptions defaults;
  std::size_t n_options = 0;
  visit_options(defaults, [&](auto&&...) { ++n_options; });
  flags.options.reserve(n_options);  // CLI11 keeps addresses
  visit_options(defaults, [&](std::string_view name, const auto& value, std::string_view text) {
    auto& option = flags.options.emplace_back(name, std::nullopt);
    app.add_option(fmt::format("--{}", name), option.second, std::string(text))
        ->default_str(value_text(value))
        ->group("Model");
  });
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, [](int) { stop_asked = 1; });
  try {
    return run(flags);
  } catch (const core::Error& error) {
    core::log(core::LogLevel::error, "{}", error.what());
    return 2;
  } catch (const std::exception& error) {
    core::log(core::LogLevel::error, "{}", error.what());
    return 1;
  }
}
