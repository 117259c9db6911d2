#include "example_run.hpp"

#include <fmt/format.h>

namespace example {

using namespace kinetune::store;

namespace {

std::string unequal_columns(const H5File& file, const std::string& group) {
  const auto names = file.names(group);
  for (const std::string& name : names) {
    const auto n = file.shape(group + "/" + name).at(0), first = file.shape(group + "/" + names[0]).at(0);
    if (n != first) return fmt::format("{}/{} has {} rows, {} has {}", group, name, n, names[0], first);
  }
  return {};
}

bool same(const ResultRow& a, const ResultRow& b) {
  return a.start_id == b.start_id && a.x == b.x && a.fval == b.fval && a.fval0 == b.fval0 &&
         a.status == b.status && a.message == b.message && a.n_iterations == b.n_iterations &&
         a.n_grad == b.n_grad && a.rank == b.rank;
}

bool same(const TraceRow& a, const TraceRow& b) {
  return a.iteration == b.iteration && a.n_fval == b.n_fval && a.fval == b.fval && a.x == b.x;
}

}  // namespace

std::string inconsistency(const std::filesystem::path& path, std::uint64_t at_least) {
  const RunReader reader(path);
  for (const char* group : {"/starts", "/results"}) {
    if (const auto text = unequal_columns(reader.file(), group); !text.empty()) return text;
  }
  const auto starts = reader.starts();
  const auto results = reader.results();
  if (results.size() < at_least)
    return fmt::format("{} results, {} were committed", results.size(), at_least);
  if (starts.size() != results.size()) return "starts and results differ in number";
  for (std::uint64_t id = 0; id < results.size(); ++id) {
    if (starts[id].id != id || starts[id].x0 != start(id).x0) return fmt::format("start {} is wrong", id);
    if (!same(results[id], result(id))) return fmt::format("result {} is wrong", id);
  }
  for (std::uint64_t id = results.size() < 20 ? 0 : results.size() - 20; id < results.size(); ++id) {
    const auto found = reader.trace(id), expected = trace(id);
    if (!std::ranges::equal(found, expected, [](const auto& a, const auto& b) { return same(a, b); })) {
      return fmt::format("trace {} is wrong", id);
    }
  }
  return {};
}

}  // namespace example
