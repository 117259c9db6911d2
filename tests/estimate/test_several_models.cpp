#include <cmath>

#include <gmock/gmock.h>

#include "core/error.hpp"
#include "estimate/exchange.hpp"

using namespace kinetune;
using namespace kinetune::estimate;
using namespace kinetune::estimate::test;
using optimize::Order;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

/// A problem of two models that share the parameter k: growth' = k growth from start, and decay with an
/// outflow, amount' = -(k + loss) amount from 3.
class GrowthAndDecay : public testing::Test {
 protected:
  GrowthAndDecay() {
    files.write("problem.yaml",
                "format_version: 2.0.0\nparameter_files: [parameters.tsv]\n"
                "model_files:\n  growing: {language: sbml, location: growing.xml}\n"
                "  decaying: {language: sbml, location: decaying.xml}\n"
                "condition_files: [conditions.tsv]\nexperiment_files: [experiments.tsv]\n"
                "observable_files: [observables.tsv]\nmeasurement_files: [measurements.tsv]\n");
    files.write("growing.xml", model("growth", "<parameter id='start' value='7' constant='true'/>",
                                     "<apply><times/><ci>k</ci><ci>growth</ci></apply>", "<ci>start</ci>"));
    files.write(
        "decaying.xml",
        model(
            "amount", "<parameter id='loss' value='9' constant='true'/>",
            "<apply><times/><cn>-1</cn><apply><plus/><ci>k</ci><ci>loss</ci></apply><ci>amount</ci></apply>",
            "<cn>3</cn>"));
    files.write("parameters.tsv",
                "parameterId\tlowerBound\tupperBound\tnominalValue\testimate\n"
                "loss\t0\t1\t0.2\ttrue\nk\t0\t1\t0.3\ttrue\nsigma\t0\t1\t0.5\ttrue\nstart\t0\t9\t2\ttrue\n");
    files.write("conditions.tsv", "conditionId\ttargetId\ttargetValue\nfed\tfeed\t1.5\n");
    files.write("experiments.tsv", "experimentId\ttime\tconditionId\nshared\t0\tfed\n");
    files.write("observables.tsv",
                "observableId\tobservableFormula\tnoiseFormula\n"
                "y_growth\tgrowth\tsigma\ny_amount\tfeed * amount\t0.4\ny_twice\t2 * feed\t0.25\n");
    files.write("measurements.tsv",
                "observableId\texperimentId\tmodelId\tmeasurement\ttime\n"
                "y_amount\tshared\tdecaying\t1\t2\n"
                "y_growth\tshared\tgrowing\t3\t1\n"
                "y_amount\tshared\tdecaying\t2.5\t0.5\n"
                "y_growth\t\tgrowing\t4\t2.5\n"
                "y_twice\tshared\tgrowing\t3.2\t2\n");
  }

  static std::string model(const std::string& variable, const std::string& parameter, const std::string& rate,
                           const std::string& initial) {
    const std::string math = "<math xmlns='http://www.w3.org/1998/Math/MathML'>";
    return "<?xml version='1.0' encoding='UTF-8'?>\n"
           "<sbml xmlns='http://www.sbml.org/sbml/level3/version2/core' level='3' version='2'><model>"
           "<listOfParameters><parameter id='" +
           variable + "' constant='false'/>" + parameter +
           "<parameter id='k' value='5' constant='true'/><parameter id='feed' value='1' "
           "constant='true'/></listOfParameters>"
           "<listOfInitialAssignments><initialAssignment symbol='" +
           variable + "'>" + math + initial +
           "</math></initialAssignment></listOfInitialAssignments>"
           "<listOfRules><rateRule variable='" +
           variable + "'>" + math + rate +
           "</math></rateRule></listOfRules>"
           "</model></sbml>\n";
  }

  /// loss, k, sigma, start
  static std::vector<double> values(const std::vector<double>& x) {
    const auto amount = [&](double t) { return 1.5 * 3 * std::exp(-(x[1] + x[0]) * t); };
    const auto growth = [&](double t) { return x[3] * std::exp(x[1] * t); };
    return {amount(2), growth(1), amount(0.5), growth(2.5), 3.0};
  }

  static double nllh(const std::vector<double>& x) {
    const std::vector<double> measured{1, 3, 2.5, 4, 3.2}, noise{0.4, x[2], 0.4, x[2], 0.25}, y = values(x);
    double sum = 0;
    for (std::size_t i = 0; i < y.size(); ++i) {
      sum +=
          0.5 * std::log(2 * M_PI * noise[i] * noise[i]) + 0.5 * std::pow((measured[i] - y[i]) / noise[i], 2);
    }
    return sum;
  }

  static std::vector<double> gradient(const std::vector<double>& x) {
    const std::vector<double> y = values(x);
    const double a1 = (y[0] - 1) / 0.16, a2 = (y[2] - 2.5) / 0.16, s2 = x[2] * x[2];
    const double g1 = (y[1] - 3) / s2, g2 = (y[3] - 4) / s2;
    return {-2 * a1 * y[0] - 0.5 * a2 * y[2], -2 * a1 * y[0] - 0.5 * a2 * y[2] + g1 * y[1] + 2.5 * g2 * y[3],
            2 / x[2] - (std::pow(y[1] - 3, 2) + std::pow(y[3] - 4, 2)) / (s2 * x[2]),
            (g1 * y[1] + g2 * y[3]) / x[3]};
  }

  ExchangeFiles files;
  const std::vector<double> x{0.15, 0.35, 0.6, 1.9};
};

std::vector<jit::ModelCode> compiled(const Joined& joined) {
  std::vector<jit::ModelCode> codes;
  for (const auto& source : joined.sources)
    codes.push_back(jit::compile(source, {.derivatives = jit::Derivatives::second}));
  return codes;
}

}  // namespace

TEST_F(GrowthAndDecay, have_the_objective_and_the_gradient_of_their_sum) {
  const Joined joined = files.joined();
  for (const auto method : {simulate::Method::rodas5p, simulate::Method::cvodes}) {
    for (const auto sensitivities : {Sensitivities::forward, Sensitivities::adjoint}) {
      Posterior posterior(joined.problem, compiled(joined),
                          {{.rtol = 1e-11, .atol = 1e-14, .method = method}, sensitivities});
      Details details;
      const auto terms = posterior.assess(x, Order::gradient, &details);
      ASSERT_TRUE(terms) << terms.error().reason;
      EXPECT_NEAR(terms->fval(), nllh(x), 1e-8);
      for (std::size_t q = 0; q < x.size(); ++q) EXPECT_NEAR(terms->gradient[q], gradient(x)[q], 1e-7) << q;
      for (std::size_t i = 0; i < 5; ++i) EXPECT_NEAR(details.values[i], values(x)[i], 1e-8) << i;
      EXPECT_NEAR(details.noise[3], 0.6, 1e-15);
    }
  }
}

TEST_F(GrowthAndDecay, are_parts_whose_simulations_are_named_after_their_models) {
  const Joined joined = files.joined();
  ASSERT_EQ(joined.problem.parts.size(), 2u);
  Posterior posterior(joined.problem, compiled(joined), {});
  Details details;
  ASSERT_TRUE(posterior.assess(x, Order::value, &details));
  std::vector<std::string> names;
  for (const auto& simulation : details.simulations) names.push_back(simulation.condition_id);
  EXPECT_THAT(names, ElementsAre("growing/shared", "growing", "decaying/shared"));
  EXPECT_EQ(posterior.n_shares(), 3u);
}

TEST_F(GrowthAndDecay, have_residuals_in_the_order_of_the_measurement_table) {
  const Joined joined = files.joined();
  Posterior posterior(joined.problem, compiled(joined), {{.rtol = 1e-11, .atol = 1e-14}});
  const auto squares = posterior.evaluate(x, Order::least_squares);
  ASSERT_TRUE(squares);
  EXPECT_NEAR(squares->residuals[0], (1 - values(x)[0]) / 0.4, 1e-8);
  EXPECT_NEAR(squares->residuals[3], (4 - values(x)[3]) / 0.6, 1e-8);
  EXPECT_NEAR(squares->fval, nllh(x), 1e-8);
}

TEST_F(GrowthAndDecay, are_refused_where_a_measurement_asks_a_model_for_what_it_does_not_have) {
  files.write("measurements.tsv",
              "observableId\texperimentId\tmodelId\tmeasurement\ttime\n"
              "y_amount\tshared\tdecaying\t1\t2\ny_growth\tshared\tdecaying\t3\t1\n");
  EXPECT_THAT(files.refusal(),
              HasSubstr("observables.tsv:2: unknown id 'growth' in observableFormula for model decaying"));
}

TEST(SeveralModels, of_a_version_1_file_add_up) {
  ProblemFiles files;
  const Joined single = files.joined();
  Posterior alone = make_posterior(single);
  const std::vector<double> x{-0.1, 4.0};
  const double fval = alone.evaluate(x, Order::value)->fval;

  files.write_yaml(2);
  const Joined twice = files.joined();
  Posterior both(twice.problem, compiled(twice), {});
  const auto evaluation = both.evaluate(x, Order::value);
  ASSERT_TRUE(evaluation);
  EXPECT_NEAR(evaluation->fval, 2 * fval, 1e-6 * std::fabs(fval));
}
