#include "study/fit.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "commands.hpp"
#include "core/error.hpp"
#include "core/file.hpp"
#include "integrator_options.hpp"
#include "study/run_record.hpp"

namespace kinetune::drivers {
namespace {

/// Flags as they were given; those that were not leave the study file's value or the default.
struct Flags {
  std::string study, resume;
  std::optional<std::string> problem, sampler, start_range, optimizer, integrator, sensitivities,
      sensitivity_errors, linear_solver, steady_state;
  std::optional<std::uint64_t> starts, seed;
  std::optional<double> rtol, atol, gradient_tolerance, fval_tolerance, step_tolerance, start_factor;
  std::optional<std::int64_t> max_iterations, max_evaluations;
  std::optional<int> max_steps, lanes;
  std::string ranks_per_start = "auto", starts_per_rank = "auto";
  std::optional<std::uint64_t> redraws, max_total_evaluations;
  std::optional<double> max_time, max_start_time, max_evaluation_time;
  std::string output = "run.h5";
  bool force = false;
};

/// CLI11 alone reads -3 as 2^64 - 3.
std::string refuse_minus(const std::string& text) {
  return text.starts_with('-') ? text + " is negative" : "";
}

template <class To, class From>
void set(To& to, const std::optional<From>& from) {
  if (from) to = *from;
}

/// @returns nothing for auto
std::optional<int> count_or_auto(std::string_view option, const std::string& text) {
  if (text == "auto") return {};
  int count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end != text.data() + text.size() || count < 1)
    throw core::Error({}, fmt::format("{} is {}", option, text), "give a number from 1, or auto");
  return count;
}

/// @throws core::Error
void set_division(study::FitSession& session, const Flags& flags) {
  session.ranks_per_start = count_or_auto("--ranks-per-start", flags.ranks_per_start);
  session.starts_per_rank = count_or_auto("--starts-per-rank", flags.starts_per_rank);
  if (session.ranks_per_start.value_or(1) > 1 && session.starts_per_rank.value_or(1) > 1) {
    throw core::Error({}, "several ranks to a start and several starts to a rank",
                      "leave out --ranks-per-start or --starts-per-rank");
  }
}

/// @param options  those that flags and study file leave out
study::FitOptions options_of(const Flags& flags, study::FitOptions options) {
  if (!flags.study.empty())
    options = study::FitOptions::from_yaml(core::read_file(flags.study), flags.study, options);
  set(options.problem, flags.problem);
  set(options.sampler.n_starts, flags.starts);
  set(options.sampler.seed, flags.seed);
  if (flags.sampler) options.sampler.method = study::sampling_method(*flags.sampler);
  if (flags.start_range) options.start_range = study::start_range(*flags.start_range);
  set(options.start_factor, flags.start_factor);
  if (flags.optimizer) options.local.method = study::local_method(*flags.optimizer);
  set(options.local.gradient_tolerance, flags.gradient_tolerance);
  set(options.local.fval_tolerance, flags.fval_tolerance);
  set(options.local.step_tolerance, flags.step_tolerance);
  set(options.local.max_iterations, flags.max_iterations);
  set(options.local.max_evaluations, flags.max_evaluations);
  set(options.local.max_seconds, flags.max_start_time);
  set(options.posterior.max_seconds, flags.max_evaluation_time);
  set(options.n_redraws, flags.redraws);
  if (flags.integrator) options.posterior.integrator.method = study::integration_method(*flags.integrator);
  if (flags.sensitivities) options.posterior.sensitivities = study::sensitivities(*flags.sensitivities);
  if (flags.linear_solver)
    options.posterior.integrator.linear_solver = study::linear_solver(*flags.linear_solver);
  set(options.posterior.integrator.lanes, flags.lanes);
  if (flags.sensitivity_errors)
    options.posterior.integrator.sensitivity_errors = study::sensitivity_errors(*flags.sensitivity_errors);
  if (flags.steady_state)
    options.posterior.integrator.steady_state = study::steady_state_search(*flags.steady_state);
  set(options.posterior.integrator.rtol, flags.rtol);
  set(options.posterior.integrator.atol, flags.atol);
  set(options.posterior.integrator.max_steps, flags.max_steps);
  return options;
}

std::string joined(Arguments arguments) {
  std::string line;
  for (int i = 0; i < arguments.count; ++i) line += (i ? " " : "") + std::string(arguments.values[i]);
  return line;
}

/// Another seed or tolerance would make a study of two kinds of starts.
/// @throws core::Error
void refuse_changes_on_resume(const Flags& flags, const CLI::App& command) {
  for (const char* name : {"--force", "--output"}) {
    if (command.get_option(name)->count() == 0) continue;
    throw core::Error({}, fmt::format("{} cannot change when a study is resumed", name),
                      "leave it out, or start a new study");
  }
  const study::FitOptions stored = study::stored_options(flags.resume);
  study::FitOptions wanted = options_of(flags, stored);
  wanted.problem = std::filesystem::absolute(wanted.problem).lexically_normal();
  study::require_same_study(stored, wanted, flags.resume);
}

int run(const Flags& flags, const CLI::App& command, Arguments arguments) {
  const std::string command_line = joined(arguments);
  parallel::MpiSession mpi(arguments.count, arguments.values);
  return parallel::run_guarded(mpi, [&] {
    study::FitSession session;
    session.command_line = command_line;
    set(session.max_seconds, flags.max_time);
    set(session.max_evaluations, flags.max_total_evaluations);
    share_verdict(mpi, [&] {
      if (!(session.max_seconds >= 0)) {
        throw core::Error({}, fmt::format("--max-time is {}", session.max_seconds),
                          "give seconds, not negative");
      }
      set_division(session, flags);
      if (flags.resume.empty()) {
        session.options = options_of(flags, {});
      } else {
        refuse_changes_on_resume(flags, command);
        session.n_starts = flags.starts;
      }
      return "";
    });
    set_division(session, flags);
    session.output = flags.resume.empty() ? flags.output : flags.resume;
    if (!flags.resume.empty()) session.begin = study::FitSession::Begin::resume;
    if (flags.force) session.overwrite = store::Overwrite::yes;
    return study::fit(mpi, session);
  });
}

}  // namespace

void add_fit(CLI::App& app, Action& action) {
  const study::FitOptions defaults;
  auto flags = std::make_shared<Flags>();
  CLI::App& command =
      *app.add_subcommand("fit", "Refine many starts over all MPI ranks and keep the results");
  const auto add = [&](const char* name, auto& value, const char* text, const auto& otherwise) {
    return command.add_option(name, value, text)->default_str(fmt::format("{}", otherwise));
  };
  command.add_option("problem", flags->problem, "PEtab problem (YAML)");
  command.add_option("--study", flags->study, "study file (YAML) with options of starts; flags go before it");
  command.add_option("--resume", flags->resume,
                     "go on with the study of this run file; options beside it must be those of the study");
  add("-o,--output", flags->output, "run file (HDF5)", flags->output);
  command.add_flag("--force", flags->force, "overwrite an existing run file");
  add("--starts", flags->starts, "number of starts; more than before when resuming",
      defaults.sampler.n_starts)
      ->check(refuse_minus);
  add("--seed", flags->seed, "of the study", defaults.sampler.seed)->check(refuse_minus);
  add("--sampler", flags->sampler, "lhs (Latin hypercube), maximin, sobol, multi-jittered or uniform",
      study::name(defaults.sampler.method));
  add("--start-range", flags->start_range,
      "where starts are drawn: priors (PEtab's initialisation priors, else bounds), bounds or nominal",
      study::name(defaults.start_range));
  add("--start-factor", flags->start_factor, "nominal: from a nominal value over this to it times this",
      defaults.start_factor);
  add("--optimizer", flags->optimizer,
      "blmvm, bncg, bqnls or bqnkls (gradient); bnls, bntr or bntl (Gauss-Newton); brgn (least squares)",
      name(defaults.local.method));
  add("--gradient-tolerance", flags->gradient_tolerance, "converged at this projected gradient",
      defaults.local.gradient_tolerance);
  add("--fval-tolerance", flags->fval_tolerance,
      "converged when fval falls by less, relatively, over 10 iterations", defaults.local.fval_tolerance);
  add("--step-tolerance", flags->step_tolerance, "converged at steps this small; 0: never",
      defaults.local.step_tolerance);
  add("--max-iterations", flags->max_iterations, "of a start", defaults.local.max_iterations);
  add("--max-evaluations", flags->max_evaluations, "of a start", defaults.local.max_evaluations);
  add("--max-start-time", flags->max_start_time, "wall seconds of a start", "none");
  add("--max-evaluation-time", flags->max_evaluation_time, "wall seconds of an evaluation, which then fails",
      "none");
  add("--redraws", flags->redraws, "other start vectors to try where the objective fails at one",
      defaults.n_redraws)
      ->check(refuse_minus);
  add("--max-time", flags->max_time, "wall seconds of this session; what is left can be resumed", "none");
  add("--max-total-evaluations", flags->max_total_evaluations,
      "of all starts and sessions together; what is left can be resumed", "none")
      ->check(refuse_minus);
  add("--ranks-per-start", flags->ranks_per_start,
      "ranks that share the conditions of one start; auto: more than one where there are more ranks than "
      "starts",
      flags->ranks_per_start);
  add("--starts-per-rank", flags->starts_per_rank,
      "starts that a rank refines side by side; auto: as many as fill its lanes", flags->starts_per_rank);
  add("--integrator", flags->integrator, "auto (measured once), cvodes, rodas5p or rodas4p2",
      name(defaults.posterior.integrator.method));
  add("--sensitivities", flags->sensitivities, "auto, forward or adjoint",
      study::name(defaults.posterior.sensitivities));
  add("--lanes", flags->lanes,
      "simulations side by side in vector registers: auto (measured once), 1, 4 or 8", "auto")
      ->transform(lane_numbers());
  add("--sensitivity-errors", flags->sensitivity_errors,
      "auto, ignored or controlled: whether those of forward sensitivities count in the steps",
      name(defaults.posterior.integrator.sensitivity_errors));
  add("--linear-solver", flags->linear_solver, "auto, dense or klu",
      study::name(defaults.posterior.integrator.linear_solver));
  add("--steady-state", flags->steady_state, "integrate, or newton first (may find another one)",
      name(defaults.posterior.integrator.steady_state));
  add("--rtol", flags->rtol, "relative tolerance of integration", defaults.posterior.integrator.rtol);
  add("--atol", flags->atol, "absolute tolerance, model units", defaults.posterior.integrator.atol);
  add("--max-steps", flags->max_steps, "steps that may lie between two jumps of a simulation",
      defaults.posterior.integrator.max_steps);
  command.callback([flags, &command, &action] {
    action = [flags, &command](Arguments arguments) { return run(*flags, command, arguments); };
  });
}

}  // namespace kinetune::drivers
