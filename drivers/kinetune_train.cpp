// kinetune-train data.h5 -o model.h5: trains a generative model on evaluated parameter vectors.
#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "core/error.hpp"
#include "core/log.hpp"
#include "generate/generator.hpp"
#include "generate/measures.hpp"
#include "generate/search.hpp"
#include "training_watch.hpp"

namespace {

using namespace kinetune;
using namespace kinetune::generate;

struct Flags {
  std::string data, output = "model.h5", resume;
  bool force = false;
  int threads = 1;
  double save_every = 30;
  std::uint64_t search = 0, processes = 1;
  std::vector<std::pair<std::string, std::optional<std::string>>> options;  ///< of the model, as given
};

GeneratorOptions options_of(const Flags& flags) {
  GeneratorOptions method;
  for (const auto& [name, value] : flags.options) {
    if (name == "method" && value) set_option(method, name, *value);
  }
  GeneratorOptions options = default_options(method.method);
  for (const auto& [name, value] : flags.options) {
    if (!value) continue;
    set_option(options, name, *value);
    check_applies(name, options.method);
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

/// The search that was asked for, or the one in the file that is resumed; without trials there is none.
struct Search {
  SearchOptions options;
  std::vector<Trial> trials;
  bool is_over = false;  ///< the best is chosen and in training
};

Search search_of(const Flags& flags, const DataSet& data) {
  if (flags.search > 0) {
    const SearchOptions options{options_of(flags), flags.search, flags.processes};
    return {options, open_trials(options)};
  }
  const auto record = flags.resume.empty() ? std::nullopt : read_search(flags.resume);
  if (!record || record->trials.empty()) return {};
  const Search search{{record->trials.front().options, record->trials.size(), flags.processes},
                      record->trials,
                      record->is_over};
  if (search.is_over) return search;
  if (record->data != fingerprint(data)) {
    throw core::Error({flags.resume, 0}, "its search was begun with other data", "resume it with the same");
  }
  for (const auto& [name, value] : flags.options) {
    if (value) {
      throw core::Error({}, fmt::format("--{} cannot change before a search has ended", name),
                        "leave it out, or begin a new search");
    }
  }
  return search;
}

enum class SearchEnd { all_trials, stopped };

/// Does the trials that are open, and keeps all in the file as they end.
SearchEnd run_trials(Search& search, const DataSet& data, const std::string& file) {
  // Processes are forked: the model that the file needs must not wake a GPU.
  GeneratorOptions on_cpu = search.options.base;
  on_cpu.device = Device::cpu;
  const auto untrained = make_generator(on_cpu);
  untrained->options() = search.options.base;
  untrained->begin_data(data);
  drivers::SearchWatch watch(*untrained, file);
  search.trials = run_search(search.options, data, held_out_score, &watch, std::move(search.trials));
  const bool stopped =
      std::ranges::find(search.trials, TrialStatus::open, &Trial::status) != search.trials.end();
  return stopped ? SearchEnd::stopped : SearchEnd::all_trials;
}

int train(Generator& model, const DataSet& data, const Flags& flags, store::Batch more) {
  use_threads(flags.threads);
  fmt::print("{}: {} points of {} parameters, {} failed\n", name(model.options().method), data.size(),
             data.n_x(), data.size() - data.n_evaluated());
  std::fflush(stdout);
  drivers::Watch watch(model, more, {flags.output, flags.save_every});
  const auto end = model.train(data, watch);
  if (!end) {
    save(model, flags.output, more);
    core::log(core::LogLevel::error, "epoch {}: {}", end.error().epoch, end.error().reason);
    return 1;
  }
  if (*end != TrainingEnd::stopped_by_observer) {
    const Measures measures = measure(model, data);
    fmt::print("{}", to_text(measures));
    add_measures(more, measures, data.n_x());
  }
  save(model, flags.output, more);
  return *end == TrainingEnd::stopped_by_observer ? 1 : 0;
}

int run(const Flags& flags) {
  if (!flags.force && flags.resume != flags.output && std::filesystem::exists(flags.output))
    throw core::Error({flags.output, 0}, "exists already", "choose another name, or give --force");
  if (flags.search > 0 && !flags.resume.empty())
    throw core::Error({}, "--search and --resume exclude each other", "leave one out");
  const DataSet data = read_data(flags.data);
  Search search = search_of(flags, data);
  if (search.trials.empty()) return train(*model_of(flags), data, flags, {});
  if (search.is_over) return train(*model_of(flags), data, flags, search_batch(search.trials));
  if (run_trials(search, data, flags.output) == SearchEnd::stopped) {
    core::log(core::LogLevel::error, "the search was stopped; --resume {} goes on with it", flags.output);
    return 1;
  }
  const Trial& best = best_trial(search.trials);
  fmt::print("search: trial {} of {} is best, score {:.5g}\n", best.id, search.trials.size(), best.score);
  return train(*make_generator(best.options), data, flags, search_batch(search.trials));
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
  drivers::stop_on_signals();
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
