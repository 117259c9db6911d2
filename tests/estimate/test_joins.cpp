#include <array>
#include <cmath>

#include <gtest/gtest.h>

#include "estimate/exchange.hpp"

using namespace kinetune;
using namespace kinetune::estimate;
using namespace kinetune::estimate::test;
using optimize::Order;

namespace {

const std::string time_symbol =
    "<csymbol encoding='text' definitionURL='http://www.sbml.org/sbml/symbols/time'>t</csymbol>";
std::string ci(const std::string& id) { return "<ci>" + id + "</ci>"; }
std::string cn(double v) { return "<cn>" + std::to_string(v) + "</cn>"; }
std::string apply(const std::string& op, const std::string& a, const std::string& b) {
  return "<apply><" + op + "/>" + a + b + "</apply>";
}
std::string maths(const std::string& m) {
  return "<math xmlns='http://www.w3.org/1998/Math/MathML'>" + m + "</math>";
}

struct TestEvent {
  std::string trigger;
  bool initially_true, takes_values_at_trigger;
  std::string delay;  // empty: none
  std::string target, addend;
};

std::string sbml_of(const TestEvent& e) {
  const auto text = [](bool b) { return std::string(b ? "true" : "false"); };
  return "<event useValuesFromTriggerTime='" + text(e.takes_values_at_trigger) + "'><trigger initialValue='" +
         text(e.initially_true) + "' persistent='true'>" + maths(e.trigger) + "</trigger>" +
         (e.delay.empty() ? "" : "<delay>" + maths(ci(e.delay)) + "</delay>") +
         "<listOfEventAssignments><eventAssignment variable='" + e.target + "'>" +
         maths(apply("plus", ci(e.target), e.addend)) + "</eventAssignment></listOfEventAssignments></event>";
}

std::string decay(const std::string& state, const std::string& rate) {
  return "<rateRule variable='" + state + "'>" +
         maths(apply("times", apply("minus", ci(rate), ""), ci(state))) + "</rateRule>";
}

/// x and y decay from 1 with rates k and q. When x comes to th, at t*, z and w are told to add y: z the y of
/// the time t* + d at which it happens, w that of t*. The rest are counters: n of events at time 5, m at the
/// start, c of times at which the switch u, which conditions alone turn on, is on.
std::string model() {
  std::string text =
      "<?xml version='1.0' encoding='UTF-8'?><sbml xmlns='http://www.sbml.org/sbml/level3/version2/core' "
      "level='3' version='2'><model id='exchange'><listOfParameters>";
  const std::vector<std::pair<std::string, int>> states{{"x", 1}, {"y", 1}, {"z", 0}, {"w", 0},
                                                        {"n", 0}, {"m", 0}, {"c", 0}, {"u", 0}};
  for (const auto& [id, value] : states)
    text += "<parameter id='" + id + "' value='" + std::to_string(value) + "' constant='false'/>";
  for (const char* id : {"k", "th", "d", "q"})
    text += std::string("<parameter id='") + id + "' value='1' constant='true'/>";
  text +=
      "</listOfParameters><listOfRules>" + decay("x", "k") + decay("y", "q") + "</listOfRules><listOfEvents>";
  const std::string reached = apply("leq", ci("x"), ci("th"));
  for (const TestEvent& e :
       {TestEvent{reached, true, false, "d", "z", ci("y")}, TestEvent{reached, true, true, "d", "w", ci("y")},
        TestEvent{apply("geq", time_symbol, cn(5)), false, true, "", "n", cn(1)},
        TestEvent{apply("geq", time_symbol, cn(0)), false, true, "", "m", cn(1)},
        TestEvent{apply("geq", ci("u"), cn(1)), true, true, "", "c", cn(1)}})
    text += sbml_of(e);
  return text + "</listOfEvents></model></sbml>";
}

class Joins : public testing::TestWithParam<simulate::Method> {
 protected:
  ExchangeFiles files;

  void SetUp() override {
    std::string observables = "observableId\tobservableFormula\tnoiseFormula\n";
    for (const char* id : {"z", "w", "n", "m", "c"})
      observables += "y" + std::string(id) + "\t" + id + "\t1\n";
    files.write("model.xml", model())
        .write("mapping.tsv", "petabEntityId\tmodelEntityId\n")
        .write("observables.tsv", observables)
        .write("parameters.tsv",
               "parameterId\tlowerBound\tupperBound\tnominalValue\testimate\nk\t0\t10\t0.2\ttrue\n"
               "th\t0\t1\t0.2\ttrue\nd\t0\t10\t5\ttrue\nr\t0\t1\t0.1\ttrue\nlate_r\t0\t1\t0.05\ttrue\n")
        .write("conditions.tsv",
               "conditionId\ttargetId\ttargetValue\nearly\tq\tr\nlate\tq\tlate_r\nlate\tu\t1\n")
        .write("experiments.tsv", "experimentId\ttime\tconditionId\ne\t0\tearly\n");
  }

  /// Of measurements that all are 0 with noise 1.
  void measure(const std::vector<std::pair<std::string, std::string>>& id_and_time) {
    std::string text = "observableId\texperimentId\ttime\tmeasurement\n";
    for (const auto& [id, time] : id_and_time) text += "y" + id + "\te\t" + time + "\t0\n";
    files.write("measurements.tsv", text);
  }

  std::vector<double> values() const {
    const Joined joined = files.joined();
    Posterior posterior(joined.problem, {code(joined)}, options(Sensitivities::forward));
    Details details;
    const auto result = posterior.assess(at, Order::value, &details);
    EXPECT_TRUE(result) << result.error().reason;
    return details.values;
  }

  void expect_gradient(const std::vector<double>& expected) const {
    const Joined joined = files.joined();
    for (const auto kind : {Sensitivities::forward, Sensitivities::adjoint}) {
      Posterior posterior(joined.problem, {code(joined)}, options(kind));
      const auto result = posterior.evaluate(at, Order::gradient);
      ASSERT_TRUE(result) << result.error().reason;
      for (std::size_t i = 0; i < expected.size(); ++i)
        EXPECT_NEAR(result->gradient[i], expected[i], 1e-7)
            << joined.problem.parameters[i].id
            << (kind == Sensitivities::adjoint ? ", adjoint" : ", forward");
    }
  }

  static jit::ModelCode code(const Joined& joined) {
    return jit::compile(joined.sources.front(), {.derivatives = jit::Derivatives::second});
  }
  static PosteriorOptions options(Sensitivities kind) {
    PosteriorOptions options{{.rtol = 1e-10, .atol = 1e-14, .method = GetParam()}, kind};
    options.fallback = Fallback::none;
    return options;
  }

  const double k = 0.2, th = 0.2, d = 5, r = 0.1, late_r = 0.05;
  const std::vector<double> at{k, th, d, r, late_r};
  const double reached = std::log(1 / th) / k, reached_by_k = -reached / k, reached_by_th = -1 / (th * k);
  const double done = reached + d;  // 13.05
};

INSTANTIATE_TEST_SUITE_P(, Joins, testing::Values(simulate::Method::cvodes, simulate::Method::rodas5p));

}  // namespace

TEST_P(Joins, a_measurement_changes_nothing) {
  const double z = std::exp(-r * done), w = std::exp(-r * reached);
  for (const std::vector<std::string>& times :
       {std::vector<std::string>{}, {"0"}, {"5"}, {"0", "5", "10"}, {"10"}, {"10", "20"}}) {
    std::vector<std::pair<std::string, std::string>> all{
        {"z", "inf"}, {"w", "inf"}, {"n", "inf"}, {"m", "inf"}, {"c", "inf"}};
    for (const std::string& time : times) all.insert(all.end(), {{"n", time}, {"m", time}});
    measure(all);
    const auto found = values();
    EXPECT_NEAR(found[0], z, 1e-8);
    EXPECT_NEAR(found[1], w, 1e-8);
    EXPECT_EQ(found[2], 1);
    EXPECT_EQ(found[3], 1);
    EXPECT_EQ(found[4], 0);
    for (std::size_t i = 0; i < times.size(); ++i) {
      EXPECT_EQ(found[5 + 2 * i], times[i] == "0" ? 0 : 1) << times[i];
      EXPECT_EQ(found[6 + 2 * i], 1) << times[i];
    }
  }
}

TEST_P(Joins, what_is_pending_when_the_measurements_end_has_the_gradient_of_the_steady_state) {
  measure({{"z", "10"}, {"z", "inf"}, {"w", "inf"}});
  const double z = std::exp(-r * done), w = std::exp(-r * reached);
  expect_gradient({-r * (z * z + w * w) * reached_by_k, -r * (z * z + w * w) * reached_by_th, -r * z * z,
                   -done * z * z - reached * w * w, 0});
}

TEST_P(Joins, what_is_pending_at_the_end_of_a_period_happens_in_the_next_one) {
  files.write("experiments.tsv", "experimentId\ttime\tconditionId\ne\t0\tearly\ne\t10\tlate\n");
  measure({{"z", "12"},
           {"z", "20"},
           {"w", "20"},
           {"n", "10"},
           {"n", "20"},
           {"m", "20"},
           {"c", "10"},
           {"c", "20"},
           {"z", "inf"}});
  const double z = std::exp(-r * 10 - late_r * (done - 10)), w = std::exp(-r * reached);

  const auto found = values();

  EXPECT_EQ(found[0], 0);
  EXPECT_NEAR(found[1], z, 1e-8);
  EXPECT_NEAR(found[2], w, 1e-8);
  EXPECT_EQ(found[3], 1);
  EXPECT_EQ(found[4], 1);
  EXPECT_EQ(found[5], 1);
  EXPECT_EQ(found[6], 1);  // the condition has turned u on
  EXPECT_EQ(found[7], 1);
  EXPECT_NEAR(found[8], z, 1e-8);
  const double of_done = -late_r * 2 * z * z, of_reached = -r * w * w;
  expect_gradient({(of_done + of_reached) * reached_by_k, (of_done + of_reached) * reached_by_th, of_done,
                   -10 * 2 * z * z - reached * w * w, -(done - 10) * 2 * z * z});
}

TEST_P(Joins, a_pre_equilibration_is_a_simulation_of_its_own) {
  files.write("experiments.tsv", "experimentId\ttime\tconditionId\ne\t-inf\tearly\ne\t0\tlate\n");
  measure({{"z", "3"}, {"n", "3"}, {"m", "3"}, {"n", "inf"}, {"m", "inf"}, {"c", "inf"}});
  const auto found = values();
  EXPECT_NEAR(found[0], std::exp(-r * done), 1e-8);
  EXPECT_EQ(found[1], 1);  // at time 5 of the pre-equilibration
  EXPECT_EQ(found[2], 2);
  EXPECT_EQ(found[3], 2);
  EXPECT_EQ(found[4], 2);
  EXPECT_EQ(found[5], 0);  // u is on at the very start, where the trigger counts as true before
}
