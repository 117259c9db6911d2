#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace kinetune::core {

/// The whole content of a file. @throws Error when it cannot be read or is no regular file
std::string read_file(const std::filesystem::path&);

/// Writes beside the target, syncs, renames: a reader sees the old content or the new, never a part.
/// @throws Error when the content could not be made durable; the target is then untouched
void write_file_atomically(const std::filesystem::path&, std::string_view content);

/// Makes a rename or a new name in this folder durable. @throws Error
void sync_folder(const std::filesystem::path&);

}  // namespace kinetune::core
