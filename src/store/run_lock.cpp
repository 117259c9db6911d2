#include "store/run_lock.hpp"

#include <cerrno>
#include <string>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "core/error.hpp"
#include "store/file_operations.hpp"

namespace kinetune::store {
namespace {

std::string this_process() {
  char host[256] = {};
  ::gethostname(host, sizeof host - 1);
  return "process " + std::to_string(::getpid()) + " on " + host;
}

std::string holder(int descriptor) {
  char text[512] = {};
  const ssize_t n = ::pread(descriptor, text, sizeof text - 1, 0);
  return n > 0 ? std::string(text, static_cast<std::size_t>(n)) : "another process";
}

}  // namespace

RunLock::RunLock(std::filesystem::path path) : path_(std::move(path)) { take(); }

RunLock::RunLock(RunLock&& other) noexcept
    : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)) {}

RunLock::~RunLock() {
  if (descriptor_ < 0) return;
  if (names_open_file(path_, descriptor_)) ::unlink(path_.c_str());
  ::close(descriptor_);
}

void RunLock::renew() {
  if (names_open_file(path_, descriptor_)) return;
  ::close(std::exchange(descriptor_, -1));
  take();
}

void RunLock::take() {
  while (true) {
    Descriptor file(::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
    if (!file) fail_with_errno(path_, "cannot be created");
    if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
      throw core::Error({path_.string(), 0}, holder(file.get()) + " is writing this run",
                        "wait for it to end, or choose another output file");
    }
    // Whoever held the lock may have removed the file between our two calls: then we hold a lock that nobody
    // sees.
    if (!names_open_file(path_, file.get())) continue;
    const std::string owner = this_process();
    if (::ftruncate(file.get(), 0) == 0) {
      [[maybe_unused]] const ssize_t ignored = ::pwrite(file.get(), owner.data(), owner.size(), 0);
    }
    descriptor_ = file.release();
    return;
  }
}

}  // namespace kinetune::store
