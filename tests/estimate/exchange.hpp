#pragma once

#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "estimate/problem_files.hpp"

namespace kinetune::estimate::test {

// A <-> B with rates k1 A and k2 B: A + B is conserved, and everything is known in closed form.

inline const std::string exchange_sbml = R"(<?xml version='1.0' encoding='UTF-8'?>
<sbml xmlns='http://www.sbml.org/sbml/level3/version2/core' level='3' version='2'><model id='exchange'>
<listOfCompartments><compartment id='cell' size='1' constant='true' spatialDimensions='3'/></listOfCompartments>
<listOfSpecies>
<species id='A' compartment='cell' hasOnlySubstanceUnits='false' boundaryCondition='false' constant='false'/>
<species id='B' compartment='cell' hasOnlySubstanceUnits='false' boundaryCondition='false' constant='false' initialConcentration='0.5'/>
</listOfSpecies>
<listOfParameters>
<parameter id='k1' value='0.5' constant='true'/>
<parameter id='a0' value='1' constant='true'/>
<parameter id='shift' value='0' constant='true'/>
</listOfParameters>
<listOfInitialAssignments>
<initialAssignment symbol='A'><math xmlns='http://www.w3.org/1998/Math/MathML'><ci>a0</ci></math></initialAssignment>
</listOfInitialAssignments>
<listOfReactions>
<reaction id='there' reversible='false'><listOfReactants><speciesReference species='A' stoichiometry='1' constant='true'/></listOfReactants><listOfProducts><speciesReference species='B' stoichiometry='1' constant='true'/></listOfProducts><kineticLaw><math xmlns='http://www.w3.org/1998/Math/MathML'><apply><times/><ci>cell</ci><ci>k1</ci><ci>A</ci></apply></math></kineticLaw></reaction>
<reaction id='back' reversible='false'><listOfReactants><speciesReference species='B' stoichiometry='1' constant='true'/></listOfReactants><listOfProducts><speciesReference species='A' stoichiometry='1' constant='true'/></listOfProducts><kineticLaw><math xmlns='http://www.w3.org/1998/Math/MathML'><apply><times/><ci>cell</ci><ci>k2</ci><ci>B</ci></apply></math><listOfLocalParameters><localParameter id='k2' value='0.2'/></listOfLocalParameters></kineticLaw></reaction>
</listOfReactions>
</model></sbml>
)";

/// Where A and B are, and where they go.
struct Exchange {
  double a, b;

  double settled(double k1, double k2) const { return k2 * (a + b) / (k1 + k2); }
  Exchange after(double time, double k1, double k2) const {
    const double end = settled(k1, k2), now = end + (a - end) * std::exp(-(k1 + k2) * time);
    return {now, a + b - now};
  }
  Exchange at_rest(double k1, double k2) const { return {settled(k1, k2), a + b - settled(k1, k2)}; }
};

/// A problem of version 2 around the model, in a temporary folder of the running test.
class ExchangeFiles {
 public:
  ExchangeFiles() {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = std::filesystem::path(testing::TempDir()) / "kinetune_test_exchange" / test->test_suite_name() /
              test->name();
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    write("problem.yaml",
          "format_version: 2.0.0\nparameter_files: [parameters.tsv]\n"
          "model_files: {exchange: {language: sbml, location: model.xml}}\n"
          "condition_files: [conditions.tsv]\nexperiment_files: [experiments.tsv]\n"
          "observable_files: [observables.tsv]\nmeasurement_files: [measurements.tsv]\n"
          "mapping_files: [mapping.tsv]\n");
    write("model.xml", exchange_sbml);
    write("mapping.tsv", "petabEntityId\tmodelEntityId\nk2\tback.k2\n");
    write("observables.tsv", "observableId\tobservableFormula\tnoiseFormula\nyA\tA\t0.1\nyB\tB\t0.2\n");
  }
  ~ExchangeFiles() { std::filesystem::remove_all(folder_); }
  ExchangeFiles(const ExchangeFiles&) = delete;

  ExchangeFiles& write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return *this;
  }

  Joined joined() const { return read_joined(folder_ / "problem.yaml"); }

  /// The message with which the problem is refused, its paths beginning in the folder.
  std::string refusal() const {
    try {
      joined();
    } catch (const core::Error& error) {
      const std::string message = error.what(), prefix = folder_.string() + "/";
      return message.starts_with(prefix) ? message.substr(prefix.size()) : message;
    }
    return "accepted";
  }

 private:
  std::filesystem::path folder_;
};

/// Simulated values of all measurements at x.
inline std::vector<double> values_at(const Joined& joined, const std::vector<double>& x) {
  Posterior posterior(joined.problem, {jit::compile(joined.sources.front())},
                      {{.rtol = 1e-11, .atol = 1e-14}});
  Details details;
  EXPECT_TRUE(posterior.assess(x, optimize::Order::value, &details));
  return details.values;
}

/// Holds both gradients against central differences of the objective, and the Gauss-Newton matrix against the
/// product of differences of residuals where noise is fixed.
inline void expect_right_gradients(const Joined& joined, const std::vector<double>& x) {
  const auto code = jit::compile(joined.sources.front());
  for (const auto method : {Sensitivities::forward, Sensitivities::adjoint}) {
    Posterior posterior(joined.problem, {code}, {{.rtol = 1e-11, .atol = 1e-14}, method});
    const auto evaluation = posterior.evaluate(x, optimize::Order::gradient);
    ASSERT_TRUE(evaluation) << evaluation.error().reason;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const auto moved = [&](double h) {
        auto y = x;
        y[i] += h;
        return posterior.evaluate(y, optimize::Order::value)->fval;
      };
      const double h = 1e-4, numerical = (moved(h) - moved(-h)) / (2 * h);
      EXPECT_NEAR(evaluation->gradient[i], numerical, 1e-5 * std::fabs(numerical) + 1e-5)
          << joined.problem.parameters[i].id
          << (method == Sensitivities::adjoint ? ", adjoint" : ", forward");
    }
  }
}

}  // namespace kinetune::estimate::test
