#include "generate/search.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstring>
#include <limits>
#include <new>

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/error.hpp"
#include "generate/streams.hpp"

namespace kinetune::generate {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

class Quiet final : public TrainingObserver {
 public:
  Next on_epoch(const EpochRecord&) override { return Next::go_on; }
};

/// What a process tells of a trial; options follow from its number.
struct Report {
  TrialStatus status;
  double score, validation_loss, seconds;
  std::uint64_t epochs;
  std::array<char, 240> reason;
};

/// Memory that forked processes share: the number of the next trial, and a report a trial.
class Board {
 public:
  explicit Board(std::uint64_t n_trials)
      : size_(sizeof(std::atomic<std::uint64_t>) + n_trials * sizeof(Report)) {
    memory_ = mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory_ == MAP_FAILED) throw std::bad_alloc();
    next_ = new (memory_) std::atomic<std::uint64_t>(0);
    reports_ = reinterpret_cast<Report*>(static_cast<char*>(memory_) + sizeof(std::atomic<std::uint64_t>));
    for (std::uint64_t i = 0; i < n_trials; ++i) reports_[i] = {TrialStatus::lost, nan, nan, nan, 0, {}};
  }
  Board(const Board&) = delete;
  ~Board() { munmap(memory_, size_); }

  std::uint64_t take() { return next_->fetch_add(1); }
  Report& report(std::uint64_t i) { return reports_[i]; }

 private:
  std::size_t size_;
  void* memory_;
  std::atomic<std::uint64_t>* next_;
  Report* reports_;
};

void work(Board& board, const SearchOptions& search, const DataSet& data, const Score& score) {
  use_threads(1);
  for (std::uint64_t i = board.take(); i < search.n_trials; i = board.take()) {
    const Trial trial = run_trial(search, i, data, score);
    Report& report = board.report(i);
    report.score = trial.score;
    report.validation_loss = trial.validation_loss;
    report.seconds = trial.seconds;
    report.epochs = trial.epochs;
    std::strncpy(report.reason.data(), trial.reason.c_str(), report.reason.size() - 1);
    report.status = trial.status;
  }
}

}  // namespace

GeneratorOptions trial_options(const SearchOptions& search, std::uint64_t trial) {
  GeneratorOptions options = search.base;
  if (trial == 0) return options;
  core::RandomStream random = stream(search.base.seed, Stream::search, trial);
  const auto one_of = [&]<class T>(std::initializer_list<T> values) {
    return values.begin()[random.below(values.size())];
  };
  const auto log_uniform = [&](double low, double high) {
    return low * std::pow(high / low, random.uniform());
  };
  options.encoder_layers = 1 + random.below(4);
  options.decoder_layers = 1 + random.below(4);
  options.width = one_of({32u, 64u, 128u, 256u});
  options.n_latent = one_of({2u, 4u, 8u, 16u});
  options.learning_rate = log_uniform(1e-4, 1e-2);
  options.weight_decay = log_uniform(1e-7, 1e-2);
  options.batch_size = one_of({32u, 64u, 128u, 256u});
  options.validation_share = one_of({0.1, 0.15, 0.2, 0.3});
  return options;
}

double lowest_validation_loss(Generator& model) {
  double lowest = nan;
  for (const EpochRecord& epoch : model.history()) lowest = std::fmin(lowest, epoch.validation_loss);
  return lowest;
}

Score sample_quality(std::function<double(std::span<const double>)> objective, std::size_t n_samples) {
  return [objective = std::move(objective), n_samples](Generator& model) {
    core::RandomStream random = stream(model.options().seed, Stream::measure, 2);
    const std::vector<double> x = model.sample({}, n_samples, random);
    const std::size_t n_x = x.size() / n_samples;
    std::vector<double> values;
    for (std::size_t i = 0; i < n_samples; ++i) {
      const double value = objective({&x[i * n_x], n_x});
      values.push_back(std::isnan(value) ? std::numeric_limits<double>::infinity() : value);
    }
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(n_samples / 2);
    std::ranges::nth_element(values, middle);
    return *middle;
  };
}

Trial run_trial(const SearchOptions& search, std::uint64_t id, const DataSet& data, const Score& score) {
  Trial trial{.id = id, .options = trial_options(search, id), .score = nan, .validation_loss = nan};
  const auto begin = std::chrono::steady_clock::now();
  try {
    const auto model = make_generator(trial.options);
    Quiet observer;
    const auto end = model->train(data, observer);
    trial.epochs = model->history().size();
    trial.status = end ? TrialStatus::finished : TrialStatus::failed;
    if (end) {
      trial.validation_loss = lowest_validation_loss(*model);
      trial.score = score(*model);
    } else {
      trial.reason = fmt::format("epoch {}: {}", end.error().epoch, end.error().reason);
    }
  } catch (const std::exception& error) {
    trial.status = TrialStatus::failed;
    trial.reason = error.what();
  }
  trial.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return trial;
}

std::vector<Trial> run_search(const SearchOptions& search, const DataSet& data, const Score& score) {
  check(search.base);
  if (search.n_trials == 0) throw core::Error({}, "a search of 0 trials", "give at least 1");
  Board board(search.n_trials);
  std::vector<pid_t> children;
  for (std::uint64_t i = 0; i < std::max<std::uint64_t>(1, search.n_processes); ++i) {
    const pid_t child = fork();
    if (child == 0) {
      work(board, search, data, score);
      _exit(0);
    }
    if (child > 0) children.push_back(child);
  }
  if (children.empty()) throw core::Error({}, "no process could be started for the search", "try again");
  for (const pid_t child : children) waitpid(child, nullptr, 0);
  std::vector<Trial> trials;
  for (std::uint64_t i = 0; i < search.n_trials; ++i) {
    const Report& report = board.report(i);
    const bool lost = report.status == TrialStatus::lost;
    trials.push_back({i, trial_options(search, i), report.status,
                      lost ? "its process ended before it" : report.reason.data(), report.score,
                      report.validation_loss, report.epochs, report.seconds});
  }
  return trials;
}

const Trial& best_trial(const std::vector<Trial>& trials) {
  const Trial* best = nullptr;
  for (const Trial& trial : trials) {
    if (trial.status != TrialStatus::finished || std::isnan(trial.score)) continue;
    if (best == nullptr || trial.score < best->score) best = &trial;
  }
  if (best != nullptr) return *best;
  const auto failed = std::ranges::find(trials, TrialStatus::failed, &Trial::status);
  throw core::Error({}, "no trial of the search has a score",
                    failed == trials.end() ? "without points held out there is no validation loss"
                                           : "the first failure: " + failed->reason);
}

store::Batch search_batch(const std::vector<Trial>& trials) {
  using store::ElementType;
  store::Batch batch;
  const auto add = [&](const char* name, const char* what, auto&& value) {
    std::vector<double> column;
    for (const Trial& trial : trials) column.push_back(static_cast<double>(value(trial)));
    batch.replace({std::string("/search/") + name, ElementType::float64, what}, std::move(column));
  };
  add("trial", "number of the trial; 0 has the options that were given", [](auto& t) { return t.id; });
  add("score", "what the best trial has least of", [](auto& t) { return t.score; });
  add("validation_loss", "the lowest over epochs", [](auto& t) { return t.validation_loss; });
  add("epochs", "that were run", [](auto& t) { return t.epochs; });
  add("seconds", "wall time", [](auto& t) { return t.seconds; });
  add("encoder_layers", "hidden layers", [](auto& t) { return t.options.encoder_layers; });
  add("decoder_layers", "hidden layers", [](auto& t) { return t.options.decoder_layers; });
  add("width", "of hidden layers", [](auto& t) { return t.options.width; });
  add("n_latent", "latent dimensions", [](auto& t) { return t.options.n_latent; });
  add("learning_rate", "of Adam", [](auto& t) { return t.options.learning_rate; });
  add("weight_decay", "decoupled", [](auto& t) { return t.options.weight_decay; });
  add("batch_size", "points a step", [](auto& t) { return t.options.batch_size; });
  add("validation_share", "of points held out", [](auto& t) { return t.options.validation_share; });
  std::vector<std::int8_t> status;
  std::vector<std::string> reasons, texts;
  for (const Trial& trial : trials) {
    status.push_back(static_cast<std::int8_t>(trial.status));
    reasons.push_back(trial.reason);
    texts.push_back(to_text(trial.options));
  }
  batch.replace({"/search/status",
                 ElementType::category,
                 "how the trial ended",
                 "",
                 {},
                 {"finished", "failed", "lost"}},
                status);
  batch.replace({"/search/reason", ElementType::text, "of a failure"}, reasons);
  batch.replace({"/search/options", ElementType::text, "all options of the trial"}, texts);
  return batch;
}

}  // namespace kinetune::generate
