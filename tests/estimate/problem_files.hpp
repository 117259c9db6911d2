#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "estimate/join.hpp"
#include "estimate/posterior.hpp"
#include "sbml/read_model.hpp"

namespace kinetune::estimate::test {

/// Reads, checks and joins as the program does.
inline Joined read_joined(const std::filesystem::path& yaml) {
  const petab::Problem petab = petab::read_problem(yaml);
  std::vector<model::OdeModel> models;
  for (const petab::Model& model : petab.models) models.push_back(sbml::read_model(model.file));
  petab::Diagnostics diagnostics;
  check(petab, models, diagnostics);
  diagnostics.throw_first();
  return join(petab, std::move(models));
}

/// A -> B -> nothing with rates k1 A and k2 B (A, B concentrations) in a compartment of size 2; A(0) = a0 by
/// an initial assignment, B(0) = b0, a constant with an initial assignment of 0. The last line of its content
/// is line 22.
inline const std::string chain_sbml = R"(<?xml version='1.0' encoding='UTF-8'?>
<sbml xmlns='http://www.sbml.org/sbml/level3/version2/core' level='3' version='2'><model id='chain'>
<listOfCompartments><compartment id='cell' size='2' constant='true' spatialDimensions='3'/></listOfCompartments>
<listOfSpecies>
<species id='A' compartment='cell' hasOnlySubstanceUnits='false' boundaryCondition='false' constant='false'/>
<species id='B' compartment='cell' hasOnlySubstanceUnits='false' boundaryCondition='false' constant='false'/>
</listOfSpecies>
<listOfParameters>
<parameter id='k1' value='0.5' constant='true'/>
<parameter id='k2' value='0.2' constant='true'/>
<parameter id='a0' value='1' constant='true'/>
<parameter id='b0' constant='true'/>
</listOfParameters>
<listOfInitialAssignments>
<initialAssignment symbol='A'><math xmlns='http://www.w3.org/1998/Math/MathML'><ci>a0</ci></math></initialAssignment>
<initialAssignment symbol='B'><math xmlns='http://www.w3.org/1998/Math/MathML'><ci>b0</ci></math></initialAssignment>
<initialAssignment symbol='b0'><math xmlns='http://www.w3.org/1998/Math/MathML'><apply><minus/><ci>a0</ci><ci>a0</ci></apply></math></initialAssignment>
</listOfInitialAssignments>
<listOfReactions>
<reaction id='r1' reversible='false'><listOfReactants><speciesReference species='A' stoichiometry='1' constant='true'/></listOfReactants><listOfProducts><speciesReference species='B' stoichiometry='1' constant='true'/></listOfProducts><kineticLaw><math xmlns='http://www.w3.org/1998/Math/MathML'><apply><times/><ci>cell</ci><ci>k1</ci><ci>A</ci></apply></math></kineticLaw></reaction>
<reaction id='r2' reversible='false'><listOfReactants><speciesReference species='B' stoichiometry='1' constant='true'/></listOfReactants><kineticLaw><math xmlns='http://www.w3.org/1998/Math/MathML'><apply><times/><ci>cell</ci><ci>k2</ci><ci>B</ci></apply></math></kineticLaw></reaction>
</listOfReactions>
</model></sbml>
)";

/// A problem around a model, in a temporary folder of the running test. Tests write over what they are about.
class ProblemFiles {
 public:
  ProblemFiles() {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    std::string name = std::string(test->test_suite_name()) + "." + test->name();
    for (char& c : name) c = c == '/' ? '.' : c;
    folder_ = std::filesystem::path(testing::TempDir()) / "kinetune_test_problems" / name;
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    write_yaml(1);
    write("model.xml", chain_sbml);
    write("conditions.tsv", "conditionId\ta0\nlow\t1.5\nhigh\ta_high\n");
    write("parameters.tsv",
          "parameterId\tparameterScale\tlowerBound\tupperBound\tnominalValue\testimate\n"
          "k1\tlog10\t1e-3\t1e3\t0.8\t1\n"
          "a_high\tlin\t0.1\t20\t4\t1\n");
    write("observables.tsv", "observableId\tobservableFormula\tnoiseFormula\nyA\tA\t0.1\nyB\tB\t0.2\n");
    write("measurements.tsv",
          "observableId\tsimulationConditionId\ttime\tmeasurement\n"
          "yA\tlow\t0\t1.4\nyA\thigh\t1\t1.9\nyB\tlow\t2\t0.9\n");
  }

  ~ProblemFiles() { std::filesystem::remove_all(folder_); }
  ProblemFiles(const ProblemFiles&) = delete;

  std::filesystem::path path(const std::string& name) const { return folder_ / name; }
  std::filesystem::path yaml() const { return path("problem.yaml"); }

  ProblemFiles& write(const std::string& name, const std::string& text) {
    std::ofstream(path(name), std::ios::binary) << text;
    return *this;
  }

  /// Some problems in one file, all alike: with as many models.
  ProblemFiles& write_yaml(int n_problems) {
    std::string yaml = "format_version: 1\nparameter_file: parameters.tsv\nproblems:\n";
    for (int i = 0; i < n_problems; ++i) {
      yaml +=
          "- sbml_files: [model.xml]\n"
          "  condition_files: [conditions.tsv]\n"
          "  observable_files: [observables.tsv]\n"
          "  measurement_files: [measurements.tsv]\n";
    }
    return write("problem.yaml", yaml);
  }

  Joined joined() const { return read_joined(yaml()); }

  /// The message with which the problem is refused, its paths beginning in the folder.
  std::string refusal() const {
    try {
      joined();
    } catch (const core::Error& error) {
      return shorten(error.what());
    }
    return "accepted";
  }

  std::string shorten(std::string message) const {
    const std::string prefix = folder_.string() + "/";
    for (auto at = message.find(prefix); at != std::string::npos; at = message.find(prefix)) {
      message.erase(at, prefix.size());
    }
    return message;
  }

 private:
  std::filesystem::path folder_;
};

/// Compiles and makes a posterior.
inline Posterior make_posterior(const Joined& joined, const PosteriorOptions& options = {}) {
  return Posterior(joined.problem, {jit::compile(joined.sources.front())}, options);
}

}  // namespace kinetune::estimate::test
