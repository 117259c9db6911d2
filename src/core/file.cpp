#include "core/file.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include <fcntl.h>
#include <unistd.h>

#include "core/error.hpp"
#include "core/unique_handle.hpp"

namespace kinetune::core {
namespace {

struct Descriptor {
  using type = int;
  static type null() noexcept { return -1; }
  static void destroy(type descriptor) noexcept { ::close(descriptor); }
};

[[noreturn]] void fail(const std::filesystem::path& path, const char* what) {
  const int code = errno;
  throw Error({path.string(), 0}, std::string(what) + " (" + std::strerror(code) + ")");
}

void write_all(int descriptor, std::string_view content, const std::filesystem::path& path) {
  while (!content.empty()) {
    const ssize_t written = ::write(descriptor, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail(path, "cannot write");
    content.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

std::string read_file(const std::filesystem::path& path) {
  std::error_code code;
  const auto status = std::filesystem::status(path, code);
  if (!std::filesystem::exists(status)) throw Error({path.string(), 0}, "no such file", "check the path");
  if (!std::filesystem::is_regular_file(status)) {
    throw Error({path.string(), 0}, "not a regular file", "give the path of a file");
  }
  std::ifstream stream(path, std::ios::binary);
  if (!stream) fail(path, "cannot be read");
  std::ostringstream content;
  content << stream.rdbuf();
  if (stream.bad()) fail(path, "cannot be read");
  return std::move(content).str();
}

void write_file_atomically(const std::filesystem::path& path, std::string_view content) {
  std::filesystem::path temporary = path;
  temporary += ".tmp";
  try {
    UniqueHandle<Descriptor> file(::open(temporary.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644));
    if (!file) fail(temporary, "cannot be created");
    write_all(file.get(), content, temporary);
    if (::fsync(file.get()) != 0) fail(temporary, "cannot be made durable");
    if (::rename(temporary.c_str(), path.c_str()) != 0) fail(path, "cannot be replaced");
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
  sync_folder(path.parent_path());
}

void sync_folder(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder.empty() ? "." : folder;
  UniqueHandle<Descriptor> descriptor(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!descriptor) fail(path, "cannot be opened");
  if (::fsync(descriptor.get()) != 0 && errno != EINVAL) fail(path, "cannot be made durable");
}

}  // namespace kinetune::core
