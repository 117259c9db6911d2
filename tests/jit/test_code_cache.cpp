#include <cstdlib>

#include <gtest/gtest.h>

#include "core/file.hpp"
#include "jit/code_cache.hpp"
#include "jit/compiled_model.hpp"

using namespace kinetune;
namespace fs = std::filesystem;

namespace {

struct CodeCache : testing::Test {
  fs::path folder = fs::path(testing::TempDir()) / "kinetune-code-cache";

  CodeCache() { fs::remove_all(folder); }
  ~CodeCache() override { fs::remove_all(folder); }

  /// x' = -k x, y' = factor x
  static jit::ModelSource source(double factor) {
    model::OdeModel ode;
    const auto x = ode.graph->symbol("x"), y = ode.graph->symbol("y"), k = ode.graph->symbol("k");
    ode.parameters = {{"k", k, 1.0}};
    ode.states = {{"x", x, -k * x, ode.graph->constant(1)}, {"y", y, factor * x, ode.graph->constant(0)}};
    return {model::flatten(ode), {}, {}, {0}};
  }

  static std::vector<double> rates(const jit::ModelCode& code) {
    const jit::CompiledModel model(code);
    const double k = 2.0;
    std::vector<double> prelude(code.n_prelude), x{3.0, 1.0}, dx(2);
    model.prelude(&k, prelude.data());
    model.rates(0.0, x.data(), prelude.data(), dx.data());
    return dx;
  }

  std::vector<fs::path> files() const {
    std::vector<fs::path> result;
    for (const auto& entry : fs::directory_iterator(folder)) result.push_back(entry.path());
    return result;
  }
};

}  // namespace

TEST_F(CodeCache, gives_back_what_was_compiled) {
  const auto compiled = jit::compile_cached(source(5.0), {}, folder);
  ASSERT_EQ(files().size(), 1u);
  const auto time = fs::last_write_time(files()[0]);

  const auto found = jit::compile_cached(source(5.0), {}, folder);

  EXPECT_EQ(found.to_bytes(), compiled.to_bytes());
  EXPECT_EQ(fs::last_write_time(files()[0]), time);  // it has not been compiled again
  EXPECT_EQ(rates(found), (std::vector{-6.0, 15.0}));
}

TEST_F(CodeCache, tells_models_and_options_apart) {
  EXPECT_EQ(rates(jit::compile_cached(source(5.0), {}, folder))[1], 15.0);
  EXPECT_EQ(rates(jit::compile_cached(source(7.0), {}, folder))[1], 21.0);
  const auto second = jit::compile_cached(source(5.0), {.derivatives = jit::Derivatives::second}, folder);
  EXPECT_TRUE(second.curvature.is_present);
  EXPECT_EQ(files().size(), 3u);
}

TEST_F(CodeCache, compiles_anew_what_is_damaged) {
  jit::compile_cached(source(5.0), {}, folder);
  for (const std::string content : {"", "short", "00000000000000000000000000000000 and no code"}) {
    core::write_file_atomically(files()[0], content);
    EXPECT_EQ(rates(jit::compile_cached(source(5.0), {}, folder))[1], 15.0);
  }
  const std::string whole = core::read_file(files()[0]);
  core::write_file_atomically(files()[0], whole.substr(0, whole.size() - 1));
  EXPECT_EQ(rates(jit::compile_cached(source(5.0), {}, folder))[1], 15.0);
  EXPECT_EQ(core::read_file(files()[0]).size(), whole.size());
}

TEST_F(CodeCache, is_no_condition_for_compiling) {
  EXPECT_EQ(rates(jit::compile_cached(source(5.0), {}, {}))[1], 15.0);
  EXPECT_EQ(rates(jit::compile_cached(source(5.0), {}, "/proc/none"))[1], 15.0);
}

TEST_F(CodeCache, is_where_the_environment_says) {
  ::setenv("KINETUNE_CACHE", "/somewhere", 1);
  EXPECT_EQ(jit::cache_folder(), fs::path("/somewhere"));
  ::setenv("KINETUNE_CACHE", "", 1);
  EXPECT_EQ(jit::cache_folder(), std::nullopt);
  ::unsetenv("KINETUNE_CACHE");
  ::setenv("XDG_CACHE_HOME", "/caches", 1);
  EXPECT_EQ(jit::cache_folder(), fs::path("/caches/kinetune"));
  ::unsetenv("XDG_CACHE_HOME");
  ::setenv("HOME", "/users/me", 1);
  EXPECT_EQ(jit::cache_folder(), fs::path("/users/me/.cache/kinetune"));
}
