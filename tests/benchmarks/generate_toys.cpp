// How near do the samples of each model come to a truth that is known?
//
// Trains every model on the toy data sets of tests/generate/toys.hpp, three seeds each, and prints the table
// of docs/generate.md:  generate_toys [circle|basins|valley|all] [model ...] [--first-seed K] [--seeds N]
//     [name=value ...]
// name=value is an option of kinetune-train, for all models of this call.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "../generate/toys.hpp"
#include "core/error.hpp"
#include "generate/generator.hpp"

namespace {

using namespace kinetune;
using generate::Condition;
using generate::DataSet;
using generate::Generator;
using generate::GeneratorOptions;
using Settings = std::vector<std::pair<std::string, std::string>>;

struct Model {
  std::string name;
  generate::Method method;
  Settings settings;
};

const std::vector<Model> models{
    {"cvae", generate::Method::cvae, {}},
    {"cvae-bce",
     generate::Method::cvae,
     {{"likelihood", "bernoulli"}, {"prior", "standard"}, {"kl-warmup", "0"}, {"free-bits", "0"}}},
    {"transformer", generate::Method::transformer, {}},
    {"ccgan-hvdl", generate::Method::ccgan, {{"vicinity", "hard"}}},
    {"ccgan-svdl", generate::Method::ccgan, {{"vicinity", "soft"}}},
    {"flow", generate::Method::flow, {}},
    {"mixture", generate::Method::mixture, {}},
    {"best_points", generate::Method::best_points, {}},
};

/// Means over seeds come below the rows of the seeds.
struct Toy {
  std::string name;
  std::function<DataSet(std::uint64_t)> data;
  std::vector<std::string> columns;
  std::function<std::vector<double>(Generator&, std::uint64_t seed)> judge;
  std::function<Settings(generate::Method)> settings;
};

std::vector<double> judge_circle(Generator& model, std::uint64_t seed) {
  toys::circle::Judge judge;
  core::RandomStream random(seed, 100);
  for (int i = 0; i < toys::circle::n_judged; ++i) {
    const double label = toys::circle::judged_label(i);
    judge.add(label, model.sample({label}, toys::circle::n_samples, random));
  }
  const auto q = judge.quality();
  return {100 * q.share_within_4_sd, 100 * q.modes_recovered, 1e4 * q.squared_w2, q.sample_sd};
}

constexpr double judged_label = 0.05;

std::vector<double> judge_basins(Generator& model, std::uint64_t seed) {
  core::RandomStream random(seed, 100);
  const auto q = toys::basins::judge(model.sample({judged_label}, 4000, random), judged_label);
  return {100 * q.in_basins, 100 * q.major_share, q.sd_over_true};
}

std::vector<double> judge_valley(Generator& model, std::uint64_t seed) {
  core::RandomStream random(seed, 100);
  const auto q = toys::valley::judge(model.sample({judged_label}, 2000, random), judged_label);
  return {q.distance_over_true, 100 * q.covered, q.unevenness};
}

/// What suits 1200 points on a smooth curve.
Settings circle_settings(generate::Method method) {
  Settings settings{{"label-axis", "circle"}, {"run-evenness", "0"}, {"batch-norm", "off"}};
  const auto add = [&](const Settings& more) { settings.insert(settings.end(), more.begin(), more.end()); };
  if (method == generate::Method::ccgan) {
    add({{"epochs", "300"}, {"gradient-penalty", "0.01"}});
  }
  // On its linear scale the circle is a linear function of the label's cosine and sine.
  if (method == generate::Method::cvae) {
    add({{"vector-scale", "linear"},
         {"n-latent", "2"},
         {"epochs", "1200"},
         {"validation-share", "0"},
         {"keep", "last"},
         {"activation", "silu"},
         {"learning-rate", "2e-3"},
         {"weight-decay", "0.5"},
         {"free-bits", "0"}});
  }
  if (method == generate::Method::flow) {
    add({{"vector-scale", "linear"},
         {"epochs", "400"},
         {"validation-share", "0"},
         {"keep", "last"},
         {"width", "64"},
         {"weight-decay", "0.1"}});
  }
  if (method == generate::Method::transformer) {
    add({{"vector-scale", "linear"},
         {"n-latent", "2"},
         {"epochs", "1600"},
         {"validation-share", "0"},
         {"keep", "last"},
         {"width", "16"},
         {"heads", "2"},
         {"learning-rate", "3e-3"}});
  }
  return settings;
}

/// The same number of passes for all; the transformer is a small one, as each takes it long.
Settings equal_training(generate::Method method) {
  Settings settings{{"epochs", "200"}, {"batch-norm", "off"}, {"activation", "silu"}};
  if (method == generate::Method::ccgan) settings.emplace_back("gradient-penalty", "0.01");
  if (method == generate::Method::transformer) {
    for (const auto& setting : Settings{{"width", "16"},
                                        {"heads", "2"},
                                        {"learning-rate", "3e-3"},
                                        {"validation-share", "0"},
                                        {"keep", "last"}})
      settings.push_back(setting);
  }
  return settings;
}

const std::vector<Toy> all_toys{
    {"circle",
     toys::circle::data,
     {"within 4 sd %", "modes %", "W2^2 1e-4", "sd (0.02)"},
     judge_circle,
     circle_settings},
    {"basins", toys::basins::data, {"in basins %", "major % (75)", "sd/true"}, judge_basins, equal_training},
    {"valley",
     toys::valley::data,
     {"distance/true", "covered %", "unevenness"},
     judge_valley,
     equal_training},
};

class Silent final : public generate::TrainingObserver {
 public:
  Next on_epoch(const generate::EpochRecord&) override { return Next::go_on; }
};

/// What was measured, or nothing where training failed.
std::vector<double> run(const Toy& toy, const Model& model, const Settings& more, std::uint64_t seed) {
  GeneratorOptions options = generate::default_options(model.method);
  for (const Settings& settings : {toy.settings(model.method), model.settings, more}) {
    for (const auto& [name, value] : settings) generate::set_option(options, name, value);
  }
  options.seed = seed;
  const auto generator = generate::make_generator(options);
  Silent observer;
  const auto begin = std::chrono::steady_clock::now();
  const auto end = generator->train(toy.data(seed), observer);
  if (!end) {
    fmt::print("{} seed {}: epoch {}: {}\n", model.name, seed, end.error().epoch, end.error().reason);
    return {};
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  std::vector<double> row = toy.judge(*generator, seed);
  row.push_back(took.count());
  return row;
}

void print_row(const std::string& name, const std::string& seed, const std::vector<double>& row) {
  fmt::print("| {:<11} | {:>4} |", name, seed);
  for (const double value : row)
    fmt::print(" {:>13} |", std::isnan(value) ? "-" : fmt::format("{:.4g}", value));
  fmt::print("\n");
  std::fflush(stdout);
}

void run_all(const Toy& toy, const std::vector<std::string>& chosen, const Settings& more, int first_seed,
             int n_seeds) {
  fmt::print("\n{}\n| model       | seed |", toy.name);
  for (const std::string& column : toy.columns) fmt::print(" {:>13} |", column);
  fmt::print("       seconds |\n");
  for (const Model& model : models) {
    if (!chosen.empty() && std::ranges::find(chosen, model.name) == chosen.end()) continue;
    std::vector<double> sum;
    int n = 0;
    for (int seed = first_seed; seed < first_seed + n_seeds; ++seed) {
      const auto row = run(toy, model, more, static_cast<std::uint64_t>(seed));
      if (row.empty()) continue;
      print_row(model.name, std::to_string(seed), row);
      sum.resize(row.size());
      for (std::size_t i = 0; i < row.size(); ++i) sum[i] += row[i];
      ++n;
    }
    for (double& value : sum) value /= n;
    if (n > 1) print_row(model.name, "mean", sum);
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::string toy_name = "all";
  std::vector<std::string> chosen;
  Settings more;
  int first_seed = 1, n_seeds = 3;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const auto equals = argument.find('=');
    if (argument == "--seeds" && i + 1 < argc) {
      n_seeds = std::stoi(argv[++i]);
    } else if (argument == "--first-seed" && i + 1 < argc) {
      first_seed = std::stoi(argv[++i]);
    } else if (equals != argument.npos) {
      more.emplace_back(argument.substr(0, equals), argument.substr(equals + 1));
    } else if (i == 1) {
      toy_name = argument;
    } else {
      chosen.push_back(argument);
    }
  }
  try {
    for (const Toy& toy : all_toys) {
      if (toy_name == "all" || toy_name == toy.name) run_all(toy, chosen, more, first_seed, n_seeds);
    }
  } catch (const core::Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 2;
  }
}
