#include "generate/options.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <iterator>
#include <span>
#include <vector>

#include <fmt/format.h>

namespace kinetune::generate {
namespace {

using Names = std::span<const std::string_view>;

// The names of each enum's values, in order.
Names names_of(Method) {
  static constexpr std::array<std::string_view, 6> names{"cvae", "transformer", "ccgan",
                                                         "flow", "mixture",     "best_points"};
  return names;
}
template <std::size_t i>
Names pair_of(const std::string_view (&names)[i]) {
  return names;
}
constexpr std::string_view transforms[] = {"rank", "min_max"}, axes[] = {"interval", "circle"},
                           scales[] = {"logit", "linear"}, schedules[] = {"constant", "cosine"},
                           keeps[] = {"last", "best"}, devices[] = {"cpu", "cuda"},
                           activations[] = {"relu", "silu"}, switches[] = {"off", "on"},
                           likelihoods[] = {"gaussian", "bernoulli"}, priors[] = {"standard", "conditional"},
                           vicinities[] = {"hard", "soft"}, rules[] = {"largest_gap", "neighbours"};
Names names_of(LabelTransform) { return pair_of(transforms); }
Names names_of(LabelAxis) { return pair_of(axes); }
Names names_of(VectorScale) { return pair_of(scales); }
Names names_of(Schedule) { return pair_of(schedules); }
Names names_of(Keep) { return pair_of(keeps); }
Names names_of(Device) { return pair_of(devices); }
Names names_of(Activation) { return pair_of(activations); }
Names names_of(BatchNorm) { return pair_of(switches); }
Names names_of(Likelihood) { return pair_of(likelihoods); }
Names names_of(Prior) { return pair_of(priors); }
Names names_of(Vicinity) { return pair_of(vicinities); }
Names names_of(VicinityRule) { return pair_of(rules); }

constexpr unsigned of(Method method) { return 1u << static_cast<unsigned>(method); }
constexpr unsigned autoencoders = of(Method::cvae) | of(Method::transformer);
constexpr unsigned coders = autoencoders | of(Method::ccgan);
constexpr unsigned networks = coders | of(Method::flow);

/// The methods that an option is for; options that are not here are for all.
struct Users {
  std::string_view option;
  unsigned methods;
};
constexpr Users users[] = {
    {"label-axis", networks},
    {"vector-scale", networks},
    {"run-evenness", networks & ~of(Method::ccgan)},  // which draws its points by their labels
    {"epochs", networks},
    {"batch-size", networks},
    {"learning-rate", networks},
    {"weight-decay", networks},
    {"gradient-clip", networks},
    {"average", networks},
    {"schedule", networks},
    {"keep", networks},
    {"patience", networks},
    {"device", networks},
    {"encoder-layers", coders},
    {"decoder-layers", networks},
    {"width", networks},
    {"n-latent", coders},
    {"activation", networks},
    {"batch-norm", of(Method::cvae) | of(Method::ccgan)},
    {"likelihood", of(Method::cvae)},
    {"prior", autoencoders},
    {"kl-warmup", autoencoders},
    {"free-bits", autoencoders},
    {"heads", of(Method::transformer)},
    {"mixture-components", of(Method::transformer)},
    {"vicinity", of(Method::ccgan)},
    {"vicinity-rule", of(Method::ccgan)},
    {"kappa-factor", of(Method::ccgan)},
    {"neighbours", of(Method::ccgan)},
    {"instance-noise", of(Method::ccgan)},
    {"gradient-penalty", of(Method::ccgan)},
    {"critic-steps", of(Method::ccgan)},
    {"condition-dropout", of(Method::flow)},
    {"guidance", of(Method::flow)},
    {"flow-steps", of(Method::flow)},
};

template <class E>
std::string enum_text(E value) {
  return std::string(names_of(value)[static_cast<std::size_t>(value)]);
}

[[noreturn]] void refuse(std::string_view option, std::string_view value, const std::string& right) {
  throw core::Error({}, fmt::format("{} is '{}'", option, value), right);
}

template <class T>
void parse(std::string_view option, std::string_view text, T& value) {
  if constexpr (std::is_enum_v<T>) {
    const Names names = names_of(value);
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (names[i] == text) {
        value = static_cast<T>(i);
        return;
      }
    }
    refuse(option, text, fmt::format("it is one of {}", fmt::join(names, ", ")));
  } else {
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (code != std::errc{} || end != text.data() + text.size())
      refuse(option, text, std::is_integral_v<T> ? "it is a whole number, not negative" : "it is a number");
  }
}

}  // namespace

std::string value_text(std::uint64_t value) { return fmt::format("{}", value); }
std::string value_text(double value) { return fmt::format("{}", value); }
std::string value_text(Method value) { return enum_text(value); }
std::string value_text(LabelTransform value) { return enum_text(value); }
std::string value_text(LabelAxis value) { return enum_text(value); }
std::string value_text(VectorScale value) { return enum_text(value); }
std::string value_text(Schedule value) { return enum_text(value); }
std::string value_text(Keep value) { return enum_text(value); }
std::string value_text(Device value) { return enum_text(value); }
std::string value_text(Activation value) { return enum_text(value); }
std::string value_text(BatchNorm value) { return enum_text(value); }
std::string value_text(Likelihood value) { return enum_text(value); }
std::string value_text(Prior value) { return enum_text(value); }
std::string value_text(Vicinity value) { return enum_text(value); }
std::string value_text(VicinityRule value) { return enum_text(value); }

std::string_view name(Method method) { return names_of(method)[static_cast<std::size_t>(method)]; }

GeneratorOptions default_options(Method method) {
  GeneratorOptions options{.method = method};
  if (method == Method::transformer) {
    options.width = 64;
    options.batch_norm = BatchNorm::off;
  }
  if (method == Method::ccgan) {
    options.encoder_layers = options.decoder_layers = 5;
    options.width = 100;
    options.vector_scale = VectorScale::linear;
    options.learning_rate = 2e-4;
    options.weight_decay = 0;
    options.keep = Keep::last;
    options.n_latent = 2;
  }
  if (method == Method::flow) {
    options.decoder_layers = 4;
    options.activation = Activation::silu;
    options.batch_norm = BatchNorm::off;
    options.average = 0.999;
  }
  return options;
}

void set_option(GeneratorOptions& options, std::string_view option, std::string_view value) {
  bool known = false;
  visit_options(options, [&](std::string_view name, auto& member, std::string_view) {
    if (name != option) return;
    known = true;
    parse(option, value, member);
  });
  if (!known)
    throw core::Error({}, fmt::format("there is no option {}", option), "kinetune-train --help lists them");
}

bool applies(std::string_view option, Method method) {
  const auto found = std::ranges::find(users, option, &Users::option);
  return found == std::end(users) || (found->methods & of(method)) != 0;
}

void check_applies(std::string_view option, Method method) {
  if (applies(option, method)) return;
  std::vector<std::string_view> own;
  const GeneratorOptions all;
  visit_options(all, [&](std::string_view other, const auto&, std::string_view) {
    if (other != "method" && applies(other, method)) own.push_back(other);
  });
  throw core::Error({}, fmt::format("method {} has no use for {}", name(method), option),
                    fmt::format("it has {}", fmt::join(own, ", ")));
}

std::string to_text(const GeneratorOptions& options) {
  std::string text;
  visit_options(options, [&](std::string_view name, const auto& member, std::string_view) {
    text += fmt::format("{}: {}\n", name, value_text(member));
  });
  return text;
}

GeneratorOptions options_from_text(std::string_view text, const std::string& file) {
  GeneratorOptions options;
  int line = 0;
  while (!text.empty()) {
    ++line;
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view entry = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (entry.empty()) continue;
    const std::size_t colon = entry.find(": ");
    try {
      if (colon == entry.npos) throw core::Error({}, fmt::format("'{}' is no option", entry), "name: value");
      set_option(options, entry.substr(0, colon), entry.substr(colon + 2));
    } catch (const core::Error& error) {
      throw core::Error({file, line}, error.what());
    }
  }
  return options;
}

void check(const GeneratorOptions& options) {
  const auto within = [](std::string_view option, double value, double low, double high) {
    if (!(value >= low && value <= high))
      refuse(option, fmt::format("{}", value), fmt::format("it is from {} to {}", low, high));
  };
  const auto positive = [](std::string_view option, std::uint64_t value) {
    if (value == 0) refuse(option, "0", "it is at least 1");
  };
  within("validation-share", options.validation_share, 0, 0.9);
  within("run-evenness", options.run_evenness, 0, 1);
  within("learning-rate", options.learning_rate, 0, 10);
  within("weight-decay", options.weight_decay, 0, 10);
  within("gradient-clip", options.gradient_clip, 0, INFINITY);
  within("average", options.average, 0, 0.999999);
  within("kl-warmup", options.kl_warmup, 0, 1);
  within("free-bits", options.free_bits, 0, 100);
  within("kappa-factor", options.kappa_factor, 1e-6, 1e6);
  within("instance-noise", options.instance_noise, 0, 100);
  within("gradient-penalty", options.gradient_penalty, 0, 1e6);
  within("condition-dropout", options.condition_dropout, 0, 0.9);
  within("guidance", options.guidance, 0, 100);
  if (options.guidance != 1 && options.condition_dropout == 0)
    refuse("guidance", value_text(options.guidance), "it takes condition-dropout above 0");
  if (options.batch_size < 2) refuse("batch-size", value_text(options.batch_size), "it is at least 2");
  positive("epochs", options.epochs);
  positive("encoder-layers", options.encoder_layers);
  positive("decoder-layers", options.decoder_layers);
  positive("width", options.width);
  positive("n-latent", options.n_latent);
  positive("heads", options.heads);
  positive("mixture-components", options.mixture_components);
  positive("neighbours", options.neighbours);
  positive("critic-steps", options.critic_steps);
  positive("flow-steps", options.flow_steps);
  if (options.method == Method::transformer && options.width % options.heads != 0)
    refuse("heads", value_text(options.heads), fmt::format("it divides width, which is {}", options.width));
}

}  // namespace kinetune::generate
