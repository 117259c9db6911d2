#include "store/file_operations.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.hpp"

namespace kinetune::store {

void DescriptorPolicy::destroy(type descriptor) noexcept { ::close(descriptor); }

void fail_with_errno(const std::filesystem::path& path, const char* what) {
  const int code = errno;
  throw core::Error({path.string(), 0}, std::string(what) + " (" + std::strerror(code) + ")");
}

Descriptor open_to_read(const std::filesystem::path& path) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) fail_with_errno(path, "cannot be opened");
  return file;
}

void copy_file(const Descriptor& from, const std::filesystem::path& to) {
  struct stat status {};
  if (::fstat(from.get(), &status) != 0) fail_with_errno(to, "cannot be copied");
  const Descriptor copy(::open(to.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, status.st_mode & 0777));
  if (!copy) fail_with_errno(to, "cannot be created");
  for (off_t position = 0; position < status.st_size;) {
    const auto left = static_cast<std::size_t>(status.st_size - position);
    const ssize_t n = ::sendfile(copy.get(), from.get(), &position, left);
    if (n == 0) errno = EIO;  // the source shrank, which nobody but us may do to it
    if (n <= 0 && errno != EINTR) fail_with_errno(to, "cannot be written");
  }
}

bool names_open_file(const std::filesystem::path& path, int descriptor) {
  struct stat named {
  }, open{};
  return ::stat(path.c_str(), &named) == 0 && ::fstat(descriptor, &open) == 0 &&
         named.st_dev == open.st_dev && named.st_ino == open.st_ino;
}

}  // namespace kinetune::store
