#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/random.hpp"
#include "generate/condition.hpp"
#include "generate/data.hpp"
#include "generate/options.hpp"
#include "store/batch.hpp"
#include "store/h5_file.hpp"

namespace kinetune::generate {

/// Means over an epoch. Losses are in nats a point where a method has a likelihood; what a method lacks is
/// NaN.
struct EpochRecord {
  std::uint64_t epoch = 0;  ///< from 1
  double train_loss, train_reconstruction, train_divergence;
  double validation_loss, validation_reconstruction, validation_divergence;
  double seconds;
};

/// Told of each epoch, in order.
class TrainingObserver {
 public:
  enum class Next { go_on, stop };
  virtual ~TrainingObserver() = default;
  /// The model may be saved here; what is saved can be resumed.
  virtual Next on_epoch(const EpochRecord&) = 0;
};

enum class TrainingEnd { all_epochs, patience, stopped_by_observer };

/// Why training went wrong. The model keeps the weights it had before.
struct TrainingFailure {
  std::uint64_t epoch;
  std::string reason;
};

/// Vectors as a model sees them.
struct Encoding {
  std::size_t n_latent = 0;
  std::vector<double> latent;          ///< (n, n_latent) posterior means, or where a flow began
  std::vector<double> divergence;      ///< (n, n_latent) KL from the prior, nats; empty where there is none
  std::vector<double> reconstruction;  ///< (n, n_x), unit box
};

/// A model of parameter vectors that were evaluated, which proposes new ones. One thread at a time.
class Generator {
 public:
  explicit Generator(const GeneratorOptions& options) : options_(options) {}
  virtual ~Generator() = default;

  const GeneratorOptions& options() const { return options_; }
  /// For a model that is resumed: options that are no part of its networks, such as `epochs`.
  GeneratorOptions& options() { return options_; }
  const std::vector<EpochRecord>& history() const { return history_; }
  const std::vector<std::string>& parameter_ids() const { return parameter_ids_; }

  /// Notes which data the model is of, as training does first. @throws core::Error when it is of others
  void begin_data(const DataSet&);

  /// Goes on until options().epochs are done, from the epoch where the model stands. The weights that result
  /// are a function of data, options and seed on one machine with one number of threads, however often
  /// training was interrupted.
  /// @param data  checked; the same as before, if the model has been trained before
  /// @throws core::Error when the data do not suit the method, or differ from those before
  virtual std::expected<TrainingEnd, TrainingFailure> train(const DataSet& data, TrainingObserver&) = 0;

  /// (n, n_x) new vectors in the unit box, a function of the model and the stream's state. Networks draw the
  /// noise of up to 4096 vectors as a Latin hypercube, so that n vectors cover what they have learnt evenly.
  virtual std::vector<double> sample(Condition, std::size_t n, core::RandomStream&) = 0;

  /// Of vectors x (n, n_x) at their conditions (n). None where the method has no encoder.
  virtual std::optional<Encoding> encode(std::span<const double> x, std::span<const Condition>) = 0;

  /// Negative log-likelihood (its bound, or what stands for it) of vectors x (n, n_x) at their conditions
  /// (n), mean a vector, nats. The density is that on the logit or the linear scale of the box, so that
  /// models that were normalised with different points can be compared. None where a method has no
  /// likelihood.
  virtual std::optional<double> loss(std::span<const double>, std::span<const Condition>) {
    return std::nullopt;
  }

  /// All that a model is: options, data's parameters and labels, weights, optimiser, history.
  virtual void add_to(store::Batch&) const;
  /// What `add_to` has written; options and parameters are read already.
  virtual void restore(const store::H5File&) = 0;

 protected:
  friend std::unique_ptr<Generator> load_generator(const std::filesystem::path&);

  GeneratorOptions options_;
  std::vector<std::string> parameter_ids_;
  std::vector<ParameterKind> kinds_;
  std::vector<EpochRecord> history_;
  std::string data_fingerprint_;
};

/// Untrained. @throws core::Error when the options make no sense
std::unique_ptr<Generator> make_generator(const GeneratorOptions&);
/// Replaces the file at once, so that a reader sees the old model or the new one. `more` goes into it, too.
/// @throws core::Error
void save(const Generator&, const std::filesystem::path&, const store::Batch& more = {});
/// @throws core::Error when it is no model file
std::unique_ptr<Generator> load_generator(const std::filesystem::path&);

/// Threads of this process that networks compute with. Weights depend on it in their last digits.
void use_threads(int n);

/// The labels of the data for a model with these options, (n): its own, or those that follow from fval.
std::vector<double> labels_of(const DataSet&, const GeneratorOptions&);
/// Of each point.
std::vector<Condition> conditions_of(const DataSet&, const GeneratorOptions&);

}  // namespace kinetune::generate
