#include <cmath>
#include <numbers>

#include "generate/nets/latent.hpp"
#include "generate/nets/layers.hpp"
#include "generate/nets/network.hpp"

namespace kinetune::generate {
namespace {

constexpr std::int64_t n_frequencies = 8;
constexpr std::int64_t base_width = 64;

/// Conditional flow matching on straight paths from noise to data (Lipman et al., ICLR 2023; Liu et al., ICLR
/// 2023) with classifier-free guidance (Ho and Salimans 2022). A normal distribution at each condition is
/// fitted along, and the flow goes from that normal to the data: where a good label leaves little room, the
/// paths are as short as elsewhere, in its standard deviations. Without a condition that normal is the
/// standard one, which is what vectors were normalised to.
class Flow final : public Network {
 public:
  Flow(const NetworkShape& shape, const GeneratorOptions& options) : options_(options), n_x_(shape.n_x) {
    const std::int64_t n_in = shape.n_x + 2 * n_frequencies + n_condition(options.label_axis) + 1;
    velocity_ = register_module(
        "velocity", std::make_shared<Mlp>(MlpShape{n_in, static_cast<std::int64_t>(options.width),
                                                   static_cast<std::int64_t>(options.decoder_layers),
                                                   shape.n_x, options.activation, BatchNorm::off}));
    base_ = register_module(
        "base", std::make_shared<Mlp>(MlpShape{n_condition(options.label_axis), base_width, 2, 2 * shape.n_x,
                                               options.activation, BatchNorm::off}));
    frequencies_ = register_buffer(
        "frequencies", torch::arange(1, n_frequencies + 1).to(torch::kFloat32) * std::numbers::pi);
  }

  Tensor sample(const Rows& at, Draw& draw) override {
    const Guide guide = guide_to(at.condition);
    return guide.base.outward(integrate(draw.normal({at.label.size(0), n_x_}), guide, 0, 1));
  }

  std::optional<Encoded> encode(const Rows& rows) override {
    const Guide guide = guide_to(rows.condition);
    const Tensor origin = integrate(guide.base.inward(rows.x), guide, 1, 0);
    return Encoded{origin, guide.base.outward(integrate(origin, guide, 0, 1)), {}};
  }

  Terms validate(const Rows& batch, Draw& draw) override { return terms(batch, draw, 0); }

 protected:
  Terms loss(const Rows& batch, Draw& draw, double) override {
    return terms(batch, draw, options_.condition_dropout);
  }

 private:
  Tensor velocity(const Tensor& x, const Tensor& time, const Tensor& condition, const Tensor& present) {
    const Tensor phase = time * frequencies_;
    return velocity_->forward(
        torch::cat({x, torch::cos(phase), torch::sin(phase), condition * present, present}, 1));
  }

  Normal base(const Tensor& condition) { return Normal::from(base_->forward(condition)); }

  /// The flow's squared error a parameter, and the likelihood of the normals.
  Terms terms(const Rows& batch, Draw& draw, double dropout) {
    const Normal normal = base(batch.condition);
    const Tensor surprise = -normal_log_density(batch.x, normal.mean, normal.log_sd).mean();
    const Tensor error = mismatch(batch, normal.inward(batch.x).detach(), draw, dropout);
    return {error + surprise, error.detach(), {}};
  }

  /// @param inward  the batch's vectors as their conditions' normals see them
  Tensor mismatch(const Rows& batch, const Tensor& inward, Draw& draw, double dropout) {
    const std::int64_t n = batch.size();
    // Times evenly spread over the batch: less variance than independent ones.
    const Tensor strata = torch::arange(n, inward.options()).unsqueeze(1);
    const Tensor time = (strata + draw.uniform({n, 1})) / static_cast<double>(n);
    const Tensor noise = draw.normal(inward.sizes());
    const Tensor present = (draw.uniform({n, 1}) >= dropout).to(torch::kFloat32);
    const Tensor goal = torch::where(present > 0, inward, batch.x);
    const Tensor there = noise + time * (goal - noise);
    const Tensor error = velocity(there, time, batch.condition, present) - (goal - noise);
    return (error * error).sum(1).mean();
  }

  /// Guidance g asks for p(x | condition)^g p(x)^(1-g), here of the densities at every time.
  struct Guide {
    Tensor condition;
    Normal conditional;
    Normal base;  ///< where the flow begins: that power of the two normals
  };

  Guide guide_to(const Tensor& condition) {
    const Normal conditional = base(condition);
    if (options_.guidance == 1) return {condition, conditional, conditional};
    const Tensor own = torch::exp(-2 * conditional.log_sd);  // precision; that without a condition is 1
    const Tensor precision = options_.guidance * own + (1 - options_.guidance);
    // The power has no integral where the condition leaves more room than there is without it.
    const Tensor held = torch::maximum(precision, 0.25 * torch::clamp_max(own, 1.0));
    const Tensor mean = conditional.mean * (1 + (options_.guidance - 1) / held);
    return {condition, conditional, {mean, -0.5 * torch::log(held)}};
  }

  /// Of x in standard deviations of the guide's base. Scores combine as the powers say; with straight paths
  /// from normals of precisions that combine likewise, velocities over standard deviations do so, too.
  Tensor guided(const Tensor& x, double time, const Guide& guide) {
    const Tensor moment = torch::full({x.size(0), 1}, time, x.options());
    const Tensor present = torch::ones_like(moment);
    if (options_.guidance == 1) return velocity(x, moment, guide.condition, present);
    const Tensor outside = guide.base.outward(x);
    const Tensor with = velocity(guide.conditional.inward(outside), moment, guide.condition, present) *
                        torch::exp(-guide.conditional.log_sd);
    const Tensor without = velocity(outside, moment, guide.condition, torch::zeros_like(moment));
    return torch::exp(guide.base.log_sd) * (without + options_.guidance * (with - without));
  }

  /// Heun's method.
  Tensor integrate(Tensor x, const Guide& guide, double from, double to) {
    const double step = (to - from) / static_cast<double>(options_.flow_steps);
    for (std::uint64_t i = 0; i < options_.flow_steps; ++i) {
      const double time = from + step * static_cast<double>(i);
      const Tensor first = guided(x, time, guide);
      const Tensor second = guided(x + step * first, time + step, guide);
      x = x + 0.5 * step * (first + second);
    }
    return x;
  }

  GeneratorOptions options_;
  std::int64_t n_x_;
  std::shared_ptr<Mlp> velocity_, base_;
  Tensor frequencies_;
};

}  // namespace

std::shared_ptr<Network> make_flow(const NetworkShape& shape, const GeneratorOptions& options) {
  return std::make_shared<Flow>(shape, options);
}

}  // namespace kinetune::generate
