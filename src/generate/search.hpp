#pragma once

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "generate/generator.hpp"
#include "store/batch.hpp"

namespace kinetune::generate {

/// Random search over the sizes of networks and how they are trained (Bergstra and Bengio 2012).
struct SearchOptions {
  GeneratorOptions base;  ///< method, and all that is not searched; base.seed seeds the search, too
  std::uint64_t n_trials = 32;
  std::uint64_t n_processes = 1;
};

/// Options of a trial, a function of the base options and its number alone. Trial 0 is the base. Searched:
/// layers, width, latent size, learning rate, weight decay, batch size and the share held out.
GeneratorOptions trial_options(const SearchOptions&, std::uint64_t trial);

enum class TrialStatus : std::int8_t {
  finished,
  failed,
  lost,  ///< its process ended before it
  open   ///< still to be done
};

/// What came of a trial.
struct Trial {
  std::uint64_t id = 0;
  GeneratorOptions options;
  TrialStatus status = TrialStatus::open;
  std::string reason = {};       ///< of a failure
  double score = NAN;            ///< the lower the better; NaN unless finished
  double validation_loss = NAN;  ///< the lowest
  std::uint64_t epochs = 0;
  double seconds = NAN;
};

/// Told of a search as it goes on, in the process that runs it.
class SearchObserver {
 public:
  virtual ~SearchObserver() = default;
  /// At the begin, and after trials have ended: all of them, in their order.
  virtual void on_trials(const std::vector<Trial>&) = 0;
  /// Asked many times a second. To stop ends all processes; trials at work are open again.
  virtual TrainingObserver::Next on_wait() = 0;
};

/// The quality of a trained model, the lower the better.
using Score = std::function<double(Generator&)>;
/// The lowest validation loss. Comparable among models of one method and likelihood.
double lowest_validation_loss(Generator&);
/// Median objective of samples at label 0; failures (NaN) count as infinitely bad.
Score sample_quality(std::function<double(std::span<const double> x)> objective, std::size_t n_samples);

/// One trial in this process, for callers that spread trials themselves. Never throws for what one set of
/// options does.
Trial run_trial(const SearchOptions&, std::uint64_t id, const DataSet&, const Score&);

/// None is done yet.
std::vector<Trial> open_trials(const SearchOptions&);

/// Does the trials that are open, over processes forked from this one, each with one thread. A process that
/// dies loses its trial and no other. Call it before this process has trained with several threads or used a
/// GPU: they are not forked.
/// @param trials  of the same search; empty: open_trials()
std::vector<Trial> run_search(const SearchOptions&, const DataSet&, const Score& = lowest_validation_loss,
                              SearchObserver* = nullptr, std::vector<Trial> trials = {});

/// The finished trial with the lowest score. @throws core::Error when there is none
const Trial& best_trial(const std::vector<Trial>&);

/// Under /search, a row a trial, with a column for each option that was searched.
store::Batch search_batch(const std::vector<Trial>&);

/// The search in a model file.
struct SearchRecord {
  std::vector<Trial> trials;  ///< the options of the first are the search's base
  bool is_over;               ///< whether the model of the best trial is in the file, with an epoch at least
  std::string data;           ///< fingerprint of what it was run on
};
/// None where the file has none. @throws core::Error when the file cannot be read
std::optional<SearchRecord> read_search(const std::filesystem::path&);

}  // namespace kinetune::generate
