#include <cmath>

#include <gmock/gmock.h>

#include "core/error.hpp"
#include "study/fit_options.hpp"

using namespace kinetune;
using namespace kinetune::study;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

namespace {

/// The message with which a study's text is refused.
std::string refusal(const std::string& text) {
  try {
    FitOptions::from_yaml(text, "study.yaml", {});
  } catch (const core::Error& error) {
    return error.what();
  }
  return "accepted";
}

FitOptions unusual() {
  FitOptions options;
  options.problem = "some folder/my problem.yaml";
  options.sampler = {sample::Method::uniform, 12345678901234, 18446744073709551615u};
  options.local.method = optimize::Method::bntr;
  options.local.gradient_tolerance = 0.1 + 0.2;  // no short decimal
  options.local.fval_tolerance = 1.0 / 3.0;
  options.local.fval_window = 7;
  options.local.step_tolerance = 5e-324;
  options.local.max_iterations = 77;
  options.local.max_evaluations = 9007199254740993;  // no double
  options.local.max_seconds = 12.5;
  options.sampler.extended_at = {3, 77};
  options.start_range = StartRange::nominal;
  options.start_factor = 2.5;
  options.n_redraws = 3;
  options.posterior.max_seconds = 1e-3;
  options.posterior.sensitivities = estimate::Sensitivities::adjoint;
  options.posterior.integrator = {1.7e-7, 3.3e-19, 4321, simulate::LinearSolver::klu,
                                  simulate::Method::rodas4p2};
  options.posterior.integrator.steady_state = simulate::SteadyStateSearch::newton;
  options.posterior.integrator.sensitivity_errors = simulate::SensitivityErrors::ignored;
  return options;
}

}  // namespace

TEST(FitOptions, come_back_from_yaml_to_the_last_bit) {
  const FitOptions before = unusual();
  const FitOptions after = FitOptions::from_yaml(before.to_yaml(), "study", {});

  EXPECT_EQ(after.problem, before.problem);
  EXPECT_EQ(after.sampler.method, before.sampler.method);
  EXPECT_EQ(after.sampler.n_starts, before.sampler.n_starts);
  EXPECT_EQ(after.sampler.seed, before.sampler.seed);
  EXPECT_EQ(after.local.method, before.local.method);
  EXPECT_EQ(after.local.gradient_tolerance, before.local.gradient_tolerance);
  EXPECT_EQ(after.local.fval_tolerance, before.local.fval_tolerance);
  EXPECT_EQ(after.local.fval_window, before.local.fval_window);
  EXPECT_EQ(after.local.step_tolerance, before.local.step_tolerance);
  EXPECT_EQ(after.local.max_iterations, before.local.max_iterations);
  EXPECT_EQ(after.local.max_evaluations, before.local.max_evaluations);
  EXPECT_EQ(after.local.max_seconds, before.local.max_seconds);
  EXPECT_EQ(after.sampler.extended_at, before.sampler.extended_at);
  EXPECT_EQ(after.start_range, before.start_range);
  EXPECT_EQ(after.start_factor, before.start_factor);
  EXPECT_EQ(after.n_redraws, before.n_redraws);
  EXPECT_EQ(after.posterior.max_seconds, before.posterior.max_seconds);
  EXPECT_EQ(after.posterior.sensitivities, before.posterior.sensitivities);
  EXPECT_EQ(after.posterior.integrator.method, before.posterior.integrator.method);
  EXPECT_EQ(after.posterior.integrator.steady_state, before.posterior.integrator.steady_state);
  EXPECT_EQ(after.posterior.integrator.sensitivity_errors, before.posterior.integrator.sensitivity_errors);
  EXPECT_EQ(after.posterior.integrator.rtol, before.posterior.integrator.rtol);
  EXPECT_EQ(after.posterior.integrator.atol, before.posterior.integrator.atol);
  EXPECT_EQ(after.posterior.integrator.max_steps, before.posterior.integrator.max_steps);
  EXPECT_EQ(after.posterior.integrator.linear_solver, before.posterior.integrator.linear_solver);
}

TEST(FitOptions, without_a_limit_of_time_come_back_from_yaml_without_one) {
  const FitOptions after = FitOptions::from_yaml(FitOptions{}.to_yaml(), "study", unusual());
  EXPECT_EQ(after.local.max_seconds, std::numeric_limits<double>::infinity());
  EXPECT_EQ(after.posterior.max_seconds, std::numeric_limits<double>::infinity());
  EXPECT_TRUE(after.sampler.extended_at.empty());
}

TEST(FitOptions, that_a_study_leaves_out_keep_the_values_they_had) {
  const FitOptions options = FitOptions::from_yaml("starts: 5\noptimizer: bqnls\n", "study.yaml", unusual());
  EXPECT_EQ(options.sampler.n_starts, 5u);
  EXPECT_EQ(options.local.method, optimize::Method::bqnls);
  EXPECT_EQ(options.sampler.method, sample::Method::uniform);
  EXPECT_EQ(options.posterior.integrator.max_steps, 4321);
}

TEST(FitOptions, that_do_not_exist_are_refused_with_their_line) {
  EXPECT_THAT(refusal("starts: 5\n\nstart: 6\n"),
              AllOf(StartsWith("study.yaml:3: "), HasSubstr("'start' is no option")));
  EXPECT_THAT(refusal("starts: 5\n[a, b]: 6\n"), StartsWith("study.yaml:2: "));
}

TEST(FitOptions, of_the_wrong_kind_are_refused_with_their_line) {
  for (const std::string value : {"many", "-3", "[1, 2]", "1.5", "{a: 1}", ""}) {
    EXPECT_THAT(refusal("seed: 3\nstarts: " + value + "\n"),
                AllOf(StartsWith("study.yaml:2: "), HasSubstr("'starts'")))
        << value;
  }
  EXPECT_THAT(refusal("rtol: fast\n"), AllOf(StartsWith("study.yaml:1: "), HasSubstr("'rtol'")));
  EXPECT_THAT(refusal("seed: 1\noptimizer: newton\n"),
              AllOf(StartsWith("study.yaml:2: "), HasSubstr("'newton' is no optimizer"),
                    HasSubstr("blmvm, bncg, bqnls")));
}

TEST(FitOptions, that_are_no_yaml_or_no_list_are_refused) {
  EXPECT_THAT(refusal("starts: 5\noptimizer: [blmvm\n"), StartsWith("study.yaml:"));
  EXPECT_THAT(refusal("- starts\n- 5\n"), StartsWith("study.yaml:1: "));
  EXPECT_THAT(refusal(""), StartsWith("study.yaml:1: "));
}

TEST(FitOptions, that_cannot_be_meant_are_refused) {
  const auto broken = [](auto&& change) {
    FitOptions options;
    options.problem = "problem.yaml";
    EXPECT_NO_THROW(options.validate());
    change(options);
    EXPECT_THROW(options.validate(), core::Error);
  };
  broken([](FitOptions& o) { o.problem.clear(); });
  broken([](FitOptions& o) { o.sampler.n_starts = 0; });
  broken([](FitOptions& o) { o.local.gradient_tolerance = -1; });
  broken([](FitOptions& o) { o.local.max_evaluations = 0; });
  broken([](FitOptions& o) { o.posterior.integrator.rtol = 0; });
  broken([](FitOptions& o) { o.posterior.integrator.atol = std::nan(""); });
  broken([](FitOptions& o) { o.posterior.integrator.max_steps = 0; });
}

TEST(FitOptions, of_a_study_that_is_resumed_may_differ_in_what_does_not_change_its_starts) {
  FitOptions stored;
  stored.problem = "problem.yaml";
  stored.posterior.integrator.method = simulate::Method::rodas5p;
  stored.posterior.integrator.lanes = 4;
  FitOptions wanted = stored;
  wanted.posterior.integrator.method = simulate::Method::automatic;
  wanted.posterior.integrator.lanes = 0;
  wanted.sampler.n_starts += 5;
  EXPECT_NO_THROW(require_same_study(stored, wanted, "run.h5"));

  const auto refusal = [&](auto&& change) -> std::string {
    FitOptions other = stored;
    change(other);
    try {
      require_same_study(stored, other, "run.h5");
    } catch (const core::Error& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_THAT(refusal([](FitOptions& o) { o.posterior.integrator.rtol = 1e-6; }),
              StartsWith("run.h5: 'rtol' is 1e-08 in this study and cannot change to 1e-06"));
  EXPECT_THAT(refusal([](FitOptions& o) { o.posterior.integrator.method = simulate::Method::cvodes; }),
              HasSubstr("'integrator' is rodas5p"));
  EXPECT_THAT(refusal([](FitOptions& o) { o.problem = "other.yaml"; }), HasSubstr("'problem'"));
}

TEST(FitOptions, have_choices_whose_names_read_back) {
  for (const auto m : {sample::Method::uniform, sample::Method::latin_hypercube, sample::Method::maximin,
                       sample::Method::sobol, sample::Method::multi_jittered})
    EXPECT_EQ(sampling_method(name(m)), m);
  for (const auto r : {StartRange::priors, StartRange::bounds, StartRange::nominal})
    EXPECT_EQ(start_range(name(r)), r);
  for (const auto m : optimize::methods) EXPECT_EQ(local_method(optimize::name(m)), m);
  for (const auto s : {estimate::Sensitivities::automatic, estimate::Sensitivities::forward,
                       estimate::Sensitivities::adjoint})
    EXPECT_EQ(sensitivities(name(s)), s);
  for (const auto s :
       {simulate::LinearSolver::automatic, simulate::LinearSolver::dense, simulate::LinearSolver::klu})
    EXPECT_EQ(linear_solver(name(s)), s);
}
