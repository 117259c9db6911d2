#pragma once

#include <cstdint>
#include <numbers>
#include <vector>

#include <ATen/CPUGeneratorImpl.h>
#include <torch/torch.h>

#include "core/random.hpp"

// LibTorch, and the few places where its versions or devices differ.
namespace kinetune::generate {

using torch::Tensor;

/// How the n rows of a draw relate: not at all, or as in a Latin hypercube (McKay et al. 1979), where each
/// column has one value in each n-th of its distribution.
enum class Spread { independent, even };

/// Random numbers of one purpose, single precision, on one device. On the CPU they come from a generator of
/// their own. On a GPU they come from the device's, which is seeded here: one Draw at a time is in use there.
class Draw {
 public:
  Draw(core::RandomStream random, torch::Device device, Spread spread = Spread::independent)
      : random_(random), spread_(spread), options_(torch::TensorOptions().device(device)) {
    const std::uint64_t seed = random_.bits();
    if (device.is_cpu()) {
      generator_ = at::make_generator<at::CPUGeneratorImpl>(seed);
    } else {
      torch::cuda::manual_seed_all(seed);
    }
  }

  Tensor normal(at::IntArrayRef shape) {
    if (spread_ == Spread::even)
      return (std::numbers::sqrt2 * torch::erfinv(2 * strata(shape) - 1)).to(torch::kFloat32);
    return generator_.defined() ? torch::randn(shape, generator_, options_) : torch::randn(shape, options_);
  }
  /// In [0, 1); an even one may round to 1.
  Tensor uniform(at::IntArrayRef shape) {
    return spread_ == Spread::even ? strata(shape).to(torch::kFloat32) : independent(shape, options_);
  }
  /// For what is drawn one by one, on the CPU.
  core::RandomStream& random() { return random_; }

 private:
  Tensor independent(at::IntArrayRef shape, const torch::TensorOptions& options) {
    return generator_.defined() ? torch::rand(shape, generator_, options) : torch::rand(shape, options);
  }
  /// In (0, 1), double precision: single would cut a normal's tails short.
  Tensor strata(at::IntArrayRef shape) {
    const auto doubles = options_.dtype(torch::kFloat64);
    const Tensor stratum = independent(shape, doubles).argsort(std::int64_t{0});
    const Tensor value = (stratum + independent(shape, doubles)) / static_cast<double>(shape[0]);
    return value.clamp(1e-15, 1 - 1e-15);
  }

  core::RandomStream random_;
  Spread spread_;
  torch::TensorOptions options_;
  at::Generator generator_;
};

/// (rows, columns) on the device, a copy.
inline Tensor to_device(const std::vector<float>& values, std::int64_t columns, torch::Device device) {
  const auto rows = static_cast<std::int64_t>(values.size()) / columns;
  return torch::from_blob(const_cast<float*>(values.data()), {rows, columns}).clone().to(device);
}

inline std::vector<float> to_host(const Tensor& tensor) {
  const Tensor flat = tensor.detach().to(torch::kCPU, torch::kFloat32).contiguous();
  return {flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel()};
}

}  // namespace kinetune::generate
