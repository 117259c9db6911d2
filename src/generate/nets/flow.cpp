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
/// paths are as short as elsewhere, in its standard deviations.
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
    return base(at.condition).outward(integrate(draw.normal({at.label.size(0), n_x_}), at.condition, 0, 1));
  }

  std::optional<Encoded> encode(const Rows& rows) override {
    const Normal normal = base(rows.condition);
    const Tensor origin = integrate(normal.inward(rows.x), rows.condition, 1, 0);
    return Encoded{origin, normal.outward(integrate(origin, rows.condition, 0, 1)), {}};
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
    const Tensor error = mismatch(normal.inward(batch.x).detach(), batch.condition, draw, dropout);
    return {error + surprise, error.detach(), {}};
  }

  Tensor mismatch(const Tensor& goal, const Tensor& condition, Draw& draw, double dropout) {
    const std::int64_t n = goal.size(0);
    // Times evenly spread over the batch: less variance than independent ones.
    const Tensor strata = torch::arange(n, goal.options()).unsqueeze(1);
    const Tensor time = (strata + draw.uniform({n, 1})) / static_cast<double>(n);
    const Tensor noise = draw.normal(goal.sizes());
    const Tensor present = (draw.uniform({n, 1}) >= dropout).to(torch::kFloat32);
    const Tensor there = noise + time * (goal - noise);
    const Tensor error = velocity(there, time, condition, present) - (goal - noise);
    return (error * error).sum(1).mean();
  }

  Tensor guided(const Tensor& x, double time, const Tensor& condition) {
    const Tensor moment = torch::full({x.size(0), 1}, time, x.options());
    const Tensor with = velocity(x, moment, condition, torch::ones_like(moment));
    if (options_.guidance == 1) return with;
    const Tensor without = velocity(x, moment, condition, torch::zeros_like(moment));
    return without + options_.guidance * (with - without);
  }

  /// Heun's method.
  Tensor integrate(Tensor x, const Tensor& condition, double from, double to) {
    const double step = (to - from) / static_cast<double>(options_.flow_steps);
    for (std::uint64_t i = 0; i < options_.flow_steps; ++i) {
      const double time = from + step * static_cast<double>(i);
      const Tensor first = guided(x, time, condition);
      const Tensor second = guided(x + step * first, time + step, condition);
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
