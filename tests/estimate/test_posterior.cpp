#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <string>

#include <gmock/gmock.h>

#include "core/error.hpp"
#include "estimate/chain.hpp"

using namespace kinetune;
using namespace kinetune::estimate;
using namespace kinetune::estimate::test;
using optimize::Order;
using testing::HasSubstr;

namespace {

class Chain : public testing::Test {
 protected:
  Chain() {
    write_chain(files_);
    joined_ = files_.joined();
  }

  Posterior posterior(Sensitivities sensitivities = Sensitivities::forward) const {
    return make_posterior(joined_, {{.rtol = 1e-11, .atol = 1e-14}, sensitivities});
  }

  ProblemFiles files_;
  Joined joined_;
};

double norm(const std::vector<double>& v) {
  return std::sqrt(std::inner_product(v.begin(), v.end(), v.begin(), 0.0));
}

std::vector<double> difference(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> d;
  std::ranges::transform(a, b, std::back_inserter(d), std::minus{});
  return d;
}

}  // namespace

TEST_F(Chain, has_its_parameters_on_their_scales) {
  std::vector<std::string> ids;
  for (const auto& p : joined_.problem.parameters) ids.push_back(p.id);
  ASSERT_EQ(ids, chain_ids);
  EXPECT_DOUBLE_EQ(joined_.problem.parameters[0].lower_bound, -3.0);
  EXPECT_DOUBLE_EQ(joined_.problem.parameters[1].upper_bound, std::log(1e3));
  EXPECT_DOUBLE_EQ(joined_.problem.parameters[2].upper_bound, 20.0);
  EXPECT_DOUBLE_EQ(joined_.problem.parameters[1].nominal, std::log(0.3));
}

TEST_F(Chain, has_the_likelihood_and_prior_of_its_closed_form) {
  Posterior p = posterior();
  const auto terms = p.assess(chain_x, Order::value);

  ASSERT_TRUE(terms);
  EXPECT_NEAR(terms->llh, chain_llh(chain_x), 1e-8 * std::fabs(chain_llh(chain_x)));
  EXPECT_NEAR(terms->prior, chain_prior(chain_x), 1e-12);
  EXPECT_NEAR(terms->fval(), chain_prior(chain_x) - chain_llh(chain_x), 1e-7);
  EXPECT_TRUE(terms->gradient.empty());
}

TEST_F(Chain, has_the_chi2_of_its_residuals) {
  double chi2 = 0;
  for (const ChainRow& row : chain_rows) {
    const auto [value, sigma] = chain_prediction(row, chain_x);
    const std::string observable = row.observable;
    const double difference = observable == "yA"   ? row.measurement - value
                              : observable == "yB" ? std::log10(row.measurement / value)
                                                   : std::log(row.measurement / value);
    chi2 += std::pow(difference / sigma, 2);
  }
  Posterior p = posterior();
  EXPECT_NEAR(p.assess(chain_x, Order::value)->chi2, chi2, 1e-7 * chi2);
}

TEST_F(Chain, has_the_gradient_of_its_closed_form_by_forward_and_adjoint_sensitivities) {
  for (const auto method : {Sensitivities::forward, Sensitivities::adjoint}) {
    Posterior p = posterior(method);
    const auto terms = p.assess(chain_x, Order::gradient);
    ASSERT_TRUE(terms);
    for (std::size_t i = 0; i < chain_x.size(); ++i) {
      const double prior = chain_derivative(chain_prior, chain_x, i);
      const double fval = prior - chain_derivative(chain_llh, chain_x, i);
      EXPECT_NEAR(terms->gradient[i], fval, 1e-7 * norm(terms->gradient)) << chain_ids[i];
      EXPECT_NEAR(terms->gradient_prior[i], prior, 1e-8 + 1e-8 * std::fabs(prior)) << chain_ids[i];
    }
  }
}

TEST_F(Chain, has_as_gauss_newton_matrix_the_fisher_information_and_the_priors_curvature) {
  std::vector<double> expected = chain_fisher(chain_x);
  expected[0 * 6 + 0] += 1.0 / 0.25;
  expected[2 * 6 + 2] += 1.0;

  for (const auto method : {Sensitivities::forward, Sensitivities::adjoint}) {
    Posterior p = posterior(method);
    const auto evaluation = p.evaluate(chain_x, Order::gauss_newton);
    ASSERT_TRUE(evaluation);
    ASSERT_EQ(evaluation->gauss_newton.size(), 36u);
    for (std::size_t i = 0; i < 6; ++i) {
      for (std::size_t j = 0; j < 6; ++j) {
        const double size = std::sqrt(expected[i * 6 + i] * expected[j * 6 + j]);
        EXPECT_NEAR(evaluation->gauss_newton[i * 6 + j], expected[i * 6 + j], 1e-6 * size)
            << chain_ids[i] << ", " << chain_ids[j];
      }
    }
  }
}

TEST_F(Chain, has_forward_and_adjoint_gradients_that_agree_at_default_tolerances) {
  Posterior forward = make_posterior(joined_, {{}, Sensitivities::forward});
  Posterior adjoint = make_posterior(joined_, {{}, Sensitivities::adjoint});
  EXPECT_EQ(forward.sensitivities(), Sensitivities::forward);
  EXPECT_EQ(adjoint.sensitivities(), Sensitivities::adjoint);

  const auto by_forward = forward.evaluate(chain_x, Order::gradient)->gradient;
  const auto by_adjoint = adjoint.evaluate(chain_x, Order::gradient)->gradient;

  EXPECT_LT(norm(difference(by_forward, by_adjoint)), 1e-5 * norm(by_forward));
}

TEST_F(Chain, gives_details_in_the_order_of_the_measurement_table) {
  Posterior p = posterior();
  Details details;
  ASSERT_TRUE(p.assess(chain_x, Order::value, &details));

  ASSERT_EQ(details.values.size(), chain_rows.size());
  for (std::size_t i = 0; i < chain_rows.size(); ++i) {
    const auto [value, sigma] = chain_prediction(chain_rows[i], chain_x);
    EXPECT_NEAR(details.values[i], value, 1e-8 * value) << "row " << i;
    EXPECT_NEAR(details.noise[i], sigma, 1e-8 * sigma) << "row " << i;
  }
  ASSERT_EQ(details.simulations.size(), 2u);
  EXPECT_EQ(details.simulations[0].condition_id, "high");  // in the order in which the table names them
  EXPECT_EQ(details.simulations[1].condition_id, "low");
  for (const auto& s : details.simulations) {
    EXPECT_EQ(s.outcome, SimulationStatus::Outcome::ok);
    EXPECT_GT(s.statistics.steps, 0);
  }
}

TEST_F(Chain, gives_the_same_bits_whatever_was_evaluated_before) {
  Posterior p = posterior();
  const auto first = p.evaluate(chain_x, Order::gauss_newton);
  (void)p.evaluate(std::vector<double>{0.7, 1.0, 8.0, 0.4, 0.1, 0.5}, Order::gradient);
  const auto again = p.evaluate(chain_x, Order::gauss_newton);

  EXPECT_EQ(first->fval, again->fval);
  EXPECT_EQ(first->gradient, again->gradient);
  EXPECT_EQ(first->gauss_newton, again->gauss_newton);
}

TEST_F(Chain, evaluates_to_the_same_bits_after_a_journey_as_bytes) {
  const jit::ModelCode code = jit::compile(joined_.sources.front());
  for (const auto method : {Sensitivities::forward, Sensitivities::adjoint}) {
    Posterior here(joined_.problem, {code}, {{}, method});
    Posterior there(Problem::from_bytes(joined_.problem.to_bytes()),
                    {jit::ModelCode::from_bytes(code.to_bytes())}, {{}, method});
    const auto a = here.evaluate(chain_x, Order::gradient), b = there.evaluate(chain_x, Order::gradient);
    EXPECT_EQ(a->fval, b->fval);
    EXPECT_EQ(a->gradient, b->gradient);
  }
}

TEST_F(Chain, evaluates_to_the_same_bits_whichever_process_carries_a_share_out) {
  for (const auto method : {Sensitivities::forward, Sensitivities::adjoint}) {
    Posterior whole = posterior(method), other = posterior(method), third = posterior(method);
    ASSERT_EQ(whole.n_shares(), 2u);
    (void)third.evaluate(std::vector<double>{0.7, 1.0, 8.0, 0.4, 0.1, 0.5}, Order::gradient);
    const auto expected = whole.assess(chain_x, Order::gradient);
    whole.set_carrier([&](std::span<const double> x, Order order) {
      ShareOutcomes second = other.evaluate_shares(x, order, std::array<std::size_t, 1>{1});
      ShareOutcomes both = third.evaluate_shares(x, order, std::array<std::size_t, 1>{0});
      both.sums.push_back(second.sums.front());
      return both;
    });
    const auto found = whole.assess(chain_x, Order::gradient);
    EXPECT_EQ(found->llh, expected->llh);
    EXPECT_EQ(found->chi2, expected->chi2);
    EXPECT_EQ(found->prior, expected->prior);
    EXPECT_EQ(found->gradient, expected->gradient);
  }
}

TEST_F(Chain, chooses_forward_sensitivities_for_few_parameters) {
  EXPECT_EQ(posterior(Sensitivities::automatic).sensitivities(), Sensitivities::forward);
}

TEST_F(Chain, names_the_parameter_that_is_outside_its_priors_support) {
  files_.write("parameters.tsv",
               "parameterId\tparameterScale\tlowerBound\tupperBound\tnominalValue\testimate\t"
               "objectivePriorType\tobjectivePriorParameters\n"
               "k1\tlog10\t1e-3\t1e3\t0.8\t1\tuniform\t0.5;2\n"
               "k2\tlog\t1e-3\t1e3\t0.3\t0\t\t\n"
               "a_high\tlin\t0.1\t20\t4\t0\t\t\n"
               "scale\tlin\t0.1\t10\t1.3\t0\t\t\n"
               "offset_high\tlin\t\t\t0.3\t0\t\t\n"
               "sigma_B\tlog10\t1e-3\t10\t0.1\t0\t\t\n"
               "s_rel\tlin\t0\t1\t0.08\t0\t\t\n");
  Posterior p = make_posterior(files_.joined());

  EXPECT_TRUE(p.evaluate(std::vector{std::log10(0.6)}, Order::gradient));
  const auto outside = p.evaluate(std::vector{std::log10(0.4)}, Order::gradient);
  ASSERT_FALSE(outside);
  EXPECT_EQ(outside.error().reason, "outside the prior's support: k1");
}

TEST(Posterior, leaves_evaluations_that_a_rosenbrock_method_fails_at_to_cvodes) {
  const Joined joined = ProblemFiles().joined();
  const std::vector<double> x{-0.1, 4.0};
  // At tight tolerances a method of order 4 needs many more steps than CVODES: let it have only as many.
  PosteriorOptions options{
      .integrator = {.rtol = 1e-12, .atol = 1e-16, .max_steps = 100000, .method = simulate::Method::cvodes},
      .sensitivities = Sensitivities::forward};
  const jit::ModelCode code = jit::compile(joined.sources.front(), {.derivatives = jit::Derivatives::second});
  Details details;
  Posterior cvodes(joined.problem, {code}, options);
  const auto expected = cvodes.assess(x, Order::gradient, &details);
  ASSERT_TRUE(expected);
  EXPECT_FALSE(expected->has_fallen_back);
  long most = 0;
  for (const auto& s : details.simulations) most = std::max(most, s.statistics.steps);
  options.integrator.max_steps = static_cast<int>(most) + 10;
  options.integrator.method = simulate::Method::rodas4p2;

  // CVODES has only those shares to carry out that the other method fails at.
  options.fallback = Fallback::none;
  Posterior rosenbrock(joined.problem, {code}, options);
  EXPECT_FALSE(rosenbrock.evaluate(x, Order::gradient));
  ShareOutcomes shares;
  long n_failed = 0;
  for (std::size_t share = 0; share < rosenbrock.n_shares(); ++share) {
    auto outcomes = rosenbrock.evaluate_shares(x, Order::gradient, std::array{share});
    n_failed += outcomes.failure ? 1 : 0;
    if (outcomes.failure) outcomes = cvodes.evaluate_shares(x, Order::gradient, std::array{share});
    shares.sums.push_back(outcomes.sums.front());
  }
  cvodes.set_carrier([&](auto, auto) { return shares; });
  const auto mixed = cvodes.assess(x, Order::gradient);

  options.fallback = Fallback::other_methods;
  Posterior posterior(joined.problem, {code}, options);
  for (int repeat = 0; repeat < 2; ++repeat) {
    const auto found = posterior.assess(x, Order::gradient, &details);
    ASSERT_TRUE(found) << found.error().reason;
    EXPECT_EQ(found->llh, mixed->llh);
    EXPECT_EQ(found->gradient, mixed->gradient);
    EXPECT_NEAR(found->llh, expected->llh, 1e-8 * std::fabs(expected->llh));
    long n_fallbacks = 0;
    for (const auto& s : details.simulations) n_fallbacks += s.statistics.fallbacks;
    EXPECT_EQ(n_fallbacks, n_failed);
    EXPECT_TRUE(found->has_fallen_back);
    EXPECT_TRUE(posterior.evaluate(x, Order::gradient)->has_fallen_back);
  }

  // That an adjoint was asked for says nothing of CVODES, which takes what suits the number of parameters.
  options.sensitivities = Sensitivities::adjoint;
  ASSERT_TRUE(Posterior(joined.problem, {code}, options).assess(x, Order::gradient, &details));
  long n_fallbacks = 0;
  for (const auto& s : details.simulations) {
    if (s.statistics.fallbacks == 0) continue;
    ++n_fallbacks;
    EXPECT_EQ(s.statistics.backward_steps, 0);
  }
  EXPECT_GT(n_fallbacks, 0);
}

TEST(Posterior, leaves_gradients_that_an_adjoint_fails_at_to_forward_sensitivities) {
  // A state that decays by e^800 until it is measured: its adjoint grows beyond all numbers on the way back.
  ProblemFiles files;
  files.write("measurements.tsv",
              "observableId\tsimulationConditionId\ttime\tmeasurement\nyA\tlow\t800\t0\nyB\tlow\t800\t0.9\n");
  std::string sbml = chain_sbml;
  const std::string law = "<ci>cell</ci><ci>k1</ci><ci>A</ci>";
  sbml.replace(sbml.find(law), law.size(), "<ci>cell</ci><cn>-1</cn><ci>A</ci>");
  const std::string start = "<math xmlns='http://www.w3.org/1998/Math/MathML'><ci>a0</ci></math>";
  sbml.replace(sbml.find(start), start.size(),
               "<math xmlns='http://www.w3.org/1998/Math/MathML'><cn>0</cn></math>");
  files.write("model.xml", sbml);
  const Joined joined = files.joined();
  PosteriorOptions options{.integrator = {.method = simulate::Method::cvodes},
                           .sensitivities = Sensitivities::adjoint,
                           .fallback = Fallback::none};
  const std::vector<double> x{-0.1, 4.0};
  EXPECT_FALSE(make_posterior(joined, options).evaluate(x, Order::gradient));
  options.fallback = Fallback::other_methods;
  Posterior posterior = make_posterior(joined, options);
  const auto found = posterior.evaluate(x, Order::gradient);
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->has_fallen_back);
}

TEST(Posterior, leaves_forward_gradients_that_are_not_finite_to_forward_sensitivities_of_cvodes) {
  // x' = v, y' = x^n, from 0: y = v^n t^(n + 1) / (n + 1). At n = 1 the derivative of a Rosenbrock step by n
  // has d2 x^n / dx dn = 1 + log 0.
  ProblemFiles files;
  files.write("model.xml", R"(<?xml version='1.0' encoding='UTF-8'?>
<sbml xmlns='http://www.sbml.org/sbml/level3/version2/core' level='3' version='2'><model id='m'>
<listOfParameters><parameter id='x' value='0' constant='false'/><parameter id='y' value='0' constant='false'/>
<parameter id='v' value='1' constant='true'/><parameter id='n' value='1' constant='true'/></listOfParameters>
<listOfRules>
<rateRule variable='x'><math xmlns='http://www.w3.org/1998/Math/MathML'><ci>v</ci></math></rateRule>
<rateRule variable='y'><math xmlns='http://www.w3.org/1998/Math/MathML'><apply><power/><ci>x</ci><ci>n</ci></apply></math></rateRule>
</listOfRules></model></sbml>
)");
  files.write("conditions.tsv", "conditionId\nonly\n");
  files.write("parameters.tsv",
              "parameterId\tparameterScale\tlowerBound\tupperBound\tnominalValue\testimate\n"
              "v\tlin\t0\t9\t0.6\t1\nn\tlin\t0\t9\t1\t1\n");
  files.write("observables.tsv", "observableId\tobservableFormula\tnoiseFormula\nobs\ty\t1\npower\tx^n\t1\n");
  files.write(
      "measurements.tsv",
      "observableId\tsimulationConditionId\ttime\tmeasurement\npower\tonly\t0\t0\nobs\tonly\t1.7\t0\n");
  const Joined joined = files.joined();
  const jit::ModelCode code = jit::compile(joined.sources.front(), {.derivatives = jit::Derivatives::second});
  PosteriorOptions options{.integrator = {.method = simulate::Method::rodas5p},
                           .sensitivities = Sensitivities::forward,
                           .fallback = Fallback::none};
  const double v = 0.6, t = 1.7, y = v * t * t / 2;
  const std::vector<double> x{v, 1.0};
  Details details;

  for (const Order order : {Order::gradient, Order::gauss_newton}) {
    const auto none = Posterior(joined.problem, {code}, options).assess(x, order, &details);
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().reason, "gradient is not finite");
    EXPECT_EQ(none.error().condition, "only");
    EXPECT_EQ(none.error().time, t);
    EXPECT_EQ(details.simulations[0].outcome, SimulationStatus::Outcome::no_forward);
  }
  options.fallback = Fallback::other_methods;
  for (const Order order : {Order::gradient, Order::gauss_newton}) {
    const auto found = Posterior(joined.problem, {code}, options).assess(x, order, &details);
    ASSERT_TRUE(found) << found.error().reason;
    EXPECT_NEAR(found->gradient[0], y * y / v, 1e-6);
    EXPECT_NEAR(found->gradient[1], y * y * (std::log(v * t) - 0.5), 1e-6);
    EXPECT_TRUE(found->has_fallen_back);
    EXPECT_EQ(details.simulations[0].statistics.fallbacks, 1);
    EXPECT_EQ(details.simulations[0].statistics.backward_steps, 0);
  }

  // At n = 1/2 the observable at time 0 has an infinite derivative.
  options = {.integrator = {.method = simulate::Method::cvodes},
             .sensitivities = Sensitivities::adjoint,
             .fallback = Fallback::none};
  const auto none = Posterior(joined.problem, {code}, options).evaluate(std::vector{v, 0.5}, Order::gradient);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().reason, "gradient is not finite");
  EXPECT_EQ(none.error().condition, "only");
}

TEST(Posterior, names_condition_and_time_of_a_simulation_that_fails) {
  ProblemFiles files;
  // x' = k1 x^2, x(0) = 1: blows up at 1 / k1.
  files.write("model.xml", R"(<?xml version='1.0' encoding='UTF-8'?>
<sbml xmlns='http://www.sbml.org/sbml/level3/version2/core' level='3' version='2'><model id='m'>
<listOfParameters><parameter id='x' value='1' constant='false'/><parameter id='k1' value='1' constant='true'/></listOfParameters>
<listOfRules><rateRule variable='x'><math xmlns='http://www.w3.org/1998/Math/MathML'><apply><times/><ci>k1</ci><ci>x</ci><ci>x</ci></apply></math></rateRule></listOfRules>
</model></sbml>
)");
  files.write("conditions.tsv", "conditionId\tx\nsmall\t0.01\nlarge\t1\n");
  files.write("parameters.tsv",
              "parameterId\tparameterScale\tlowerBound\tupperBound\tnominalValue\testimate\n"
              "k1\tlog10\t1e-3\t1e3\t0.5\t1\n");
  files.write("observables.tsv", "observableId\tobservableFormula\tnoiseFormula\ny\tx\t1\n");
  files.write("measurements.tsv",
              "observableId\tsimulationConditionId\ttime\tmeasurement\n"
              "y\tsmall\t3\t1\ny\tlarge\t3\t1\n");
  const Joined joined = files.joined();

  for (const auto method : {Sensitivities::forward, Sensitivities::adjoint}) {
    Posterior p = make_posterior(joined, {{}, method});
    for (const Order order : {Order::value, Order::gradient, Order::gauss_newton}) {
      const auto result = p.evaluate(std::vector{std::log10(0.5)}, order);
      ASSERT_FALSE(result);
      EXPECT_EQ(result.error().condition, "large");
      EXPECT_NEAR(result.error().time, 2.0, 0.02);
      EXPECT_FALSE(result.error().reason.empty());
    }
    EXPECT_TRUE(p.evaluate(std::vector{std::log10(0.2)}, Order::gradient)) << "a failure leaves no trace";
  }

  Posterior p = make_posterior(joined);
  Details details;
  EXPECT_FALSE(p.assess(std::vector{std::log10(0.5)}, Order::value, &details));
  ASSERT_EQ(details.simulations.size(), 2u);
  EXPECT_EQ(details.simulations[0].outcome, SimulationStatus::Outcome::ok);
  EXPECT_EQ(details.simulations[1].outcome, SimulationStatus::Outcome::not_integrated);
}

TEST(Posterior, says_too_many_steps_when_they_are) {
  ProblemFiles files;
  Posterior p = make_posterior(files.joined(), {{.max_steps = 5}, Sensitivities::forward});
  const auto result = p.evaluate(std::vector{0.0, 4.0}, Order::gradient);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().reason, "too many steps");
}

TEST(Posterior, names_the_observable_that_has_no_logarithm) {
  ProblemFiles files;
  files.write("observables.tsv",
              "observableId\tobservableFormula\tobservableTransformation\tnoiseFormula\n"
              "yA\tA\tlin\t0.1\nyB\tB - 2\tlog\t0.2\n");
  Posterior p = make_posterior(files.joined());

  Details details;
  const auto result = p.assess(std::vector{0.0, 4.0}, Order::gradient, &details);

  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().reason, "observable yB is not positive and has no logarithm");
  EXPECT_EQ(result.error().condition, "low");
  EXPECT_EQ(result.error().time, 2.0);
  EXPECT_EQ(details.simulations[0].outcome, SimulationStatus::Outcome::no_density);
  // The simulated value is known all the same: B(2) - 2 with k1 = 1, k2 = 0.2, a0 = 1.5.
  EXPECT_NEAR(details.values[2], 1.5 / (0.2 - 1.0) * (std::exp(-2.0) - std::exp(-0.4)) - 2.0, 1e-6);
}

TEST(Posterior, names_the_observable_whose_noise_is_not_positive) {
  ProblemFiles files;
  files.write("observables.tsv",
              "observableId\tobservableFormula\tnoiseFormula\nyA\tA\tA - 10\nyB\tB\t0.2\n");
  Posterior p = make_posterior(files.joined());
  const auto result = p.evaluate(std::vector{0.0, 4.0}, Order::gradient);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().reason, "noise of observable yA is not positive");
}

TEST_F(Chain, with_normal_noise_is_half_a_sum_of_squares_and_a_constant) {
  joined_.problem.parts.front().observables[2].noise = petab::NoiseDistribution::normal;
  joined_.problem.parameters[5].prior.reset();
  Posterior p = posterior();
  const auto terms = p.assess(chain_x, Order::gradient);
  const auto squares = p.evaluate(chain_x, Order::least_squares);

  ASSERT_EQ(p.why_no_least_squares(), "");
  ASSERT_TRUE(terms && squares);
  const std::size_t n = chain_x.size(), n_rows = squares->residuals.size();
  EXPECT_EQ(n_rows, 2 * chain_rows.size() + 2);  // two normal priors
  std::vector<double> other_x = chain_x;
  for (double& value : other_x) value += 0.05;
  const auto other = p.evaluate(other_x, Order::least_squares);
  ASSERT_TRUE(other);
  EXPECT_NEAR(squares->fval - 0.5 * std::pow(norm(squares->residuals), 2),
              other->fval - 0.5 * std::pow(norm(other->residuals), 2), 1e-9);
  EXPECT_DOUBLE_EQ(squares->fval, terms->fval());
  EXPECT_NEAR(std::fabs(squares->residuals[0]),
              std::fabs(std::log10(1.9) - std::log10(chain_prediction(chain_rows[0], chain_x).value)) /
                  chain_prediction(chain_rows[0], chain_x).sigma,
              1e-8);
  for (std::size_t q = 0; q < n; ++q) {
    double slope = 0.0;
    for (std::size_t r = 0; r < n_rows; ++r) slope += squares->residuals[r] * squares->jacobian[r * n + q];
    EXPECT_NEAR(slope, terms->gradient[q], 1e-7 * std::max(1.0, std::fabs(terms->gradient[q])))
        << chain_ids[q];
  }
}

TEST_F(Chain, with_laplace_noise_is_no_least_squares_problem) {
  Posterior p = posterior();
  EXPECT_EQ(p.why_no_least_squares(), "the noise of observable yS is not normal");
}
