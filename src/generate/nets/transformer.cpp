#include "generate/nets/latent.hpp"
#include "generate/nets/layers.hpp"
#include "generate/nets/network.hpp"

namespace kinetune::generate {
namespace {

constexpr std::int64_t n_kinds = 4;   // of ParameterKind
constexpr std::int64_t n_memory = 4;  // tokens that the decoder sees of the latent

/// A cvae with a token a parameter. The encoder attends among parameters, condition and a class token, which
/// becomes the latent; in the decoder each parameter asks latent and condition for a mixture of normals, all
/// at once.
class Transformer final : public Network {
 public:
  Transformer(const NetworkShape& shape, const GeneratorOptions& options)
      : options_(options),
        n_x_(shape.n_x),
        width_(static_cast<std::int64_t>(options.width)),
        n_components_(static_cast<std::int64_t>(options.mixture_components)),
        kinds_(register_buffer("kinds", torch::tensor(shape.kinds, torch::kInt64))),
        value_(register_parameter("value_embedding", torch::zeros({n_x_, width_}))),
        identity_(register_parameter("identity_embedding", torch::zeros({n_x_, width_}))),
        query_(register_parameter("query_embedding", torch::zeros({n_x_, width_}))),
        kind_(register_parameter("kind_embedding", torch::zeros({n_kinds, width_}))),
        class_(register_parameter("class_embedding", torch::zeros({1, 1, width_}))),
        condition_(register_module("condition", torch::nn::Linear(n_condition(options.label_axis), width_))),
        to_latent_(register_module(
            "to_latent", torch::nn::Linear(width_, 2 * static_cast<std::int64_t>(options.n_latent)))),
        memory_(register_module(
            "memory", torch::nn::Linear(static_cast<std::int64_t>(options.n_latent), n_memory * width_))),
        encoder_norm_(
            register_module("encoder_norm", torch::nn::LayerNorm(torch::nn::LayerNormOptions({width_})))),
        decoder_norm_(
            register_module("decoder_norm", torch::nn::LayerNorm(torch::nn::LayerNormOptions({width_})))),
        head_(register_module("head", torch::nn::Linear(width_, 3 * n_components_))),
        prior_(register_module("prior", std::make_shared<LatentPrior>(options))) {
    const auto block = [&] {
      return std::make_shared<AttentionBlock>(width_, static_cast<std::int64_t>(options.heads));
    };
    for (std::uint64_t i = 0; i < options.encoder_layers; ++i)
      encoder_.push_back(register_module("encoder" + std::to_string(i), block()));
    for (std::uint64_t i = 0; i < options.decoder_layers; ++i)
      decoder_.push_back(register_module("decoder" + std::to_string(i), block()));
  }

  Terms validate(const Rows& batch, Draw& draw) override { return elbo(batch, draw, 1, 0); }

  Tensor sample(const Rows& at, Draw& draw) override {
    const Mixture mixture = decode(prior_->forward(at.condition).draw(draw), at.condition);
    // The largest of logits and Gumbel noise is a draw from their softmax.
    const Tensor gumbel = -torch::log(-torch::log(draw.uniform(mixture.logits.sizes()) + 1e-20) + 1e-20);
    const Tensor chosen = torch::argmax(mixture.logits + gumbel, 2, true);
    const Tensor mean = mixture.mean.gather(2, chosen).squeeze(2);
    const Tensor log_sd = mixture.log_sd.gather(2, chosen).squeeze(2);
    return mean + torch::exp(log_sd) * draw.normal(mean.sizes());
  }

  std::optional<Encoded> encode(const Rows& rows) override {
    const Normal latent = posterior(rows);
    const Mixture mixture = decode(latent.mean, rows.condition);
    return Encoded{latent.mean, (torch::softmax(mixture.logits, 2) * mixture.mean).sum(2),
                   latent.divergence(prior_->forward(rows.condition))};
  }

 protected:
  Terms loss(const Rows& batch, Draw& draw, double progress) override {
    return elbo(batch, draw, warmed_up(options_, progress), options_.free_bits);
  }

 private:
  struct Mixture {
    Tensor logits, mean, log_sd;  ///< (n, n_x, n_components)
  };

  Tensor kind_tokens() const { return kind_.index_select(0, kinds_); }

  Normal posterior(const Rows& rows) {
    const std::int64_t n = rows.size();
    const Tensor values = rows.x.unsqueeze(2) * value_ + (identity_ + kind_tokens());
    Tensor tokens = torch::cat(
        {class_.expand({n, 1, width_}), condition_->forward(rows.condition).unsqueeze(1), values}, 1);
    for (const auto& block : encoder_) tokens = block->forward(tokens);
    return Normal::from(to_latent_->forward(encoder_norm_->forward(tokens.select(1, 0))));
  }

  Mixture decode(const Tensor& latent, const Tensor& condition) {
    const std::int64_t n = latent.size(0);
    const Tensor memory = torch::cat(
        {memory_->forward(latent).view({n, n_memory, width_}), condition_->forward(condition).unsqueeze(1)},
        1);
    Tensor tokens = (query_ + kind_tokens()).unsqueeze(0).expand({n, n_x_, width_});
    for (const auto& block : decoder_) tokens = block->forward(tokens, memory);
    const auto parts = head_->forward(decoder_norm_->forward(tokens)).chunk(3, 2);
    return {parts[0], parts[1], bounded_log_sd(parts[2])};
  }

  Terms elbo(const Rows& batch, Draw& draw, double weight, double free_bits) {
    const Normal latent = posterior(batch);
    const Mixture mixture = decode(latent.draw(draw), batch.condition);
    // One component's density a parameter: the sum over the last dimension has one element.
    const Tensor density = normal_log_density(batch.x.unsqueeze(2).unsqueeze(3), mixture.mean.unsqueeze(3),
                                              mixture.log_sd.unsqueeze(3));
    const Tensor by_parameter = torch::logsumexp(torch::log_softmax(mixture.logits, 2) + density, 2);
    return elbo_terms(-by_parameter.sum(1), latent.divergence(prior_->forward(batch.condition)), weight,
                      free_bits);
  }

  GeneratorOptions options_;
  std::int64_t n_x_, width_, n_components_;
  Tensor kinds_, value_, identity_, query_, kind_, class_;
  torch::nn::Linear condition_, to_latent_, memory_;
  torch::nn::LayerNorm encoder_norm_, decoder_norm_;
  torch::nn::Linear head_;
  std::shared_ptr<LatentPrior> prior_;
  std::vector<std::shared_ptr<AttentionBlock>> encoder_, decoder_;
};

}  // namespace

std::shared_ptr<Network> make_transformer(const NetworkShape& shape, const GeneratorOptions& options) {
  return std::make_shared<Transformer>(shape, options);
}

}  // namespace kinetune::generate
