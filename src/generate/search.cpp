#include "generate/search.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstring>
#include <limits>
#include <new>
#include <optional>
#include <thread>

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/prctl.h>
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
  std::atomic<pid_t> worker = 0;    ///< that took it
  std::atomic<bool> ended = false;  ///< what follows is complete
  TrialStatus status;
  double score, validation_loss, seconds;
  std::uint64_t epochs;
  std::array<char, 240> reason{};
};

/// Memory that forked processes share: who does which trial next, and a report a trial.
class Board {
 public:
  explicit Board(std::vector<std::uint64_t> trials)
      : trials_(std::move(trials)),
        size_(sizeof(std::atomic<std::size_t>) + trials_.size() * sizeof(Report)) {
    memory_ = mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory_ == MAP_FAILED) throw std::bad_alloc();
    next_ = new (memory_) std::atomic<std::size_t>(0);
    reports_ = reinterpret_cast<Report*>(next_ + 1);
    for (std::size_t i = 0; i < trials_.size(); ++i) new (&reports_[i]) Report;
  }
  Board(const Board&) = delete;
  ~Board() { munmap(memory_, size_); }

  /// For this process; none when all are taken.
  std::optional<std::uint64_t> take() {
    const std::size_t i = next_->fetch_add(1);
    if (i >= trials_.size()) return std::nullopt;
    reports_[i].worker = getpid();
    return trials_[i];
  }
  const std::vector<std::uint64_t>& trials() const { return trials_; }
  Report& report(std::uint64_t trial) {
    return reports_[std::ranges::lower_bound(trials_, trial) - trials_.begin()];
  }

 private:
  std::vector<std::uint64_t> trials_;  ///< ascending
  std::size_t size_;
  void* memory_;
  std::atomic<std::size_t>* next_;
  Report* reports_;
};

void work(Board& board, const SearchOptions& search, const DataSet& data, const Score& score) {
  use_threads(1);
  while (const auto id = board.take()) {
    const Trial trial = run_trial(search, *id, data, score);
    Report& report = board.report(*id);
    report.status = trial.status;
    report.score = trial.score;
    report.validation_loss = trial.validation_loss;
    report.seconds = trial.seconds;
    report.epochs = trial.epochs;
    std::strncpy(report.reason.data(), trial.reason.c_str(), report.reason.size() - 1);
    report.ended = true;
  }
}

/// Processes forked from this one, which do not outlive it.
class Workers {
 public:
  template <class Work>
  Workers(std::uint64_t n, const Work& work) {
    const pid_t parent = getpid();
    for (std::uint64_t i = 0; i < n; ++i) {
      const pid_t child = fork();
      if (child == 0) {
        for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, SIG_IGN);  // the parent answers them
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() == parent) work();
        _exit(0);
      }
      if (child > 0) alive_.push_back(child);
    }
  }
  Workers(const Workers&) = delete;
  ~Workers() {
    for (const pid_t child : alive_) kill(child, SIGKILL);
    for (const pid_t child : alive_) waitpid(child, nullptr, 0);
  }

  bool any() const { return !alive_.empty(); }
  /// Those that have ended since the last call.
  std::vector<pid_t> ended() {
    std::vector<pid_t> found;
    std::erase_if(alive_, [&](pid_t child) {
      const bool over = waitpid(child, nullptr, WNOHANG) != 0;
      if (over) found.push_back(child);
      return over;
    });
    return found;
  }

 private:
  std::vector<pid_t> alive_;
};

/// Notes what ended since the last call, `dead` being processes that are over. @returns whether anything did
bool collect(Board& board, const std::vector<pid_t>& dead, std::vector<Trial>& trials) {
  bool any = false;
  for (const std::uint64_t id : board.trials()) {
    Trial& trial = trials[id];
    if (trial.status != TrialStatus::open) continue;
    const Report& report = board.report(id);
    if (report.ended) {
      trial.status = report.status;
      trial.reason = report.reason.data();
      trial.score = report.score;
      trial.validation_loss = report.validation_loss;
      trial.epochs = report.epochs;
      trial.seconds = report.seconds;
    } else if (std::ranges::find(dead, report.worker.load()) != dead.end()) {
      trial.status = TrialStatus::lost;
      trial.reason = "its process ended before it";
    }
    any |= trial.status != TrialStatus::open;
  }
  return any;
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

namespace {
double lowest_validation_loss(const Generator& model) {
  double lowest = nan;
  for (const EpochRecord& epoch : model.history()) lowest = std::fmin(lowest, epoch.validation_loss);
  return lowest;
}
}  // namespace

SearchData search_data(const SearchOptions& search, const DataSet& data) {
  DataSet labelled = data;
  labelled.label = labels_of(data, search.base);
  Split split = split_by_run(data, search.held_out_share, search.base.seed);
  std::erase_if(split.validation, [&](std::size_t i) { return data.outcome[i] == Outcome::failed; });
  return {subset(labelled, split.train), subset(labelled, split.validation)};
}

Trial run_trial(const SearchOptions& search, std::uint64_t id, const DataSet& data, const Score& score) {
  Trial trial{.id = id, .options = trial_options(search, id)};
  const auto begin = std::chrono::steady_clock::now();
  try {
    const SearchData parts = search_data(search, data);
    const auto model = make_generator(trial.options);
    Quiet observer;
    const auto end = model->train(parts.shown, observer);
    trial.epochs = model->history().size();
    trial.status = end ? TrialStatus::finished : TrialStatus::failed;
    if (end) {
      trial.validation_loss = lowest_validation_loss(*model);
      trial.score = score(*model, parts.held_out);
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

std::vector<Trial> open_trials(const SearchOptions& search) {
  std::vector<Trial> trials;
  for (std::uint64_t i = 0; i < search.n_trials; ++i) trials.push_back({i, trial_options(search, i)});
  return trials;
}

std::vector<Trial> run_search(const SearchOptions& search, const DataSet& data, const Score& score,
                              SearchObserver* observer, std::vector<Trial> trials) {
  check(search.base);
  if (search.n_trials == 0) throw core::Error({}, "a search of 0 trials", "give at least 1");
  if (search.held_out_share > 0 && search_data(search, data).held_out.size() == 0) {
    throw core::Error({}, "of the few runs in the data none can be held out to judge a search by",
                      "let more starts finish, or train without a search");
  }
  if (trials.empty()) trials = open_trials(search);
  std::vector<std::uint64_t> open;
  for (const Trial& trial : trials) {
    if (trial.status == TrialStatus::open) open.push_back(trial.id);
  }
  if (observer) observer->on_trials(trials);
  if (open.empty()) return trials;
  Board board(std::move(open));
  Workers workers(std::max<std::uint64_t>(1, search.n_processes), [&] { work(board, search, data, score); });
  if (!workers.any()) throw core::Error({}, "no process could be started for the search", "try again");
  while (workers.any()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    const std::vector<pid_t> dead = workers.ended();
    if (collect(board, dead, trials) && observer) observer->on_trials(trials);
    if (workers.any() && observer && observer->on_wait() == TrainingObserver::Next::stop) return trials;
  }
  for (Trial& trial : trials) {
    if (trial.status != TrialStatus::open) continue;
    trial.status = TrialStatus::lost;
    trial.reason = "all processes had ended before it";
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
                    failed == trials.end() ? "it was to be judged by what its data do not tell"
                                           : "the first failure: " + failed->reason);
}

}  // namespace kinetune::generate
