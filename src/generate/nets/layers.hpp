#pragma once

#include <cstdint>
#include <vector>

#include "generate/nets/torch.hpp"
#include "generate/options.hpp"

namespace kinetune::generate {

Tensor activate(Activation, const Tensor&);

struct MlpShape {
  std::int64_t n_in, width, n_hidden, n_out;
  Activation activation = Activation::relu;
  BatchNorm batch_norm = BatchNorm::off;
};

/// (n, n_in) to (n, n_out): hidden layers of linear, batch norm if asked for, activation; then a linear one.
class Mlp : public torch::nn::Module {
 public:
  explicit Mlp(const MlpShape&);
  Tensor forward(Tensor);

 private:
  Activation activation_;
  std::vector<torch::nn::Linear> linear_;
  std::vector<torch::nn::BatchNorm1d> norms_;  ///< as many as hidden layers, or none
};

/// Attention of several heads (Vaswani et al. 2017), written out so that all versions of LibTorch do the
/// same.
class Attention : public torch::nn::Module {
 public:
  Attention(std::int64_t width, std::int64_t heads);
  /// @param queries  (n, n_queries, width)   @param memory  (n, n_tokens, width)
  Tensor forward(const Tensor& queries, const Tensor& memory);

 private:
  std::int64_t heads_;
  torch::nn::Linear query_, key_value_, out_;
};

/// Attention, then two dense layers, each after a layer norm and added to what came in.
class AttentionBlock : public torch::nn::Module {
 public:
  AttentionBlock(std::int64_t width, std::int64_t heads);
  /// To the tokens themselves.
  Tensor forward(const Tensor& tokens);
  Tensor forward(const Tensor& queries, const Tensor& memory);

 private:
  Tensor attend(const Tensor& queries, const Tensor& normed, const Tensor& memory);

  torch::nn::LayerNorm before_attention_, before_dense_;
  std::shared_ptr<Attention> attention_;
  torch::nn::Linear up_, down_;
};

/// First weights: linear layers uniform within fan-in^-1/2 as in PyTorch, parameters that are called
/// embedding normal.
void initialise(torch::nn::Module&, Draw&);

/// What networks see of conditions. label and failed: (n) each.
Tensor embed_condition(LabelAxis, const Tensor& label, const Tensor& failed);
std::int64_t n_condition(LabelAxis);

/// Sums over the last dimension of the log density of N(mean, exp(log_sd)).
Tensor normal_log_density(const Tensor& x, const Tensor& mean, const Tensor& log_sd);

/// Any number to one from -7 to 3, for logarithms of standard deviations: smooth near the ends.
Tensor bounded_log_sd(const Tensor&);

}  // namespace kinetune::generate
