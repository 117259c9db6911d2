#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/random.hpp"
#include "store/run_file.hpp"
#include "store/run_reader.hpp"

/// A study whose every number follows from a start's id, so that a reader can tell what must be in the file.
namespace example {

inline constexpr std::size_t n_x = 3;

/// A folder of this test alone, empty.
inline std::filesystem::path fresh_folder(const std::string& name) {
  const auto folder = std::filesystem::temp_directory_path() / ("kinetune_test_store_" + name);
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  return folder;
}

inline kinetune::store::RunHeader header() {
  return {.kinetune_version = "0.1.0",
          .command_line = "kinetune fit problem.yaml",
          .study = "problem: problem.yaml\nstarts: 100\n",
          .seed = 0xffff'ffff'ffff'fff0,
          .inputs_checksum = "99aa06d3014798d86001c324468d497f",
          .start_time = "2024-05-01T12:00:00Z",
          .end_time = ""};
}

inline std::vector<kinetune::store::ParameterRow> parameters() {
  return {
      {"k1", "rate of α", "log10", -5, 5, 0.5}, {"k2", "", "lin", 0, 10, 1}, {"s", "noise", "log", -3, 3, 0}};
}

inline std::vector<double> vector_of(std::uint64_t id, std::uint64_t stream) {
  kinetune::core::RandomStream random(id, stream);
  return {random.normal(), random.normal(), random.normal()};
}

inline kinetune::store::StartRow start(std::uint64_t id) {
  return {.id = id, .source = "lhs", .x0 = vector_of(id, 0), .f0 = 1000.0 + static_cast<double>(id)};
}

inline kinetune::store::ResultRow result(std::uint64_t id) {
  return {
      .start_id = id,
      .x = vector_of(id, 1),
      .fval = 0.5 + static_cast<double>(id),
      .fval0 = 1000.0 + static_cast<double>(id),
      .gradient_norm = 1e-6,
      .status = id % 2 == 0 ? kinetune::store::StartStatus::converged : kinetune::store::StartStatus::stalled,
      .message = "reason " + std::to_string(id),
      .condition = "",
      .time = 0,
      .n_iterations = id + 1,
      .n_fval = id + 2,
      .n_grad = id + 3,
      .n_hess = 0,
      .n_fallback = id % 3,
      .wall_seconds = 1.5,
      .cpu_seconds = 1.25,
      .rank = id % 4};
}

/// Of different lengths, also none.
inline std::vector<kinetune::store::TraceRow> trace(std::uint64_t id) {
  std::vector<kinetune::store::TraceRow> rows;
  for (std::uint64_t i = 0; i < id % 5; ++i) {
    rows.push_back({.iteration = i,
                    .n_fval = 2 * i,
                    .seconds = 0.1 * static_cast<double>(i),
                    .fval = static_cast<double>(id * 100 - i),
                    .gradient_norm = 1,
                    .x = vector_of(id, 10 + i)});
  }
  return rows;
}

inline void add(kinetune::store::RunFile& file, std::uint64_t id) {
  file.add_start(start(id));
  file.add_result(result(id), trace(id));
}

/// Empty if the file holds exactly the starts 0..n-1, n >= at_least; otherwise what is wrong.
std::string inconsistency(const std::filesystem::path&, std::uint64_t at_least);

}  // namespace example
