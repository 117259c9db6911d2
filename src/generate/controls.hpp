#pragma once

#include <cstdint>
#include <vector>

#include "generate/generator.hpp"
#include "generate/normaliser.hpp"

// What any network has to beat. Neither looks at the condition.
namespace kinetune::generate {

/// Rows of the evaluated points with the lowest labels, best first.
std::vector<std::size_t> best_rows(const DataSet&, const GeneratorOptions&, std::size_t count);
/// A quarter of the evaluated points, rounded up.
std::vector<std::size_t> best_quarter(const DataSet&, const GeneratorOptions&);

/// Normals with full covariance on standardised logits, fitted by expectation-maximisation (Dempster et al.
/// 1977) to the best quarter; how many, from 1 to 5, the Bayesian information criterion says (Schwarz 1978).
class GaussianMixture final : public Generator {
 public:
  explicit GaussianMixture(const GeneratorOptions& options) : Generator(options) {}

  std::expected<TrainingEnd, TrainingFailure> train(const DataSet&, TrainingObserver&) override;
  std::vector<double> sample(Condition, std::size_t n, core::RandomStream&) override;
  std::optional<Encoding> encode(std::span<const double>, std::span<const Condition>) override {
    return std::nullopt;
  }
  void add_to(store::Batch&) const override;
  void restore(const store::H5File&) override;

  struct Components {
    std::vector<double> weight;  ///< (n_components), sum 1
    std::vector<double> mean;    ///< (n_components, d)
    std::vector<double> factor;  ///< (n_components, d, d), lower Cholesky factors of the covariances
  };

 private:
  Normaliser normaliser_;
  Components components_;
};

/// The best points of the data, the best first; from the start again when more are wanted.
class BestPoints final : public Generator {
 public:
  explicit BestPoints(const GeneratorOptions& options) : Generator(options) {}

  std::expected<TrainingEnd, TrainingFailure> train(const DataSet&, TrainingObserver&) override;
  std::vector<double> sample(Condition, std::size_t n, core::RandomStream&) override;
  std::optional<Encoding> encode(std::span<const double>, std::span<const Condition>) override {
    return std::nullopt;
  }
  void add_to(store::Batch&) const override;
  void restore(const store::H5File&) override;

 private:
  std::vector<double> x_;  ///< (n, n_x), best first
};

}  // namespace kinetune::generate
