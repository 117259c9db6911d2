#include "generate/nets/adam.hpp"

#include <algorithm>
#include <cmath>

namespace kinetune::generate {

Adam::Adam(std::vector<Tensor> parameters, const AdamOptions& options)
    : options_(options), parameters_(std::move(parameters)) {
  const torch::NoGradGuard no_grad;
  std::vector<Tensor> flat;
  for (const Tensor& parameter : parameters_) flat.push_back(parameter.detach().reshape({-1}));
  weights_ = torch::cat(flat);
  gradients_ = torch::zeros_like(weights_);
  first_ = torch::zeros_like(weights_);
  second_ = torch::zeros_like(weights_);
  average_ = weights_.clone();
  std::int64_t offset = 0;
  for (Tensor& parameter : parameters_) {
    const std::int64_t n = parameter.numel();
    parameter.set_data(weights_.narrow(0, offset, n).view(parameter.sizes()));
    parameter.mutable_grad() = gradients_.narrow(0, offset, n).view(parameter.sizes());
    offset += n;
  }
}

void Adam::step(double learning_rate) {
  const torch::NoGradGuard no_grad;
  ++n_steps_;
  const double n = static_cast<double>(n_steps_);
  if (options_.gradient_clip > 0)  // as a tensor: a GPU need not wait for the norm
    gradients_.mul_(torch::clamp_max(options_.gradient_clip / (gradients_.norm() + 1e-12), 1.0));
  first_.lerp_(gradients_, 1 - options_.beta1);
  second_.mul_(options_.beta2).addcmul_(gradients_, gradients_, 1 - options_.beta2);
  if (options_.weight_decay > 0) weights_.mul_(1 - learning_rate * options_.weight_decay);
  const double correction = std::sqrt(1 - std::pow(options_.beta2, n));
  const Tensor scale = second_.sqrt().add_(options_.epsilon * correction);
  weights_.addcdiv_(first_, scale, -learning_rate * correction / (1 - std::pow(options_.beta1, n)));
  // Short averages at first, so that they forget where training began.
  const double decay = std::min(options_.average, (1 + n) / (10 + n));
  average_.lerp_(weights_, options_.average > 0 ? 1 - decay : 1);
}

std::vector<Tensor> Adam::average() const {
  std::vector<Tensor> views;
  std::int64_t offset = 0;
  for (const Tensor& parameter : parameters_) {
    views.push_back(average_.narrow(0, offset, parameter.numel()).view(parameter.sizes()));
    offset += parameter.numel();
  }
  return views;
}

void Adam::restore(std::uint64_t n_steps, const std::vector<Tensor>& state) {
  n_steps_ = n_steps;
  first_.copy_(state.at(0));
  second_.copy_(state.at(1));
  average_.copy_(state.at(2));
}

}  // namespace kinetune::generate
