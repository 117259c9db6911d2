#pragma once

#include <cstdint>
#include <functional>
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

enum class TrialStatus : std::int8_t { finished, failed, lost };

/// What came of a trial.
struct Trial {
  std::uint64_t id = 0;
  GeneratorOptions options;
  TrialStatus status = TrialStatus::lost;  ///< lost: its process ended before it
  std::string reason = {};                 ///< of a failure
  double score = 0;                        ///< the lower the better; NaN unless finished
  double validation_loss = 0;              ///< the lowest
  std::uint64_t epochs = 0;
  double seconds = 0;
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

/// All trials, over processes forked from this one, each with one thread. A process that dies loses its trial
/// and no other. Call it before this process has trained with several threads: they are not forked.
std::vector<Trial> run_search(const SearchOptions&, const DataSet&, const Score& = lowest_validation_loss);

/// The finished trial with the lowest score. @throws core::Error when there is none
const Trial& best_trial(const std::vector<Trial>&);

/// Under /search, a row a trial, with a column for each option that was searched.
store::Batch search_batch(const std::vector<Trial>&);

}  // namespace kinetune::generate
