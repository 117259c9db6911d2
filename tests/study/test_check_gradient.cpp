#include <cmath>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "estimate/chain.hpp"
#include "study/check_gradient.hpp"

using namespace kinetune;
using namespace kinetune::estimate::test;
using study::Trust;
using testing::HasSubstr;

namespace {

class CheckGradient : public testing::Test {
 protected:
  CheckGradient() {
    write_chain(files);
    options.problem = files.yaml();
    options.n_random = 2;
  }

  ProblemFiles files;
  study::CheckGradientOptions options;
};

/// One condition and one estimated parameter p beside k1, in observables that hold A at time 0, which is 1.5;
/// measured are 1.4.
void write_single(ProblemFiles& files, const std::string& row_of_p, const std::string& observable,
                  const std::string& noise) {
  files.write("conditions.tsv", "conditionId\ta0\nonly\t1.5\n");
  files.write("parameters.tsv",
              "parameterId\tparameterScale\tlowerBound\tupperBound\tnominalValue\testimate\t"
              "objectivePriorType\tobjectivePriorParameters\n"
              "k1\tlog10\t1e-3\t1e3\t0.8\t1\t\t\np\t" +
                  row_of_p + "\n");
  files.write("observables.tsv",
              "observableId\tobservableFormula\tnoiseFormula\ny\t" + observable + "\t" + noise + "\n");
  files.write("measurements.tsv",
              "observableId\tsimulationConditionId\ttime\tmeasurement\ny\tonly\t0\t1.4\n");
}

double chain_slope(const std::vector<double>& x, std::size_t i) {
  return chain_derivative([](const auto& at) { return chain_prior(at) - chain_llh(at); }, x, i);
}

}  // namespace

TEST_F(CheckGradient, finds_that_forward_adjoint_and_differences_agree_with_the_closed_form) {
  const auto check = study::check_gradient(options);

  EXPECT_TRUE(check.can_be_trusted());
  ASSERT_EQ(check.points.size(), 3u);
  EXPECT_EQ(check.points[0].name, "nominal");
  EXPECT_EQ(check.points[2].name, "random 1");
  EXPECT_EQ(check.parameter_ids, chain_ids);
  const auto& nominal = check.points[0];
  EXPECT_EQ(nominal.trust, Trust::yes);
  for (std::size_t i = 0; i < chain_ids.size(); ++i) {
    const double expected = chain_slope(nominal.x, i);
    EXPECT_NEAR(nominal.gradient[i].forward, expected, 1e-4) << chain_ids[i];
    EXPECT_NEAR(nominal.gradient[i].adjoint, expected, 1e-4) << chain_ids[i];
    EXPECT_NEAR(nominal.gradient[i].difference.value().value, expected, 1e-4) << chain_ids[i];
  }
}

TEST_F(CheckGradient, starts_from_the_point_that_a_table_gives) {
  options.parameters = files.write("x.tsv", "parameterId\tscaledValue\nk1\t-0.4\n").path("x.tsv");
  options.n_random = 0;
  const auto check = study::check_gradient(options);
  ASSERT_EQ(check.points.size(), 1u);
  EXPECT_EQ(check.points[0].name, "given");
  EXPECT_EQ(check.points[0].x[0], -0.4);
}

TEST_F(CheckGradient, takes_differences_at_as_many_points_as_asked_for) {
  options.n_differences = 1;
  const auto check = study::check_gradient(options);
  EXPECT_TRUE(check.points[0].forward_difference);
  EXPECT_FALSE(check.points[1].forward_difference);
}

TEST_F(CheckGradient, shows_each_point_as_soon_as_it_is_done) {
  std::vector<std::string> seen;
  study::check_gradient(options, [&](const auto& so_far) { seen.push_back(so_far.points.back().name); });
  EXPECT_EQ(seen, (std::vector<std::string>{"nominal", "random 0", "random 1"}));
}

TEST_F(CheckGradient, looks_along_random_directions_on_request) {
  options.n_directions = 3;
  options.integrator = {.rtol = 1e-5, .atol = 1e-8, .method = simulate::Method::cvodes};
  const auto coarse = study::check_gradient(options);
  options.integrator = {.rtol = 1e-10, .atol = 1e-14, .method = simulate::Method::cvodes};
  const auto fine = study::check_gradient(options);
  for (const auto& point : fine.points) {
    EXPECT_EQ(point.trust, Trust::yes) << point.name;
    EXPECT_LT(point.forward_difference.value(), 1e-6);
    EXPECT_FALSE(point.gradient[0].difference);
  }
  EXPECT_GT(coarse.points[0].forward_difference.value(), 10 * fine.points[0].forward_difference.value());
}

TEST_F(CheckGradient, takes_differences_again_of_better_values_where_they_do_not_confirm) {
  options.integrator = {.rtol = 1e-5, .atol = 1e-9, .method = simulate::Method::rodas5p};
  options.tight = {.rtol = 1e-5, .atol = 1e-9, .method = simulate::Method::cvodes};
  options.tolerance = 1e-5;
  options.n_random = 0;
  const auto point = study::check_gradient(options).points[0];
  EXPECT_EQ(point.trust, Trust::yes);
  EXPECT_LT(point.uncertainty.value(), 1e-5);
}

TEST_F(CheckGradient, names_conditions_and_parameters_where_methods_do_not_agree) {
  options.integrator.method = simulate::Method::cvodes;
  options.tolerance = 1e-15;  // beyond what CVODES' methods can share
  options.n_random = 0;
  const auto check = study::check_gradient(options);
  EXPECT_FALSE(check.can_be_trusted());
  EXPECT_THAT(check.points[0].conditions, testing::UnorderedElementsAre("high", "low"));
  EXPECT_THAT(check.text_of(check.points[0]), HasSubstr("nominal: NOT to be trusted"));
  EXPECT_THAT(check.text_of(check.points[0]), HasSubstr("k1: forward "));
  EXPECT_EQ(check.points[0].gradient[0].trust, Trust::no);
  EXPECT_THAT(check.text_of(check.points[0]), HasSubstr("k1 (deviates)"));
  EXPECT_THAT(check.text_of(check.points[0]), HasSubstr("in condition low"));
}

TEST_F(CheckGradient, does_not_trust_a_problem_that_has_values_but_no_sensitivities) {
  std::string sbml = chain_sbml;
  const std::string law = "<ci>cell</ci><ci>k2</ci><ci>B</ci>";
  sbml.replace(sbml.find(law), law.size(),
               "<ci>cell</ci><ci>k2</ci><apply><csymbol encoding='text' "
               "definitionURL='http://www.sbml.org/sbml/symbols/delay'>delay</csymbol><ci>B</ci><cn>0.5</cn>"
               "</apply>");
  files.write("model.xml", sbml);
  options.n_random = 0;
  const auto check = study::check_gradient(options);
  EXPECT_FALSE(check.can_be_trusted());
  EXPECT_THAT(check.points[0].failure, HasSubstr("forward: no sensitivities"));
  EXPECT_THAT(check.points[0].failure, HasSubstr("condition "));
}

TEST_F(CheckGradient, has_nothing_to_judge_where_there_is_no_value) {
  // yB is B on a logarithmic scale; with so slow a first reaction it is 0 to rounding.
  options.parameters = files.write("x.tsv", "parameterId\tscaledValue\nk1\t-400\n").path("x.tsv");
  options.n_random = 0;
  const auto check = study::check_gradient(options);
  EXPECT_EQ(check.points[0].trust, Trust::no_value);
  EXPECT_FALSE(check.can_be_trusted());
  EXPECT_THAT(check.summary(), HasSubstr("no gradient could be checked"));

  options.n_random = 1;
  const auto with_another = study::check_gradient(options);
  EXPECT_EQ(with_another.points[1].trust, Trust::yes);
  EXPECT_TRUE(with_another.can_be_trusted());
}

TEST_F(CheckGradient, does_not_trust_what_differences_cannot_confirm_and_names_parameter_and_condition) {
  // The deviation has no value for p below its nominal one, so that differences by p have one side only.
  write_single(files, "lin\t0\t1\t0.08\t1\t\t", "A", "0.1 + sqrt(p - 0.08 + 1e-10)");
  options.n_random = 0;
  const auto check = study::check_gradient(options);
  const auto& point = check.points[0];
  EXPECT_EQ(point.trust, Trust::unsure);
  EXPECT_EQ(point.gradient[0].trust, Trust::yes);
  EXPECT_EQ(point.gradient[1].trust, Trust::unsure);
  EXPECT_THAT(point.failure, HasSubstr("differences by p: "));
  EXPECT_EQ(point.conditions, std::vector<std::string>{"only"});
  EXPECT_THAT(check.text_of(point), HasSubstr("1 of 2 parameters confirmed; p (not confirmed)"));
  EXPECT_THAT(check.text_of(point), HasSubstr("in condition only"));
  EXPECT_FALSE(check.can_be_trusted());
  EXPECT_THAT(check.summary(), HasSubstr("the gradient is not confirmed"));
}

TEST_F(CheckGradient, takes_the_methods_agreement_for_a_verdict_where_no_differences_are_asked_for) {
  write_single(files, "lin\t0\t1\t0.08\t1\t\t", "A", "0.1 + sqrt(p - 0.08 + 1e-10)");
  options.n_random = 0;
  options.n_differences = 0;
  const auto check = study::check_gradient(options);
  EXPECT_TRUE(check.can_be_trusted());
  EXPECT_THAT(check.to_table(), HasSubstr("\tmethods agree\n"));
}

TEST_F(CheckGradient, confirms_a_gradient_at_the_end_of_a_priors_support) {
  for (const std::string prior : {"uniform\t0.3;10", "parameterScaleUniform\t0.3;10"}) {
    write_single(files, "lin\t0.3\t10\t0.3\t1\t" + prior, "A", "p");
    options.n_random = 0;
    const auto check = study::check_gradient(options);
    EXPECT_TRUE(check.can_be_trusted()) << prior << ": " << check.text_of(check.points[0]);
  }
}

TEST_F(CheckGradient, does_not_mind_gradients_that_rounding_errors_of_the_objective_hide) {
  // y is 1.5 for all p, to rounding: its slope 1e-18 is in the gradients, and in no difference.
  write_single(files, "lin\t0.1\t10\t1\t1\t\t", "A + 1e-18 * p", "0.1");
  options.n_random = 0;
  const auto check = study::check_gradient(options);
  const auto& by_p = check.points[0].gradient[1];
  EXPECT_NEAR(by_p.forward, 1e-18 * 0.1 / 0.01, 1e-22);
  EXPECT_EQ(by_p.difference.value().value, 0.0);
  EXPECT_TRUE(check.can_be_trusted()) << check.text_of(check.points[0]);
}

TEST_F(CheckGradient, reports_as_json_and_as_a_table) {
  options.n_random = 1;
  options.n_differences = 1;
  const auto check = study::check_gradient(options);
  const auto json = nlohmann::json::parse(check.to_json());
  EXPECT_EQ(json.at("trusted"), true);
  ASSERT_EQ(json.at("points").size(), 2u);
  EXPECT_EQ(json.at("points")[0].at("verdict"), "trusted");
  EXPECT_LT(json.at("points")[0].at("forward_difference"), 1e-4);
  EXPECT_TRUE(json.at("points")[1].at("forward_difference").is_null());
  const auto of_k1 = [&](int point) { return json.at("points")[point].at("parameters")[0]; };
  EXPECT_EQ(of_k1(0).at("id"), "k1");
  EXPECT_EQ(of_k1(0).at("verdict"), "confirmed");
  EXPECT_NEAR(of_k1(0).at("difference"), of_k1(0).at("forward"), 1e-4);
  EXPECT_EQ(of_k1(1).at("verdict"), "methods agree");
  EXPECT_TRUE(of_k1(1).at("difference").is_null());
  const std::string table = check.to_table();
  EXPECT_EQ(std::ranges::count(table, '\n'), 1 + 2 * static_cast<long>(chain_ids.size()));
  EXPECT_THAT(table, HasSubstr("nominal\tk1\t"));
  EXPECT_THAT(table, HasSubstr("\tconfirmed\nnominal\tk2\t"));
}

TEST_F(CheckGradient, refuses_options_that_cannot_be_meant) {
  options.tolerance = 0;
  EXPECT_THROW(study::check_gradient(options), core::Error);
  options.tolerance = 1e-4;
  options.n_random = -1;
  EXPECT_THROW(study::check_gradient(options), core::Error);
}
