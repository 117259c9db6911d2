#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <unistd.h>

#include "core/error.hpp"
#include "fuzz/targets.hpp"
#include "petab/check.hpp"
#include "petab/problem.hpp"

namespace kinetune::fuzz {
namespace {

namespace fs = std::filesystem;

/// A folder of this process, removed at its end.
class Folder {
 public:
  Folder() : path_(fs::temp_directory_path() / ("kinetune_fuzz_" + std::to_string(::getpid()))) {
    fs::create_directories(path_);
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }

  fs::path path(std::string_view name) const { return path_ / name; }
  void clear() const {
    for (const auto& entry : fs::directory_iterator(path_)) fs::remove(entry);
  }

 private:
  fs::path path_;
};

bool is_plain(std::string_view name) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_';
  };
  return !name.empty() && name.size() < 40 && std::ranges::all_of(name, plain) && name != "." && name != "..";
}

/// Files that are left without a header belong to no file.
void write_files(std::string_view input, const Folder& folder) {
  constexpr std::string_view mark = "%%% ";
  auto next = input.find(mark);
  while (next != input.npos) {
    const std::size_t name_begin = next + mark.size();
    const std::size_t name_end = std::min(input.find('\n', name_begin), input.size());
    const std::string_view name = input.substr(name_begin, name_end - name_begin);
    const std::size_t text_begin = std::min(name_end + 1, input.size());
    next = input.find(mark, text_begin);
    if (is_plain(name))
      std::ofstream(folder.path(name), std::ios::binary) << input.substr(text_begin, next - text_begin);
  }
}

const petab::ModelEntities& entities() {
  using petab::EntityKind;
  static const petab::ModelEntities all{
      {"A", EntityKind::state},        {"B", EntityKind::state},        {"k1", EntityKind::parameter},
      {"k2", EntityKind::parameter},   {"dose", EntityKind::parameter}, {"cell", EntityKind::compartment},
      {"total", EntityKind::assigned}, {"r1", EntityKind::other},
  };
  return all;
}

}  // namespace

void read_petab(std::string_view input) {
  static const Folder folder;
  folder.clear();
  write_files(input, folder);
  petab::Diagnostics diagnostics;
  const petab::Problem problem = petab::read_problem(folder.path("problem.yaml"), diagnostics);
  try {
    const std::vector all(problem.models.size(), entities());
    petab::check_against_models(problem, all, diagnostics);
  } catch (const core::Error&) {
  }
}

}  // namespace kinetune::fuzz
