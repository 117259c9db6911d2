#pragma once

#include <cstdint>
#include <vector>

#include "generate/nets/torch.hpp"

namespace kinetune::generate {

struct AdamOptions {
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  double weight_decay = 0;   ///< decoupled (Loshchilov and Hutter, ICLR 2019)
  double gradient_clip = 0;  ///< largest norm; 0: none
  double average = 0;        ///< decay of the running average of the weights; 0: the weights themselves
};

/// Adam (Kingma and Ba, ICLR 2015) on parameters that it lays out one behind the other, so that a step is a
/// few operations however many layers there are. Their gradients lie likewise.
class Adam {
 public:
  /// Takes over where the parameters live; they must stay on their device.
  Adam(std::vector<Tensor> parameters, const AdamOptions&);

  void zero_gradients() { gradients_.zero_(); }
  void step(double learning_rate);

  std::uint64_t n_steps() const { return n_steps_; }
  /// Weights averaged over steps, of the parameters' shapes; views.
  std::vector<Tensor> average() const;

  /// (n_weights) each: what a resumed training needs besides the weights.
  std::vector<Tensor> state() const { return {first_, second_, average_}; }
  /// @param state  as told by `state()`
  void restore(std::uint64_t n_steps, const std::vector<Tensor>& state);

 private:
  AdamOptions options_;
  std::vector<Tensor> parameters_;
  Tensor weights_, gradients_, first_, second_, average_;  ///< (n_weights)
  std::uint64_t n_steps_ = 0;
};

}  // namespace kinetune::generate
