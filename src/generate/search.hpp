#pragma once

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "generate/generator.hpp"
#include "generate/scores.hpp"
#include "store/batch.hpp"

namespace kinetune::generate {

/// Random search over the sizes of networks and how they are trained (Bergstra and Bengio 2012).
struct SearchOptions {
  GeneratorOptions base;  ///< method, and all that is not searched; base.seed seeds the search, too
  std::uint64_t n_trials = 32;
  std::uint64_t n_processes = 1;
  double held_out_share = 0.2;  ///< of the points, in whole runs, to judge all trials by; 0: none
};

/// Options of a trial, a function of the base options and its number alone. Trial 0 is the base. Searched:
/// layers, width, latent size, learning rate, weight decay, batch size and the share that a trial holds out.
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
  double validation_loss = NAN;  ///< the lowest, on runs that this trial alone held out
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

/// The data of a search.
struct SearchData {
  DataSet shown;     ///< what trials train on; each holds out runs of these for itself
  DataSet held_out;  ///< evaluated points of whole runs that no trial sees, to judge all by
};
/// A function of the data, base.seed and held_out_share; labels are those of all data together.
SearchData search_data(const SearchOptions&, const DataSet&);

/// One trial in this process, for callers that spread trials themselves. Never throws for what one set of
/// options does.
Trial run_trial(const SearchOptions&, std::uint64_t id, const DataSet&, const Score&);

/// None is done yet.
std::vector<Trial> open_trials(const SearchOptions&);

/// Does the trials that are open, over processes forked from this one, each with one thread. A process that
/// dies loses its trial and no other. Call it before this process has trained with several threads or used a
/// GPU: they are not forked.
/// @param trials  of the same search; empty: open_trials()
std::vector<Trial> run_search(const SearchOptions&, const DataSet&, const Score& = held_out_score,
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
