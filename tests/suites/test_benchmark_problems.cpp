#include <cmath>
#include <filesystem>
#include <map>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

#include "core/file.hpp"
#include "estimate/posterior.hpp"
#include "shared_folder.hpp"
#include "study/load.hpp"
#include "study/parameter_vector.hpp"

using namespace kinetune;

namespace {

/// The log-likelihood, without priors, that AMICI finds at the nominal parameters; nothing where it has none.
std::map<std::string, double> reference(const std::filesystem::path& table) {
  std::istringstream text(core::read_file(table));
  std::map<std::string, double> llh;
  std::string line;
  std::getline(text, line);  // the header
  while (std::getline(text, line)) {
    std::istringstream cells(line);
    std::string name, skipped;
    cells >> name >> skipped >> skipped >> skipped >> skipped;
    cells >> llh[name];
  }
  return llh;
}

class BenchmarkProblem : public testing::TestWithParam<const char*> {};

}  // namespace

INSTANTIATE_TEST_SUITE_P(Shared, BenchmarkProblem,
                         testing::Values("Alkan_SciSignal2018", "Bachmann_MSB2011", "Beer_MolBioSystems2014",
                                         "Bertozzi_PNAS2020", "Blasi_CellSystems2016",
                                         "Boehm_JProteomeRes2014", "Borghans_BiophysChem1997",
                                         "Brannmark_JBC2010", "Chen_MSB2009", "Elowitz_Nature2000",
                                         "Fujita_SciSignal2010", "Giordano_Nature2020",
                                         "Lang_PLOSComputBiol2024", "Laske_PLOSComputBiol2019",
                                         "Oliveira_NatCommun2021", "Rahman_MBS2016", "Raimundez_PCB2020",
                                         "SalazarCavazos_MBoC2020", "Schwen_PONE2014",
                                         "Smith_BMCSystBiol2013", "Sneyd_PNAS2002", "Zheng_PNAS2012"),
                         [](const auto& info) { return std::string(info.param); });

TEST_P(BenchmarkProblem, has_the_log_likelihood_that_another_program_finds) {
  const std::string name = GetParam();
  auto yaml = shared_folder() / "data/petab-benchmarks" / name / (name + ".yaml");
  if (!std::filesystem::exists(yaml)) yaml.replace_filename("problem.yaml");
  const auto table = shared_folder() / "reference/amici.tsv";
  if (!std::filesystem::exists(yaml) || !std::filesystem::exists(table)) {
    GTEST_SKIP() << "no public benchmark problems or reference values in " << shared_folder()
                 << "; KINETUNE_SHARED names their folder";
  }
  const study::LoadedProblem loaded = study::load(yaml, simulate::Method::automatic, 1);
  estimate::Posterior posterior(loaded.problem, loaded.codes,
                                {.integrator = {.rtol = 1e-10, .atol = 1e-14, .max_steps = 1000000}});

  const auto terms =
      posterior.assess(study::parameter_vector({}, loaded.problem), optimize::Order::value, nullptr);

  ASSERT_TRUE(terms) << terms.error().reason;
  const auto expected = reference(table);
  if (const auto entry = expected.find(name); entry != expected.end())
    EXPECT_NEAR(terms->llh, entry->second, 1e-6 * std::fabs(entry->second));
  else
    EXPECT_TRUE(std::isfinite(terms->llh));
}
