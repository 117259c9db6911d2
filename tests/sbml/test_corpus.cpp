// Every model of the public collections is read and flattened, or refused with a reason.
#include <iostream>
#include <map>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "sbml/read_model.hpp"
#include "sbml/support.hpp"

namespace fs = std::filesystem;
using namespace kinetune;

namespace {

struct Count {
  int read = 0;
  int refused = 0;
};

Count read_all_below(const fs::path& folder) {
  Count count;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    // A tool's output that lies among the problems, without stoichiometries.
    const bool is_output = entry.path().string().find("petab_select") != std::string::npos;
    if (entry.path().extension() != ".xml" || is_output) continue;
    try {
      model::flatten(sbml::read_model(entry.path()));
      ++count.read;
    } catch (const core::Error& error) {
      EXPECT_EQ(error.where().file, entry.path().string()) << error.what();
      std::cout << error.what() << "\n";
      ++count.refused;
    }
  }
  std::cout << fmt::format("{}: {} read, {} refused\n", folder.filename().string(), count.read,
                           count.refused);
  return count;
}

}  // namespace

TEST(Corpus, of_the_biomodels_those_without_fast_reactions_and_faults_are_read) {
  const fs::path folder = sbml::test::shared_data() / "biomodels";
  if (!fs::exists(folder)) GTEST_SKIP() << "no models in " << folder;
  const Count count = read_all_below(folder);
  EXPECT_GE(count.read, 0.93 * (count.read + count.refused));
}

TEST(Corpus, all_models_of_the_petab_collections_are_read) {
  for (const char* name : {"petab-benchmarks", "petab-test-suite"}) {
    const fs::path folder = sbml::test::shared_data() / name;
    if (!fs::exists(folder)) GTEST_SKIP() << "no models in " << folder;
    EXPECT_EQ(read_all_below(folder).refused, 0);
  }
}
