#include <gmock/gmock.h>

#include "core/error.hpp"
#include "core/file.hpp"
#include "estimate/problem_files.hpp"
#include "study/load.hpp"

using namespace kinetune;
using study::load;
using testing::HasSubstr;

namespace {

class Load : public testing::Test {
 protected:
  std::string checksum() const { return load(files.yaml()).inputs_checksum; }

  estimate::test::ProblemFiles files;
};

}  // namespace

TEST_F(Load, gives_what_an_objective_needs) {
  const auto loaded = load(files.yaml());
  EXPECT_EQ(loaded.petab.measurements.size(), 3u);
  EXPECT_EQ(loaded.problem.parameters.size(), 2u);
  EXPECT_EQ(loaded.codes.front().n_states, 2);
  EXPECT_FALSE(loaded.codes.front().objects.empty());
}

TEST_F(Load, gives_a_checksum_that_changes_with_any_file) {
  const std::string before = checksum();
  EXPECT_EQ(checksum(), before);
  for (const char* name : {"problem.yaml", "model.xml", "parameters.tsv", "conditions.tsv", "observables.tsv",
                           "measurements.tsv"}) {
    const std::string text = core::read_file(files.path(name));
    files.write(name, text + "\n");
    EXPECT_NE(checksum(), before) << name;
    files.write(name, text);
  }
  EXPECT_EQ(checksum(), before);
}

TEST_F(Load, gives_the_same_checksum_for_the_same_files_in_another_folder) {
  std::filesystem::create_directories(files.path("elsewhere"));
  for (const auto& entry : std::filesystem::directory_iterator(files.yaml().parent_path())) {
    if (entry.is_regular_file())
      std::filesystem::copy(entry.path(), files.path("elsewhere") / entry.path().filename());
  }
  EXPECT_EQ(load(files.path("elsewhere/problem.yaml")).inputs_checksum, checksum());
}

TEST_F(Load, throws_the_first_error_with_its_place) {
  files.write("observables.tsv",
              "observableId\tobservableFormula\tnoiseFormula\nyA\tA\t0.1\nyB\tglucose\t1\n");
  try {
    load(files.yaml());
    FAIL() << "accepted";
  } catch (const core::Error& error) {
    EXPECT_EQ(error.where().line, 3);
    EXPECT_THAT(error.what(), HasSubstr("observables.tsv:3: unknown id 'glucose'"));
  }
}
