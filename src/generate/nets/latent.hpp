#pragma once

#include <algorithm>
#include <memory>

#include "generate/nets/layers.hpp"
#include "generate/nets/network.hpp"

namespace kinetune::generate {

/// Independent normals N(mean, exp(log_sd)), (n, n_latent) each.
struct Normal {
  Tensor mean, log_sd;

  static Normal from(const Tensor& raw) {  // (n, 2 n_latent)
    const auto halves = raw.chunk(2, 1);
    return {halves[0], bounded_log_sd(halves[1])};
  }
  Tensor draw(Draw& random) const { return mean + torch::exp(log_sd) * random.normal(mean.sizes()); }
  /// To standard deviations from the mean, and back.
  Tensor inward(const Tensor& x) const { return (x - mean) * torch::exp(-log_sd); }
  Tensor outward(const Tensor& standard) const { return mean + torch::exp(log_sd) * standard; }
  /// (n, n_latent) Kullback-Leibler divergence from a prior, nats.
  Tensor divergence(const Normal& prior) const {
    const Tensor distance = (mean - prior.mean) * torch::exp(-prior.log_sd);
    const Tensor log_ratio = log_sd - prior.log_sd;
    return 0.5 * (torch::exp(2 * log_ratio) + distance * distance - 1) - log_ratio;
  }
};

/// p(z | condition): standard normal, or learned. The mean's bound keeps posteriors from running after it.
class LatentPrior : public torch::nn::Module {
 public:
  LatentPrior(const GeneratorOptions& options)
      : n_latent_(static_cast<std::int64_t>(options.n_latent)), kind_(options.prior) {
    if (kind_ == Prior::conditional) {
      net_ = register_module(
          "net", std::make_shared<Mlp>(MlpShape{n_condition(options.label_axis), 64, 1, 2 * n_latent_,
                                                options.activation, BatchNorm::off}));
    }
  }
  Normal forward(const Tensor& condition) {
    if (kind_ == Prior::conditional) {
      const auto raw = net_->forward(condition).chunk(2, 1);
      return {3 * torch::tanh(raw[0] / 3), torch::tanh(raw[1])};
    }
    const Tensor zero = torch::zeros({condition.size(0), n_latent_}, condition.options());
    return {zero, zero};
  }

 private:
  std::int64_t n_latent_;
  Prior kind_;
  std::shared_ptr<Mlp> net_;
};

/// Weight of the KL divergence at a share of the training.
inline double warmed_up(const GeneratorOptions& options, double progress) {
  return options.kl_warmup > 0 ? std::min(1.0, progress / options.kl_warmup) : 1.0;
}

/// The loss of a variational autoencoder: reconstruction (n), divergence (n, n_latent).
inline Terms elbo_terms(const Tensor& reconstruction, const Tensor& divergence, double weight,
                        double free_bits) {
  const Tensor mean_divergence = divergence.mean(0);
  const Tensor paid = free_bits > 0 ? torch::clamp_min(mean_divergence, free_bits) : mean_divergence;
  const Tensor mean_reconstruction = reconstruction.mean();
  return {mean_reconstruction + weight * paid.sum(), mean_reconstruction.detach(),
          mean_divergence.sum().detach()};
}

}  // namespace kinetune::generate
