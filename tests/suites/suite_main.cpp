#include "suites/suite_main.hpp"

#include <algorithm>
#include <vector>

#include <CLI/CLI.hpp>

#include "suites/isolated.hpp"

namespace kinetune::suites {

int run_suite(int argc, char** argv, const std::string& subject,
              CaseResult (*run_case)(const std::filesystem::path&)) {
  CLI::App app("Holds kinetune against " + subject);
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
  for (const auto& path : cases)
    report.add(run_isolated(path.filename().string(), seconds, [&] { return run_case(path); }));
  report.close();
  if (!table.empty()) report.write_table(table);
  return report.count(Verdict::failed) == 0 ? 0 : 1;
}

}  // namespace kinetune::suites
