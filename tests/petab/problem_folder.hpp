#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "petab/problem.hpp"

namespace kinetune::petab {

/// A small valid problem in a temporary folder of the running test; each test then spoils what it is about.
class ProblemFolder {
 public:
  ProblemFolder() {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = std::filesystem::path(testing::TempDir()) / "kinetune_test_petab" / test->test_suite_name() /
              test->name();
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    write("problem.yaml",
          "format_version: 1\n"
          "parameter_file: parameters.tsv\n"
          "problems:\n"
          "- sbml_files: [model.xml]\n"
          "  condition_files: [conditions.tsv]\n"
          "  observable_files: [observables.tsv]\n"
          "  measurement_files: [measurements.tsv]\n");
    write("model.xml", "<sbml/>");
    write("parameters.tsv",
          "parameterId\tparameterScale\tlowerBound\tupperBound\tnominalValue\testimate\n"
          "k1\tlog10\t1e-3\t1e3\t0.5\t1\n"
          "sigma\tlin\t\t\t0.1\t0\n");
    write("conditions.tsv",
          "conditionId\tconditionName\tdose\n"
          "rest\tno drug\t0\n"
          "drug\t\tk1\n");
    write("observables.tsv",
          "observableId\tobservableFormula\tnoiseFormula\tobservableTransformation\n"
          "y\tobservableParameter1_y * A\tnoiseParameter1_y\tlog10\n"
          "z\tA + 1\t0.2\t\n");
    write("measurements.tsv",
          "observableId\tpreequilibrationConditionId\tsimulationConditionId\tmeasurement\ttime\tobservablePar"
          "ameters\t"
          "noiseParameters\n"
          "y\trest\tdrug\t1.5\t0\t2\tsigma\n"
          "z\t\tdrug\t-1\tinf\t\t\n");
  }

  std::filesystem::path path(const std::string& name) const { return folder_ / name; }

  ProblemFolder& write(const std::string& name, const std::string& text) {
    std::ofstream(path(name), std::ios::binary) << text;
    return *this;
  }

  Problem read() const { return read_problem(path("problem.yaml")); }

  /// What is wrong, with paths that begin in the folder.
  std::vector<std::string> errors() const {
    Diagnostics diagnostics;
    read_problem(path("problem.yaml"), diagnostics);
    std::vector<std::string> messages;
    for (const core::Error& error : diagnostics.errors()) messages.push_back(shorten(error.what()));
    return messages;
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

}  // namespace kinetune::petab
