// Runs the fuzzers' seeds and everything that a fuzzer ever found through the fuzzers' targets.

#include <algorithm>
#include <filesystem>
#include <functional>

#include <gtest/gtest.h>

#include "core/file.hpp"
#include "fuzz/targets.hpp"

namespace {

namespace fs = std::filesystem;

std::vector<fs::path> inputs_of(const std::string& target) {
  std::vector<fs::path> files;
  for (const char* kind : {"corpus", "regressions"}) {
    const fs::path folder = fs::path(KINETUNE_SOURCE_DIR) / "tests" / "fuzz" / kind / target;
    if (!exists(folder)) continue;
    for (const auto& entry : fs::directory_iterator(folder)) files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

void run_all(const std::string& target, const std::function<void(std::string_view)>& run) {
  const auto files = inputs_of(target);
  ASSERT_FALSE(files.empty());
  for (const fs::path& file : files) {
    EXPECT_NO_THROW(run(kinetune::core::read_file(file))) << file;
  }
}

}  // namespace

TEST(FuzzInputs, no_sbml_text_leads_to_anything_but_a_model_or_an_error) {
  run_all("sbml", kinetune::fuzz::import_sbml);
}

TEST(FuzzInputs, no_petab_files_lead_to_anything_but_a_problem_or_an_error) {
  run_all("petab", kinetune::fuzz::read_petab);
}

TEST(FuzzInputs, no_formula_leads_to_anything_but_an_expression_or_an_error) {
  run_all("maths", kinetune::fuzz::parse_maths);
}
