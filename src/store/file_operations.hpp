#pragma once

#include <filesystem>

#include "core/unique_handle.hpp"

namespace kinetune::store {

struct DescriptorPolicy {
  using type = int;
  static type null() noexcept { return -1; }
  static void destroy(type) noexcept;
};
using Descriptor = core::UniqueHandle<DescriptorPolicy>;

/// core::Error that names the file and tells errno.
[[noreturn]] void fail_with_errno(const std::filesystem::path&, const char* what);
/// Opens for reading. @throws core::Error
Descriptor open_to_read(const std::filesystem::path&);
/// Copies all of an open file, also one whose name is gone, to a new name. @throws core::Error
void copy_file(const Descriptor& from, const std::filesystem::path& to);
/// Whether the name still leads to the open file.
bool names_open_file(const std::filesystem::path&, int descriptor);

}  // namespace kinetune::store
