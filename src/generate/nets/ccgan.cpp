#include <memory>

#include "generate/nets/layers.hpp"
#include "generate/nets/network.hpp"
#include "generate/vicinity.hpp"

namespace kinetune::generate {
namespace {

constexpr std::int64_t n_features = 16;  // of a label's embedding

/// The improved label input of Ding et al. (2021): a network that turns a label into features which another
/// network, trained on vectors, also finds in the vectors with that label. On a circle cosine and sine serve,
/// as in their toy.
class LabelInput : public torch::nn::Module {
 public:
  LabelInput(std::int64_t n_x, LabelAxis axis) : axis_(axis) {
    const auto mlp = [&](const char* name, std::int64_t n_in, std::int64_t n_hidden, std::int64_t n_out) {
      return register_module(name,
                             std::make_shared<Mlp>(MlpShape{n_in, 64, n_hidden, n_out, Activation::relu}));
    };
    if (axis == LabelAxis::circle) return;
    features_of_vector_ = mlp("features_of_vector", n_x, 2, n_features);
    condition_of_features_ = mlp("condition_of_features", n_features, 0, n_condition(axis));
    features_of_label_ = mlp("features_of_label", n_condition(axis), 2, n_features);
  }

  std::int64_t n_out() const { return n_condition(axis_) + (axis_ == LabelAxis::circle ? 0 : n_features); }

  Tensor forward(const Tensor& label, const Tensor& failed) {
    const Tensor condition = embed_condition(axis_, label, failed);
    if (axis_ == LabelAxis::circle) return condition;
    return torch::cat({condition, features_of_label_->forward(condition)}, 1);
  }

  /// First vector -> features -> condition, then condition -> features with the second step held fixed.
  void train_on(const Rows& data, Draw& draw) {
    if (axis_ == LabelAxis::circle) return;
    const auto mse = [](const Tensor& a, const Tensor& b) { return (a - b).pow(2).mean(); };
    auto vector_side = features_of_vector_->parameters();
    for (const Tensor& p : condition_of_features_->parameters()) vector_side.push_back(p);
    fit(vector_side, data, draw, [&](const Rows& batch) {
      return mse(condition_of_features_->forward(features_of_vector_->forward(batch.x)), batch.condition);
    });
    fit(features_of_label_->parameters(), data, draw, [&](const Rows& batch) {
      const Tensor label = (batch.label + 0.1 * draw.normal({batch.size()})).clamp(0, 1);
      const Tensor condition = embed_condition(axis_, label, batch.failed);
      return mse(condition_of_features_->forward(features_of_label_->forward(condition)), condition);
    });
    for (const Tensor& p : parameters()) p.set_requires_grad(false);
  }

 private:
  template <class Loss>
  static void fit(const std::vector<Tensor>& parameters, const Rows& data, Draw& draw, const Loss& loss) {
    constexpr int n_steps = 1000;
    Adam adam(parameters, {});
    for (int i = 0; i < n_steps; ++i) {
      const Tensor index = (draw.uniform({128}) * static_cast<double>(data.size()))
                               .to(torch::kInt64)
                               .clamp_max(data.size() - 1);
      adam.zero_gradients();
      loss(data.select(index)).backward();
      adam.step(1e-3 * (1 - static_cast<double>(i) / n_steps));
    }
  }

  LabelAxis axis_;
  std::shared_ptr<Mlp> features_of_vector_, condition_of_features_, features_of_label_;
};

/// Continuous conditional GAN (Ding et al., ICLR 2021): the discriminator compares, at a perturbed label,
/// points and inventions whose labels are near it.
class CcGan final : public Network {
 public:
  CcGan(const NetworkShape& shape, const GeneratorOptions& options)
      : options_(options),
        label_input_(
            register_module("label_input", std::make_shared<LabelInput>(shape.n_x, options.label_axis))) {
    const auto width = static_cast<std::int64_t>(options.width);
    const auto n_latent = static_cast<std::int64_t>(options.n_latent);
    generator_ = register_module(
        "generator", std::make_shared<Mlp>(MlpShape{n_latent + label_input_->n_out(), width,
                                                    static_cast<std::int64_t>(options.decoder_layers),
                                                    shape.n_x, options.activation, options.batch_norm}));
    discriminator_ = register_module(
        "discriminator", std::make_shared<Mlp>(MlpShape{shape.n_x + label_input_->n_out(), width,
                                                        static_cast<std::int64_t>(options.encoder_layers), 1,
                                                        options.activation, BatchNorm::off}));
    discriminator_parameters_ = discriminator_->parameters();
  }

  std::vector<std::vector<Tensor>> players() override {
    return {discriminator_->parameters(), generator_->parameters()};
  }
  AdamOptions adam(const GeneratorOptions& options) const override {
    AdamOptions adam = Network::adam(options);
    adam.beta1 = 0.5;  // Radford et al. 2016: momentum makes the two players chase each other
    return adam;
  }

  void prepare(const Rows& train, Begin begin, Draw& draw) override {
    train_ = train;
    labels_.clear();
    outcomes_.clear();
    for (const float label : to_host(train.label)) labels_.push_back(label);
    for (const float failed : to_host(train.failed))
      outcomes_.push_back(failed > 0.5f ? Outcome::failed : Outcome::evaluated);
    vicinities_ = std::make_unique<Vicinities>(labels_, outcomes_, options_);
    if (begin == Begin::fresh) label_input_->train_on(train, draw);
    for (const Tensor& p : label_input_->parameters()) p.set_requires_grad(false);
  }

  Terms step(const Rows& batch, Draw& draw, const StepContext& context) override {
    Adam &discriminator = context.optimisers[0], &generator = context.optimisers[1];
    Tensor judged;
    for (std::uint64_t i = 0; i < options_.critic_steps; ++i) {
      discriminator.zero_gradients();
      judged = discriminator_loss(batch.size(), draw, context.progress);
      judged.backward();
      discriminator.step(context.learning_rate);
    }
    for (const Tensor& p : discriminator_parameters_) p.set_requires_grad(false);  // only passed through
    generator.zero_gradients();
    const Tensor fooled = generator_loss(batch.size(), draw, context.progress);
    fooled.backward();
    generator.step(context.learning_rate);
    for (const Tensor& p : discriminator_parameters_) p.set_requires_grad(true);
    return {judged.detach() + fooled.detach(), fooled.detach(), judged.detach()};
  }

  Terms validate(const Rows& batch, Draw& draw) override {
    const Tensor input = label_input_->forward(batch.label, batch.failed);
    const Tensor real = judge(batch.x, input);
    const Tensor fake = judge(invent(input, draw), input);
    const Tensor judged = (torch::softplus(-real) + torch::softplus(fake)).mean();
    const Tensor fooled = torch::softplus(-fake).mean();
    return {judged + fooled, fooled, judged};
  }

  Tensor sample(const Rows& at, Draw& draw) override {
    return invent(label_input_->forward(at.label, at.failed), draw);
  }

 protected:
  Terms loss(const Rows& batch, Draw& draw, double) override { return validate(batch, draw); }

 private:
  /// Perturbed labels of points drawn anew, and what is near them.
  struct Targets {
    std::vector<float> label, failed, fake_label, real_weight, fake_weight;
    std::vector<std::int64_t> row;
  };

  Targets draw_targets(std::int64_t n, core::RandomStream& random) const {
    Targets targets;
    for (std::int64_t i = 0; i < n; ++i) {
      const std::size_t base = random.below(labels_.size());
      const Condition at{vicinities_->perturbed(labels_[base], random), outcomes_[base]};
      const double kappa = vicinities_->kappa(at);
      const std::size_t row = vicinities_->near_row(at, kappa, random);
      const double fake = vicinities_->near_label(at.label, kappa, random);
      const auto weight = [&](double label) {
        return static_cast<float>(vicinities_->weight(vicinities_->distance(at.label, label), kappa));
      };
      targets.label.push_back(static_cast<float>(at.label));
      targets.failed.push_back(at.outcome == Outcome::failed ? 1.0f : 0.0f);
      targets.fake_label.push_back(static_cast<float>(fake));
      targets.row.push_back(static_cast<std::int64_t>(row));
      targets.real_weight.push_back(weight(labels_[row]));
      targets.fake_weight.push_back(weight(fake));
    }
    return targets;
  }

  Tensor on_device(const std::vector<float>& values) const {
    return to_device(values, static_cast<std::int64_t>(values.size()), train_.x.device()).squeeze(0);
  }

  Tensor noisy(const Tensor& x, Draw& draw, double progress) const {
    const double sd = options_.instance_noise * (1 - progress);
    return sd > 0 ? x + sd * draw.normal(x.sizes()) : x;
  }
  Tensor judge(const Tensor& x, const Tensor& input) {
    return discriminator_->forward(torch::cat({x, input}, 1)).squeeze(1);
  }
  Tensor invent(const Tensor& input, Draw& draw) {
    const Tensor latent = draw.normal({input.size(0), static_cast<std::int64_t>(options_.n_latent)});
    return generator_->forward(torch::cat({latent, input}, 1));
  }

  Tensor discriminator_loss(std::int64_t n, Draw& draw, double progress) {
    const Targets targets = draw_targets(n, draw.random());
    const Tensor failed = on_device(targets.failed);
    const Tensor input = label_input_->forward(on_device(targets.label), failed);
    const Tensor index = torch::tensor(targets.row, torch::kInt64).to(train_.x.device());
    Tensor real = noisy(train_.x.index_select(0, index), draw, progress);
    Tensor fake;
    {
      const torch::NoGradGuard no_grad;
      fake =
          noisy(invent(label_input_->forward(on_device(targets.fake_label), failed), draw), draw, progress);
    }
    const bool penalised = options_.gradient_penalty > 0;
    if (penalised) real.set_requires_grad(true);
    const Tensor real_logit = judge(real, input);
    const Tensor loss = (on_device(targets.real_weight) * torch::softplus(-real_logit) +
                         on_device(targets.fake_weight) * torch::softplus(judge(fake, input)))
                            .mean();
    if (!penalised) return loss;
    // R1 (Mescheder et al. 2018): steep judgements at real points make the players circle.
    const Tensor slope = torch::autograd::grad({real_logit.sum()}, {real}, {}, true, true)[0];
    return loss + 0.5 * options_.gradient_penalty * slope.pow(2).sum(1).mean();
  }

  Tensor generator_loss(std::int64_t n, Draw& draw, double progress) {
    const Targets targets = draw_targets(n, draw.random());
    const Tensor input = label_input_->forward(on_device(targets.label), on_device(targets.failed));
    return torch::softplus(-judge(noisy(invent(input, draw), draw, progress), input)).mean();
  }

  GeneratorOptions options_;
  std::shared_ptr<LabelInput> label_input_;
  std::shared_ptr<Mlp> generator_, discriminator_;
  std::vector<Tensor> discriminator_parameters_;
  Rows train_;
  std::vector<double> labels_;
  std::vector<Outcome> outcomes_;
  std::unique_ptr<Vicinities> vicinities_;
};

}  // namespace

std::shared_ptr<Network> make_ccgan(const NetworkShape& shape, const GeneratorOptions& options) {
  return std::make_shared<CcGan>(shape, options);
}

}  // namespace kinetune::generate
