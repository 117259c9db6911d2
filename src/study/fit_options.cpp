#include "study/fit_options.hpp"

#include <array>
#include <cmath>
#include <functional>

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include "core/error.hpp"

namespace kinetune::study {
namespace {

template <class Choice>
struct Spelling {
  Choice choice;
  std::string_view text;
};

constexpr std::array sampling_methods{
    Spelling{sample::Method::latin_hypercube, "lhs"}, Spelling{sample::Method::uniform, "uniform"},
    Spelling{sample::Method::maximin, "maximin"}, Spelling{sample::Method::sobol, "sobol"},
    Spelling{sample::Method::multi_jittered, "multi-jittered"}};
constexpr std::array start_ranges{Spelling{StartRange::priors, "priors"},
                                  Spelling{StartRange::bounds, "bounds"},
                                  Spelling{StartRange::nominal, "nominal"}};
constexpr std::array sensitivity_methods{Spelling{estimate::Sensitivities::automatic, "auto"},
                                         Spelling{estimate::Sensitivities::forward, "forward"},
                                         Spelling{estimate::Sensitivities::adjoint, "adjoint"}};
constexpr std::array linear_solvers{Spelling{simulate::LinearSolver::automatic, "auto"},
                                    Spelling{simulate::LinearSolver::dense, "dense"},
                                    Spelling{simulate::LinearSolver::klu, "klu"}};
const std::array steady_state_searches{
    Spelling{simulate::SteadyStateSearch::integrate, name(simulate::SteadyStateSearch::integrate)},
    Spelling{simulate::SteadyStateSearch::newton, name(simulate::SteadyStateSearch::newton)}};
const std::array sensitivity_error_choices{
    Spelling{simulate::SensitivityErrors::automatic, name(simulate::SensitivityErrors::automatic)},
    Spelling{simulate::SensitivityErrors::ignored, name(simulate::SensitivityErrors::ignored)},
    Spelling{simulate::SensitivityErrors::controlled, name(simulate::SensitivityErrors::controlled)}};
const std::array integration_methods{Spelling{simulate::Method::automatic, name(simulate::Method::automatic)},
                                     Spelling{simulate::Method::cvodes, name(simulate::Method::cvodes)},
                                     Spelling{simulate::Method::rodas5p, name(simulate::Method::rodas5p)},
                                     Spelling{simulate::Method::rodas4p2, name(simulate::Method::rodas4p2)}};
const auto local_methods = [] {
  std::array<Spelling<optimize::Method>, optimize::methods.size()> spellings{};
  for (std::size_t i = 0; i < spellings.size(); ++i)
    spellings[i] = {optimize::methods[i], name(optimize::methods[i])};
  return spellings;
}();

template <class Choice, std::size_t n>
Choice choice(const std::array<Spelling<Choice>, n>& spellings, std::string_view text,
              std::string_view what) {
  std::string all;
  for (const auto& spelling : spellings) {
    if (spelling.text == text) return spelling.choice;
    all += (all.empty() ? "" : ", ") + std::string(spelling.text);
  }
  throw core::Error({}, fmt::format("'{}' is no {}", text, what), "use one of: " + all);
}

template <class Choice, std::size_t n>
std::string_view text_of(const std::array<Spelling<Choice>, n>& spellings, Choice choice) {
  for (const auto& spelling : spellings) {
    if (spelling.choice == choice) return spelling.text;
  }
  return "";
}

/// One line of a study: how it is written, how it is read.
struct Entry {
  std::string_view key;
  std::function<void(YAML::Emitter&, const FitOptions&)> write;
  std::function<void(const YAML::Node&, FitOptions&)> read;
};

/// An entry for a number that `member(options)` refers to.
template <class Member>
Entry number(std::string_view key, Member member) {
  return {key,
          [member](YAML::Emitter& out, const FitOptions& options) {
            const auto text = fmt::format(
                "{}", member(const_cast<FitOptions&>(options)));  // shortest that reads back the same
            out << (text == "inf" ? ".inf" : text);               // YAML's spelling
          },
          [member](const YAML::Node& node, FitOptions& options) {
            auto& value = member(options);
            value = node.as<std::remove_reference_t<decltype(value)>>();
          }};
}

/// An entry for a choice with spellings.
template <class Member, class Read>
Entry spelled(std::string_view key, Member member, Read read) {
  return {key,
          [member](YAML::Emitter& out, const FitOptions& options) {
            out << std::string(name(member(const_cast<FitOptions&>(options))));
          },
          [member, read](const YAML::Node& node, FitOptions& options) {
            member(options) = read(node.as<std::string>());
          }};
}

const std::vector<Entry>& entries() {
  using F = FitOptions;
  static const std::vector<Entry> list{
      {"problem", [](YAML::Emitter& out, const F& o) { out << o.problem.string(); },
       [](const YAML::Node& node, F& o) { o.problem = node.as<std::string>(); }},
      number(
          "starts", [](F & o) -> auto& { return o.sampler.n_starts; }),
      {"extended-at", [](YAML::Emitter& out, const F& o) { out << YAML::Flow << o.sampler.extended_at; },
       [](const YAML::Node& node, F& o) { o.sampler.extended_at = node.as<std::vector<std::uint64_t>>(); }},
      number(
          "seed", [](F & o) -> auto& { return o.sampler.seed; }),
      spelled(
          "sampler", [](F & o) -> auto& { return o.sampler.method; }, sampling_method),
      spelled(
          "start-range", [](F & o) -> auto& { return o.start_range; }, start_range),
      number(
          "start-factor", [](F & o) -> auto& { return o.start_factor; }),
      spelled(
          "optimizer", [](F & o) -> auto& { return o.local.method; }, local_method),
      number(
          "gradient-tolerance", [](F & o) -> auto& { return o.local.gradient_tolerance; }),
      number(
          "fval-tolerance", [](F & o) -> auto& { return o.local.fval_tolerance; }),
      number(
          "fval-window", [](F & o) -> auto& { return o.local.fval_window; }),
      number(
          "step-tolerance", [](F & o) -> auto& { return o.local.step_tolerance; }),
      number(
          "max-iterations", [](F & o) -> auto& { return o.local.max_iterations; }),
      number(
          "max-evaluations", [](F & o) -> auto& { return o.local.max_evaluations; }),
      number(
          "max-start-time", [](F & o) -> auto& { return o.local.max_seconds; }),
      number(
          "max-evaluation-time", [](F & o) -> auto& { return o.posterior.max_seconds; }),
      number(
          "redraws", [](F & o) -> auto& { return o.n_redraws; }),
      spelled(
          "integrator", [](F & o) -> auto& { return o.posterior.integrator.method; }, integration_method),
      spelled(
          "sensitivities", [](F & o) -> auto& { return o.posterior.sensitivities; }, sensitivities),
      number(
          "lanes", [](F & o) -> auto& { return o.posterior.integrator.lanes; }),
      spelled(
          "linear-solver", [](F & o) -> auto& { return o.posterior.integrator.linear_solver; },
          linear_solver),
      spelled(
          "steady-state", [](F & o) -> auto& { return o.posterior.integrator.steady_state; },
          steady_state_search),
      number(
          "rtol", [](F & o) -> auto& { return o.posterior.integrator.rtol; }),
      number(
          "atol", [](F & o) -> auto& { return o.posterior.integrator.atol; }),
      spelled(
          "sensitivity-errors", [](F & o) -> auto& { return o.posterior.integrator.sensitivity_errors; },
          sensitivity_errors),
      number(
          "max-steps", [](F & o) -> auto& { return o.posterior.integrator.max_steps; })};
  return list;
}

std::string value_of(const Entry& entry, const FitOptions& options) {
  YAML::Emitter out;
  entry.write(out, options);
  return out.c_str();
}

int line_of(const YAML::Mark& mark) { return mark.is_null() ? 0 : mark.line + 1; }

}  // namespace

std::string_view name(sample::Method m) { return text_of(sampling_methods, m); }
std::string_view name(StartRange r) { return text_of(start_ranges, r); }
std::string_view name(estimate::Sensitivities s) { return text_of(sensitivity_methods, s); }
std::string_view name(simulate::LinearSolver s) { return text_of(linear_solvers, s); }
sample::Method sampling_method(std::string_view text) { return choice(sampling_methods, text, "sampler"); }
StartRange start_range(std::string_view text) { return choice(start_ranges, text, "range of starts"); }
optimize::Method local_method(std::string_view text) { return choice(local_methods, text, "optimizer"); }
estimate::Sensitivities sensitivities(std::string_view text) {
  return choice(sensitivity_methods, text, "way to compute sensitivities");
}
simulate::LinearSolver linear_solver(std::string_view text) {
  return choice(linear_solvers, text, "linear solver");
}

simulate::SteadyStateSearch steady_state_search(std::string_view text) {
  return choice(steady_state_searches, text, "way to look for steady states");
}

simulate::SensitivityErrors sensitivity_errors(std::string_view text) {
  return choice(sensitivity_error_choices, text, "way to treat the errors of sensitivities");
}

simulate::Method integration_method(std::string_view text) {
  return choice(integration_methods, text, "integrator");
}

void FitOptions::validate() const {
  if (problem.empty()) throw core::Error({}, "no problem", "give a PEtab problem (YAML)");
  sampler.validate();
  if (!(start_factor > 1 && std::isfinite(start_factor)))
    throw core::Error({}, fmt::format("start-factor is {}", start_factor),
                      "give a number above 1, such as 10");
  local.validate();
  posterior.integrator.validate();
}

std::string FitOptions::to_yaml() const {
  YAML::Emitter out;
  out << YAML::BeginMap;
  for (const Entry& entry : entries()) {
    out << YAML::Key << std::string(entry.key) << YAML::Value;
    entry.write(out, *this);
  }
  out << YAML::EndMap;
  return std::string(out.c_str()) + "\n";
}

void require_same_study(const FitOptions& stored, const FitOptions& wanted, const std::string& run_file) {
  for (const Entry& entry : entries()) {
    if (entry.key == "starts" || entry.key == "extended-at") continue;
    const std::string has = value_of(entry, stored), asked = value_of(entry, wanted);
    const bool is_open = asked == "auto" || (entry.key == "lanes" && asked == "0");
    if (has == asked || is_open) continue;
    throw core::Error({run_file, 0},
                      fmt::format("'{}' is {} in this study and cannot change to {} when it is resumed",
                                  entry.key, has, asked),
                      "leave it out, or start a new study");
  }
}

FitOptions FitOptions::from_yaml(std::string_view text, const std::string& file, FitOptions base) {
  YAML::Node root;
  try {
    root = YAML::Load(std::string(text));
  } catch (const YAML::Exception& error) {
    throw core::Error({file, line_of(error.mark)}, "is no YAML: " + error.msg);
  }
  if (!root.IsMap())
    throw core::Error({file, 1}, "a study is a list of 'option: value' lines", "see kinetune fit --help");
  for (const auto& item : root) {
    const auto key = item.first.as<std::string>("");
    const core::Location where{file, line_of(item.first.Mark())};
    const auto entry = std::ranges::find(entries(), key, &Entry::key);
    if (entry == entries().end()) {
      throw core::Error(where, fmt::format("'{}' is no option of a study", key), "see kinetune fit --help");
    }
    try {
      entry->read(item.second, base);
    } catch (const YAML::Exception&) {
      throw core::Error(where, fmt::format("'{}' has a value of the wrong kind", key),
                        "see kinetune fit --help");
    } catch (const core::Error& error) {
      throw core::Error(where, error.what());
    }
  }
  return base;
}

}  // namespace kinetune::study
