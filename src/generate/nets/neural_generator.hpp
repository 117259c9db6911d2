#pragma once

#include <memory>
#include <string>
#include <vector>

#include "generate/generator.hpp"
#include "generate/nets/network.hpp"
#include "generate/normaliser.hpp"

namespace kinetune::generate {

/// A Generator with a network: the training loop, and the way to and from the unit box.
class NeuralGenerator final : public Generator {
 public:
  explicit NeuralGenerator(const GeneratorOptions&);

  std::expected<TrainingEnd, TrainingFailure> train(const DataSet&, TrainingObserver&) override;
  std::vector<double> sample(Condition, std::size_t n, core::RandomStream&) override;
  std::optional<Encoding> encode(std::span<const double> x, std::span<const Condition>) override;
  std::optional<double> loss(std::span<const double> x, std::span<const Condition>) override;
  void add_to(store::Batch&) const override;
  void restore(const store::H5File&) override;

 private:
  struct Prepared {
    Rows train, validation;
    std::vector<double> weights;  ///< of training rows, mean 1
  };

  void make_networks();
  Prepared prepare(const DataSet&);
  Rows rows_of(std::span<const double> x, std::span<const Condition>) const;
  Terms run_epoch(const Prepared&, std::uint64_t epoch);
  Terms validate(Network&, const Rows&);
  void follow_average(Network&);
  double learning_rate(double progress) const;

  torch::Device device_;
  Normaliser normaliser_;
  std::shared_ptr<Network> training_;
  std::shared_ptr<Network> serving_;    ///< what samples are drawn from
  std::shared_ptr<Network> candidate_;  ///< averaged weights on trial; its content is not kept
  std::vector<Adam> optimisers_;        ///< of training_, one a player
  double best_validation_ = INFINITY;
  std::uint64_t best_epoch_ = 0;
};

}  // namespace kinetune::generate
