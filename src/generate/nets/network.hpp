#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "generate/data.hpp"
#include "generate/nets/adam.hpp"
#include "generate/nets/torch.hpp"
#include "generate/normaliser.hpp"
#include "generate/options.hpp"

namespace kinetune::generate {

/// Some points as networks see them.
struct Rows {
  Tensor x;              ///< (n, n_active), normalised
  Tensor label, failed;  ///< (n)
  Tensor condition;      ///< (n, n_condition)

  std::int64_t size() const { return x.size(0); }
  Rows select(const Tensor& index) const {
    return {x.index_select(0, index), label.index_select(0, index), failed.index_select(0, index),
            condition.index_select(0, index)};
  }
};

/// Losses a point, mean over a batch. What a method does not have is undefined.
struct Terms {
  Tensor total, reconstruction, divergence;
};

struct Encoded {
  Tensor latent, reconstruction;
  Tensor divergence;  ///< undefined where there is none
};

struct StepContext {
  double progress;  ///< share of all steps that are done
  double learning_rate;
  std::span<Adam> optimisers;  ///< one a player
};

/// What a network is made for.
struct NetworkShape {
  std::int64_t n_x;                 ///< active parameters
  std::vector<std::int64_t> kinds;  ///< (n_x)
};

/// One kind of generative network. The training loop (neural_generator.cpp) is the same for all.
class Network : public torch::nn::Module {
 public:
  /// Parameters that are trained, a group an optimiser.
  virtual std::vector<std::vector<Tensor>> players() { return {parameters()}; }
  virtual AdamOptions adam(const GeneratorOptions&) const;
  /// Before the first epoch of a session. `begin`: whether what is trained now must still be made.
  enum class Begin { fresh, resumed };
  virtual void prepare(const Rows& /*train*/, Begin, Draw&) {}

  /// In training mode: gradients, and a step of each optimiser.
  virtual Terms step(const Rows& batch, Draw&, const StepContext&);
  /// With all terms at full weight.
  virtual Terms validate(const Rows& batch, Draw& draw) { return loss(batch, draw, 1); }
  /// (n, n_x) at conditions given by label and failed flag.
  virtual Tensor sample(const Rows& conditions, Draw&) = 0;
  virtual std::optional<Encoded> encode(const Rows&) { return std::nullopt; }

 protected:
  /// What `step` minimises, for networks with one player.
  virtual Terms loss(const Rows& batch, Draw&, double progress) = 0;
};

/// That the networks of these options see vectors on.
Normaliser::Scale scale_of(const GeneratorOptions&);

std::shared_ptr<Network> make_cvae(const NetworkShape&, const GeneratorOptions&);
std::shared_ptr<Network> make_transformer(const NetworkShape&, const GeneratorOptions&);
std::shared_ptr<Network> make_ccgan(const NetworkShape&, const GeneratorOptions&);
std::shared_ptr<Network> make_flow(const NetworkShape&, const GeneratorOptions&);
std::shared_ptr<Network> make_network(const NetworkShape&, const GeneratorOptions&);

}  // namespace kinetune::generate
