#include "store/durable_file.hpp"

#include <cerrno>
#include <cstdio>
#include <optional>
#include <utility>

#include <unistd.h>

#include "core/error.hpp"
#include "core/file.hpp"
#include "store/h5_file.hpp"

namespace kinetune::store {
namespace {

namespace fs = std::filesystem;

fs::path hidden_beside(const fs::path& path, const char* suffix) {
  return path.parent_path() / ("." + path.filename().string() + suffix);
}

/// Follows links, so that renaming replaces the file and not a link to it.
fs::path resolved(const fs::path& path) {
  std::error_code code;
  const fs::path result = fs::weakly_canonical(fs::absolute(path), code);
  return code ? path : result;
}

void rename_file(const fs::path& from, const fs::path& to) {
  if (std::rename(from.c_str(), to.c_str()) != 0) fail_with_errno(to, "cannot be replaced");
}

}  // namespace

void require_new_file(const fs::path& path, Overwrite overwrite) {
  if (path.empty()) throw core::Error({}, "no name for the file", "give one with -o");
  std::error_code code;
  for (const fs::path& name : {path, hidden_beside(path, ".spare")}) {  // that is the longest of its names
    if (fs::status(name, code).type() == fs::file_type::none)
      throw core::Error({path.string(), 0}, "cannot be a file (" + code.message() + ")",
                        "choose another name");
  }
  const fs::file_status status = fs::status(path, code);
  if (fs::exists(status) && !fs::is_regular_file(status))
    throw core::Error({path.string(), 0}, "is no file", "choose another name");
  if (!fs::is_directory(fs::absolute(path).parent_path()))
    throw core::Error({path.string(), 0}, "its folder does not exist", "make it, or choose another");
  if (overwrite == Overwrite::no && fs::exists(status)) {
    throw core::Error({path.string(), 0}, "exists already",
                      "go on with it by --resume, choose another name, or overwrite it with --force");
  }
}

DurableFile::DurableFile(const fs::path& path, RunLock lock, HardLinks hard_links)
    : path_(path),
      spare_path_(hidden_beside(path, ".spare")),
      old_path_(hidden_beside(path, ".old")),
      lock_(std::move(lock)),
      hard_links_(hard_links) {
  discard_spare();
}

DurableFile DurableFile::create(const fs::path& path, Overwrite overwrite, const Batch& first,
                                HardLinks links) {
  require_new_file(path, overwrite);
  const fs::path target = resolved(path);
  DurableFile file(target, RunLock(hidden_beside(target, ".lock")), links);
  require_new_file(path, overwrite);  // nobody has made it before the lock was ours
  H5File fresh(file.spare_path_, Access::create);
  fresh.apply(first);
  fresh.close();
  file.visible_ = open_to_read(file.spare_path_);
  rename_file(file.spare_path_, target);
  core::sync_folder(target.parent_path());
  return file;
}

DurableFile DurableFile::open(const fs::path& path, HardLinks links) {
  const fs::path target = resolved(path);
  if (!fs::exists(target)) throw core::Error({path.string(), 0}, "no such file", "check the path");
  DurableFile file(target, RunLock(hidden_beside(target, ".lock")), links);
  file.visible_ = open_to_read(target);
  return file;
}

DurableFile::~DurableFile() {
  if (lock_.held()) discard_spare();
}

std::expected<void, CommitFailure> DurableFile::commit() {
  if (pending_.empty()) return {};
  try {
    fs::create_directories(path_.parent_path());
    lock_.renew();
    write_spare();
    show_spare();
  } catch (const std::exception& error) {
    discard_spare();
    return std::unexpected(CommitFailure{error.what()});
  }
  last_ = std::exchange(pending_, {});
  try {
    core::sync_folder(path_.parent_path());
  } catch (const core::Error& error) {
    return std::unexpected(CommitFailure{error.what()});
  }
  return {};
}

/// Leaves the spare complete and durable: all that is committed, and what is pending.
void DurableFile::write_spare() {
  std::optional<H5File> spare;
  if (spare_ && names_open_file(spare_path_, spare_.get())) {
    try {
      spare.emplace(spare_path_, Access::update);
    } catch (const core::Error&) {
      discard_spare();  // a reader holds it from when it was the visible one, and keeps it without its name
    }
  }
  if (spare) {
    spare->apply(last_);
  } else {
    copy_file(visible_, spare_path_);
    spare.emplace(spare_path_, Access::update);
  }
  spare->apply(pending_);
  spare->close();
}

/// Swaps the names. Throws only before the swap has happened.
void DurableFile::show_spare() {
  Descriptor next = open_to_read(spare_path_);
  const bool old_kept = link_old();
  rename_file(spare_path_, path_);
  spare_ = std::move(visible_);
  visible_ = std::move(next);
  if (!old_kept || std::rename(old_path_.c_str(), spare_path_.c_str()) != 0) spare_.reset();
}

/// A second name for the visible file. False where there can be none, or where it would be some other file.
bool DurableFile::link_old() const {
  ::unlink(old_path_.c_str());
  return hard_links_ == HardLinks::use && names_open_file(path_, visible_.get()) &&
         ::link(path_.c_str(), old_path_.c_str()) == 0;
}

void DurableFile::discard_spare() noexcept {
  ::unlink(spare_path_.c_str());
  ::unlink(old_path_.c_str());
  spare_.reset();
}

}  // namespace kinetune::store
