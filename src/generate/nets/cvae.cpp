#include "generate/nets/latent.hpp"
#include "generate/nets/layers.hpp"
#include "generate/nets/network.hpp"

namespace kinetune::generate {
namespace {

/// Encoder and decoder see the condition (Sohn et al. 2015). With the Gaussian likelihood the decoder says a
/// mean and a scale of each parameter; with the Bernoulli one, what a reconstruction is on the unit box.
class Cvae final : public Network {
 public:
  Cvae(const NetworkShape& shape, const GeneratorOptions& options)
      : options_(options), prior_(register_module("prior", std::make_shared<LatentPrior>(options))) {
    const auto width = static_cast<std::int64_t>(options.width);
    const auto n_latent = static_cast<std::int64_t>(options.n_latent);
    const std::int64_t n_c = n_condition(options.label_axis);
    const std::int64_t n_out = options.likelihood == Likelihood::gaussian ? 2 * shape.n_x : shape.n_x;
    const auto mlp = [&](std::int64_t n_in, std::uint64_t layers, std::int64_t out) {
      return std::make_shared<Mlp>(MlpShape{n_in, width, static_cast<std::int64_t>(layers), out,
                                            options.activation, options.batch_norm});
    };
    encoder_ = register_module("encoder", mlp(shape.n_x + n_c, options.encoder_layers, 2 * n_latent));
    decoder_ = register_module("decoder", mlp(n_latent + n_c, options.decoder_layers, n_out));
  }

  Terms validate(const Rows& batch, Draw& draw) override { return elbo(batch, draw, 1, 0); }

  Tensor sample(const Rows& at, Draw& draw) override {
    const Tensor out = decode(prior_->forward(at.condition).draw(draw), at.condition);
    if (options_.likelihood == Likelihood::bernoulli) return torch::sigmoid(out);
    const auto [mean, log_sd] = split(out);
    return mean + torch::exp(log_sd) * draw.normal(mean.sizes());
  }

  std::optional<Encoded> encode(const Rows& rows) override {
    const Normal latent = posterior(rows);
    const Tensor out = decode(latent.mean, rows.condition);
    const bool gaussian = options_.likelihood == Likelihood::gaussian;
    return Encoded{latent.mean, gaussian ? split(out).mean : torch::sigmoid(out),
                   latent.divergence(prior_->forward(rows.condition))};
  }

 protected:
  Terms loss(const Rows& batch, Draw& draw, double progress) override {
    return elbo(batch, draw, warmed_up(options_, progress), options_.free_bits);
  }

 private:
  static Normal split(const Tensor& out) { return Normal::from(out); }
  Normal posterior(const Rows& rows) {
    return Normal::from(encoder_->forward(torch::cat({rows.x, rows.condition}, 1)));
  }
  Tensor decode(const Tensor& latent, const Tensor& condition) {
    return decoder_->forward(torch::cat({latent, condition}, 1));
  }
  Terms elbo(const Rows& batch, Draw& draw, double weight, double free_bits) {
    const Normal latent = posterior(batch);
    const Tensor out = decode(latent.draw(draw), batch.condition);
    return elbo_terms(reconstruction(batch.x, out), latent.divergence(prior_->forward(batch.condition)),
                      weight, free_bits);
  }
  Tensor reconstruction(const Tensor& x, const Tensor& out) {  // (n)
    if (options_.likelihood == Likelihood::bernoulli)
      return torch::binary_cross_entropy_with_logits(out, x, {}, {}, at::Reduction::None).sum(1);
    const auto [mean, log_sd] = split(out);
    return -normal_log_density(x, mean, log_sd);
  }

  GeneratorOptions options_;
  std::shared_ptr<LatentPrior> prior_;
  std::shared_ptr<Mlp> encoder_, decoder_;
};

}  // namespace

std::shared_ptr<Network> make_cvae(const NetworkShape& shape, const GeneratorOptions& options) {
  return std::make_shared<Cvae>(shape, options);
}

}  // namespace kinetune::generate
