// Runs the SBML semantic test suite, or any folder of cases like its: sbml_suite DIR [--table out.tsv]

#include "suites/sbml_case.hpp"
#include "suites/suite_main.hpp"

int main(int argc, char** argv) {
  using namespace kinetune::suites;
  return run_suite(argc, argv, "a folder of cases of the SBML semantic test suite", run_sbml_case);
}
