#pragma once

#include <cstdlib>
#include <filesystem>

namespace kinetune {

/// The folder of public data and reference values, which may be absent.
inline std::filesystem::path shared_folder() {
  const char* folder = std::getenv("KINETUNE_SHARED");
  return folder ? std::filesystem::path(folder)
                : std::filesystem::path(KINETUNE_SOURCE_DIR) / ".." / "shared";
}

}  // namespace kinetune
