#include <cmath>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "estimate/chain.hpp"
#include "study/evaluate.hpp"

using namespace kinetune;
using namespace kinetune::estimate::test;
using study::Derivatives;
using Json = nlohmann::json;

namespace {

class Evaluate : public testing::Test {
 protected:
  Evaluate() {
    write_chain(files);
    std::string table = "parameterId\tscaledValue\n";
    for (std::size_t i = 0; i < chain_x.size(); ++i)
      table += fmt::format("{}\t{}\n", chain_ids[i], chain_x[i]);
    files.write("x.tsv", table);
    options.problem = files.yaml();
    options.parameters = files.path("x.tsv");
    options.integrator = {1e-11, 1e-14};
  }

  ProblemFiles files;
  study::EvaluateOptions options;
};

}  // namespace

TEST_F(Evaluate, prints_json_with_objective_and_gradient_by_parameter_id) {
  for (const auto derivatives : {Derivatives::forward, Derivatives::adjoint}) {
    options.derivatives = derivatives;
    const Json json = Json::parse(study::evaluate(options).to_json());

    EXPECT_EQ(json.at("status"), "ok");
    EXPECT_NEAR(json.at("llh"), chain_llh(chain_x), 1e-7);
    EXPECT_NEAR(json.at("prior"), chain_prior(chain_x), 1e-10);
    EXPECT_NEAR(json.at("fval"), chain_prior(chain_x) - chain_llh(chain_x), 1e-7);
    EXPECT_GT(json.at("chi2"), 0);
    EXPECT_GT(json.at("compile_seconds"), 0);
    EXPECT_GT(json.at("seconds"), 0);
    ASSERT_EQ(json.at("gradient").size(), chain_ids.size());
    for (std::size_t i = 0; i < chain_ids.size(); ++i) {
      const double prior = chain_derivative(chain_prior, chain_x, i);
      const double fval = prior - chain_derivative(chain_llh, chain_x, i);
      EXPECT_NEAR(json.at("gradient").at(chain_ids[i]), fval, 1e-5);
      EXPECT_NEAR(json.at("gradient_prior").at(chain_ids[i]), prior, 1e-6);
    }
    ASSERT_EQ(json.at("conditions").size(), 2u);
    EXPECT_EQ(json.at("conditions")[0].at("condition"), "high");
    EXPECT_EQ(json.at("conditions")[0].at("status"), "ok");
    EXPECT_GT(json.at("conditions")[0].at("steps"), 0);
  }
}

TEST_F(Evaluate, leaves_the_gradient_out_where_none_was_asked_for) {
  options.derivatives = Derivatives::none;
  EXPECT_FALSE(Json::parse(study::evaluate(options).to_json()).contains("gradient"));
}

TEST_F(Evaluate, says_why_there_is_no_value_and_holds_no_numbers_that_could_pass_for_one) {
  options.integrator.max_steps = 2;
  const auto result = study::evaluate(options);
  EXPECT_FALSE(result.terms);
  const Json json = Json::parse(result.to_json());
  EXPECT_EQ(json.at("status"), "too many steps");
  EXPECT_EQ(json.at("failure").at("condition"), "high");
  EXPECT_EQ(json.at("conditions")[0].at("status"), "too many steps");
  EXPECT_FALSE(json.contains("fval") || json.contains("llh") || json.contains("gradient"));
  EXPECT_THAT(result.to_text(), testing::HasSubstr("condition high: too many steps at time"));
}

TEST_F(Evaluate, tells_a_reader_why_there_is_no_value_where_no_condition_is_to_blame) {
  files.write("parameters.tsv",
              "parameterId\tparameterScale\tlowerBound\tupperBound\tnominalValue\testimate\t"
              "objectivePriorType\tobjectivePriorParameters\n"
              "k1\tlog10\t1e-3\t1e3\t0.8\t1\tuniform\t1e-3;1e3\n"
              "a_high\tlin\t0.1\t20\t4\t1\t\t\n"
              "scale\tlin\t0.1\t10\t1.3\t1\t\t\n"
              "offset_high\tlin\t\t\t0.3\t0\t\t\n"
              "sigma_B\tlog10\t1e-3\t10\t0.1\t0\t\t\n"
              "s_rel\tlin\t0\t1\t0.08\t0\t\t\n");
  files.write("x.tsv", "parameterId\tvalue\nk1\t5000\n");
  const auto result = study::evaluate(options);
  ASSERT_FALSE(result.terms);
  EXPECT_THAT(result.to_text(), testing::HasSubstr("no value: outside the prior's support: k1"));
}

TEST_F(Evaluate, refuses_to_repeat_less_than_once) {
  options.repeat = 0;
  EXPECT_THROW(study::evaluate(options), core::Error);
}
