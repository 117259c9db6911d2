#include "generate/nets/network.hpp"

#include <cassert>

namespace kinetune::generate {

AdamOptions Network::adam(const GeneratorOptions& options) const {
  return {.weight_decay = options.weight_decay,
          .gradient_clip = options.gradient_clip,
          .average = options.average};
}

Terms Network::step(const Rows& batch, Draw& draw, const StepContext& context) {
  Adam& optimiser = context.optimisers.front();
  optimiser.zero_gradients();
  Terms terms = loss(batch, draw, context.progress);
  terms.total.backward();
  optimiser.step(context.learning_rate);
  return terms;
}

Normaliser::Scale scale_of(const GeneratorOptions& options) {
  using Scale = Normaliser::Scale;
  // Binary cross-entropy is of the box itself.
  if (options.method == Method::cvae && options.likelihood == Likelihood::bernoulli) return Scale::unit;
  return options.vector_scale == VectorScale::logit ? Scale::logit : Scale::standard;
}

std::shared_ptr<Network> make_network(const NetworkShape& shape, const GeneratorOptions& options) {
  switch (options.method) {
    case Method::cvae:
      return make_cvae(shape, options);
    case Method::transformer:
      return make_transformer(shape, options);
    case Method::ccgan:
      return make_ccgan(shape, options);
    case Method::flow:
      return make_flow(shape, options);
    default:
      assert(false);
      return nullptr;
  }
}

}  // namespace kinetune::generate
