// Runs the PEtab test suite, or any folder of cases like its: petab_suite DIR [--table out.tsv]

#include "suites/petab_case.hpp"
#include "suites/suite_main.hpp"

int main(int argc, char** argv) {
  using namespace kinetune::suites;
  return run_suite(argc, argv, "a folder of PEtab test cases", run_petab_case);
}
