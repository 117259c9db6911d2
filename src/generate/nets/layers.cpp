#include "generate/nets/layers.hpp"

#include <cmath>
#include <numbers>
#include <string>

namespace kinetune::generate {

namespace nn = torch::nn;

Tensor activate(Activation activation, const Tensor& x) {
  return activation == Activation::relu ? torch::relu(x) : torch::silu(x);
}

Mlp::Mlp(const MlpShape& shape) : activation_(shape.activation) {
  std::int64_t n_in = shape.n_in;
  for (std::int64_t i = 0; i <= shape.n_hidden; ++i) {
    const bool last = i == shape.n_hidden;
    const std::int64_t n_out = last ? shape.n_out : shape.width;
    linear_.push_back(register_module("linear" + std::to_string(i), nn::Linear(n_in, n_out)));
    if (!last && shape.batch_norm == BatchNorm::on)
      norms_.push_back(register_module("norm" + std::to_string(i), nn::BatchNorm1d(n_out)));
    n_in = n_out;
  }
}

Tensor Mlp::forward(Tensor x) {
  for (std::size_t i = 0; i + 1 < linear_.size(); ++i) {
    x = linear_[i]->forward(x);
    if (!norms_.empty()) x = norms_[i]->forward(x);
    x = activate(activation_, x);
  }
  return linear_.back()->forward(x);
}

Attention::Attention(std::int64_t width, std::int64_t heads)
    : heads_(heads),
      query_(register_module("query", nn::Linear(width, width))),
      key_value_(register_module("key_value", nn::Linear(width, 2 * width))),
      out_(register_module("out", nn::Linear(width, width))) {}

Tensor Attention::forward(const Tensor& queries, const Tensor& memory) {
  const std::int64_t n = queries.size(0), n_queries = queries.size(1), width = queries.size(2);
  const auto by_head = [&](const Tensor& x) {  // (n, tokens, width) to (n, heads, tokens, width / heads)
    return x.view({n, x.size(1), heads_, width / heads_}).transpose(1, 2);
  };
  const Tensor q = by_head(query_->forward(queries));
  const auto kv = key_value_->forward(memory).chunk(2, 2);
  const Tensor scores =
      torch::matmul(q, by_head(kv[0].contiguous()).transpose(2, 3)) / std::sqrt(double(width / heads_));
  const Tensor mixed = torch::matmul(torch::softmax(scores, 3), by_head(kv[1].contiguous()));
  return out_->forward(mixed.transpose(1, 2).reshape({n, n_queries, width}));
}

AttentionBlock::AttentionBlock(std::int64_t width, std::int64_t heads)
    : before_attention_(register_module("before_attention", nn::LayerNorm(nn::LayerNormOptions({width})))),
      before_dense_(register_module("before_dense", nn::LayerNorm(nn::LayerNormOptions({width})))),
      attention_(register_module("attention", std::make_shared<Attention>(width, heads))),
      up_(register_module("up", nn::Linear(width, 2 * width))),
      down_(register_module("down", nn::Linear(2 * width, width))) {}

Tensor AttentionBlock::attend(const Tensor& queries, const Tensor& normed, const Tensor& memory) {
  const Tensor x = queries + attention_->forward(normed, memory);
  return x + down_->forward(torch::gelu(up_->forward(before_dense_->forward(x))));
}

Tensor AttentionBlock::forward(const Tensor& tokens) {
  const Tensor normed = before_attention_->forward(tokens);
  return attend(tokens, normed, normed);
}

Tensor AttentionBlock::forward(const Tensor& queries, const Tensor& memory) {
  return attend(queries, before_attention_->forward(queries), memory);
}

void initialise(nn::Module& module, Draw& draw) {
  const torch::NoGradGuard no_grad;
  for (const auto& part : module.modules()) {
    if (auto* linear = part->as<nn::LinearImpl>()) {
      const double bound = 1 / std::sqrt(static_cast<double>(linear->weight.size(1)));
      for (const Tensor& parameter : {linear->weight, linear->bias})
        parameter.copy_((draw.uniform(parameter.sizes()) * 2 - 1) * bound);
    }
  }
  for (const auto& item : module.named_parameters()) {
    if (item.key().find("embedding") != std::string::npos)
      item.value().copy_(draw.normal(item.value().sizes()) * 0.5);
  }
}

Tensor embed_condition(LabelAxis axis, const Tensor& label, const Tensor& failed) {
  if (axis == LabelAxis::circle) {
    const Tensor angle = label * (2 * std::numbers::pi);
    return torch::stack({torch::cos(angle), torch::sin(angle), failed}, 1);
  }
  // The logarithm spreads the best points apart; they are what matters.
  return torch::stack({label * 2 - 1, torch::log10(label + 1e-3) * (2.0 / 3) + 1, failed}, 1);
}

std::int64_t n_condition(LabelAxis) { return 3; }

Tensor normal_log_density(const Tensor& x, const Tensor& mean, const Tensor& log_sd) {
  const Tensor standard = (x - mean) * torch::exp(-log_sd);
  return (standard * standard * -0.5 - log_sd - 0.5 * std::log(2 * std::numbers::pi)).sum(-1);
}

Tensor bounded_log_sd(const Tensor& raw) { return torch::tanh((raw + 2) / 5) * 5 - 2; }

}  // namespace kinetune::generate
