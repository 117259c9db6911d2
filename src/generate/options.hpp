#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/error.hpp"
#include "generate/labels.hpp"

namespace kinetune::generate {

enum class Method {
  cvae,         ///< conditional variational autoencoder (Kingma and Welling 2014; Sohn et al. 2015)
  transformer,  ///< the same with a token a parameter
  ccgan,        ///< continuous conditional GAN (Ding et al., ICLR 2021)
  flow,         ///< conditional flow matching (Lipman et al., ICLR 2023)
  mixture,      ///< control: a Gaussian mixture fitted to the best quarter
  best_points,  ///< control: the best points of the data themselves
};
/// What a cvae says about a reconstruction.
enum class Likelihood {
  gaussian,  ///< normal on standardised logits, its mean and scale by the decoder
  bernoulli  ///< binary cross-entropy on the unit box
};
/// Discriminator loss of a ccgan: which labels count as near.
enum class Vicinity { hard, soft };
/// How far is near in a ccgan.
enum class VicinityRule {
  largest_gap,  ///< a multiple of the largest gap between neighbouring labels (Ding et al.)
  neighbours    ///< the distance to the k-th nearest label, for labels that are unevenly spread
};
/// What labels lie on. On a circle 0 and 1 are the same.
enum class LabelAxis { interval, circle };
enum class Activation { relu, silu };
enum class BatchNorm { off, on };
enum class Prior {
  standard,    ///< of the latent: N(0, 1)
  conditional  ///< N(mu(condition), sigma(condition)), learned
};
/// The scale that networks see parameters on, always with mean 0 and sd 1.
enum class VectorScale {
  logit,  ///< of the box: no sample falls outside, and a bound lies far from the middle
  linear  ///< samples outside are moved to the bound
};
/// Which weights sampling uses.
enum class Keep {
  last,
  best  ///< those with the lowest validation loss
};
enum class Schedule { constant, cosine };
enum class Device { cpu, cuda };

/// Everything that shapes a model and its training. Its text is stored with the model.
struct GeneratorOptions {
  Method method = Method::cvae;
  // data
  LabelTransform label_transform = LabelTransform::rank;
  LabelAxis label_axis = LabelAxis::interval;
  VectorScale vector_scale = VectorScale::logit;
  double validation_share = 0.15;
  double run_evenness = 0.5;
  // training
  std::uint64_t seed = 1;
  std::uint64_t epochs = 300;
  std::uint64_t batch_size = 128;
  double learning_rate = 1e-3;
  double weight_decay = 1e-5;
  double gradient_clip = 5;
  double average = 0.995;
  Schedule schedule = Schedule::cosine;
  Keep keep = Keep::best;
  std::uint64_t patience = 0;
  Device device = Device::cpu;
  // networks
  std::uint64_t encoder_layers = 2;
  std::uint64_t decoder_layers = 2;
  std::uint64_t width = 128;
  std::uint64_t n_latent = 8;
  Activation activation = Activation::relu;
  BatchNorm batch_norm = BatchNorm::on;
  // cvae and transformer
  Likelihood likelihood = Likelihood::gaussian;
  Prior prior = Prior::conditional;
  double kl_warmup = 0.2;
  double free_bits = 0.02;
  // transformer
  std::uint64_t heads = 4;
  std::uint64_t mixture_components = 4;
  // ccgan
  Vicinity vicinity = Vicinity::hard;
  VicinityRule vicinity_rule = VicinityRule::largest_gap;
  double kappa_factor = 2;
  std::uint64_t neighbours = 20;
  double instance_noise = 0.02;
  double gradient_penalty = 0;
  std::uint64_t critic_steps = 1;
  // flow
  double condition_dropout = 0.1;
  double guidance = 1;
  std::uint64_t flow_steps = 32;
};

/// Defaults that suit the method.
GeneratorOptions default_options(Method);

/// The options' texts, one for each value of an enum in its order.
std::string_view name(Method);

/// Sets one option, by the name it has in the text. @throws core::Error, which names option and value
void set_option(GeneratorOptions&, std::string_view option, std::string_view value);
/// Whether models of the method depend on the option.
bool applies(std::string_view option, Method);
/// @throws core::Error when it does not apply, which says what does
void check_applies(std::string_view option, Method);
/// A line an option, "name: value".
std::string to_text(const GeneratorOptions&);
/// Reads such a text over the defaults. @throws core::Error at the line
GeneratorOptions options_from_text(std::string_view text, const std::string& file);
/// @throws core::Error when a value makes no sense
void check(const GeneratorOptions&);

/// Calls visit(name, member, what it is) for each option. Options is GeneratorOptions, const or not.
template <class Options, class Visitor>
void visit_options(Options& o, Visitor&& visit) {
  visit("method", o.method, "cvae, transformer, ccgan, flow, mixture or best_points");
  visit("label-transform", o.label_transform, "rank or min_max: how fval becomes the label");
  visit("label-axis", o.label_axis, "interval, or circle for labels that are periodic");
  visit("vector-scale", o.vector_scale, "logit or linear: how networks see the box");
  visit("validation-share", o.validation_share, "of the points, in whole runs");
  visit("run-evenness", o.run_evenness, "0: all points weigh the same, 1: all runs do");
  visit("seed", o.seed, "of split, weights and training");
  visit("epochs", o.epochs, "passes over the data");
  visit("batch-size", o.batch_size, "points a step");
  visit("learning-rate", o.learning_rate, "of Adam");
  visit("weight-decay", o.weight_decay, "decoupled, a step and unit of learning rate");
  visit("gradient-clip", o.gradient_clip, "largest norm of a gradient; 0: none");
  visit("average", o.average, "decay of the running average of weights; 0: none");
  visit("schedule", o.schedule, "constant or cosine: the learning rate over epochs");
  visit("keep", o.keep, "last weights, or the best by validation loss");
  visit("patience", o.patience, "epochs without a better validation loss before the end; 0: never");
  visit("device", o.device, "cpu or cuda");
  visit("encoder-layers", o.encoder_layers, "hidden layers of encoder or discriminator");
  visit("decoder-layers", o.decoder_layers, "hidden layers of decoder, generator or velocity");
  visit("width", o.width, "of hidden layers or tokens");
  visit("n-latent", o.n_latent, "latent dimensions");
  visit("activation", o.activation, "relu or silu");
  visit("batch-norm", o.batch_norm, "off or on, in cvae and generator of the ccgan");
  visit("likelihood", o.likelihood, "gaussian, or bernoulli (binary cross-entropy)");
  visit("prior", o.prior, "standard or conditional");
  visit("kl-warmup", o.kl_warmup, "share of the epochs over which the KL divergence gains its weight");
  visit("free-bits", o.free_bits, "nats of a latent dimension that cost nothing");
  visit("heads", o.heads, "of attention");
  visit("mixture-components", o.mixture_components, "of the transformer's output, a parameter");
  visit("vicinity", o.vicinity, "hard or soft");
  visit("vicinity-rule", o.vicinity_rule, "largest_gap or neighbours");
  visit("kappa-factor", o.kappa_factor, "vicinity as a multiple of the largest gap");
  visit("neighbours", o.neighbours, "labels within the vicinity");
  visit("instance-noise", o.instance_noise, "on what the discriminator sees, in data sd; falls to 0");
  visit("gradient-penalty", o.gradient_penalty, "R1 penalty on the discriminator; 0: none");
  visit("critic-steps", o.critic_steps, "discriminator steps a generator step");
  visit("condition-dropout", o.condition_dropout, "share of training points without condition");
  visit("guidance", o.guidance, "classifier-free guidance; 1: none");
  visit("flow-steps", o.flow_steps, "steps of integration");
}

/// Text of an option's value, as `set_option` reads it.
std::string value_text(std::uint64_t);
std::string value_text(double);
std::string value_text(Method);
std::string value_text(LabelTransform);
std::string value_text(LabelAxis);
std::string value_text(VectorScale);
std::string value_text(Schedule);
std::string value_text(Keep);
std::string value_text(Device);
std::string value_text(Activation);
std::string value_text(BatchNorm);
std::string value_text(Likelihood);
std::string value_text(Prior);
std::string value_text(Vicinity);
std::string value_text(VicinityRule);

}  // namespace kinetune::generate
