// Runs the SBML semantic test suite, or any folder of cases like its: sbml_suite DIR [--table out.tsv]

#include <algorithm>

#include <CLI/CLI.hpp>

#include "suites/isolated.hpp"
#include "suites/sbml_case.hpp"

int main(int argc, char** argv) {
  using namespace kinetune::suites;
  CLI::App app("Holds kinetune against a folder of cases of the SBML semantic test suite", "sbml_suite");
  std::string folder, table;
  unsigned seconds = 60;
  app.add_option("DIR", folder, "a folder of folders, each a case")
      ->required()
      ->check(CLI::ExistingDirectory);
  app.add_option("--table", table, "file to write: case, verdict, reason and tags");
  app.add_option("--seconds", seconds, "after which a case has failed")->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  std::vector<std::filesystem::path> cases;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.is_directory()) cases.push_back(entry.path());
  }
  std::ranges::sort(cases);
  SuiteReport report;
  for (const auto& path : cases) {
    report.add(run_isolated(path.filename().string(), seconds, [&] { return run_sbml_case(path); }));
  }
  report.close();
  if (!table.empty()) report.write_table(table);
  return report.count(Verdict::failed) == 0 ? 0 : 1;
}
