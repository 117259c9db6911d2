#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <string>

#include "store/batch.hpp"
#include "store/file_operations.hpp"
#include "store/run_lock.hpp"

namespace kinetune::store {

enum class Overwrite { no, yes };
/// Whether the file system is asked for hard links. `avoid` is for tests; a refusal is noticed anyway.
enum class HardLinks { use, avoid };

/// Why a commit did not succeed, for the log. Nothing is lost: the rows wait for the next commit.
struct CommitFailure {
  std::string reason;
};

/// What create() asks of a path, to be asked before anything is computed for the file. @throws core::Error
void require_new_file(const std::filesystem::path&, Overwrite);

/// An HDF5 file whose name leads, at every moment, to a closed and valid file that holds all that was
/// committed.
///
/// Two files alternate: the one that is seen (run.h5) and a hidden spare (.run.h5.spare) that is one commit
/// behind. A commit writes the previous rows and the new ones into the spare, closes it durably and swaps the
/// names; so it costs twice the new rows and never the size of the file. Where the process may be killed, and
/// what is then found:
///
// clang-format off
///   | killed                                  | run.h5   | beside it                | resuming removes |
///   | --------------------------------------- | -------- | ------------------------ | ---------------- |
///   | while the spare is written or copied    | previous | a torn spare             | the spare        |
///   | after the spare was closed              | previous | a spare one commit ahead | the spare        |
///   | after run.h5 was linked to .run.h5.old  | previous | the same, and .old       | both             |
///   | after the spare was renamed to run.h5   | new      | .old, one commit behind  | .old             |
///   | after .old was renamed to the spare     | new      | a good spare             | the spare        |
// clang-format on
///
/// Only the rename to run.h5 counts, and it is atomic. Without a spare (first commit, resumed run, commit
/// that failed, a spare that a reader still holds from before the swap) the visible file is copied once. The
/// file stays open for reading, so that it can be copied even when its folder was removed; the folder is then
/// made again. File systems without hard links do without the third name: the spare replaces the file, and
/// each commit copies.
///
/// One thread at a time, see H5File.
class DurableFile {
 public:
  /// Makes the file with its first content, committed. @throws core::Error when it exists and may not be
  /// overwritten, another process writes it, or it cannot be written
  static DurableFile create(const std::filesystem::path&, Overwrite, const Batch& first,
                            HardLinks = HardLinks::use);
  /// Goes on with a file that exists. @throws core::Error
  static DurableFile open(const std::filesystem::path&, HardLinks = HardLinks::use);
  DurableFile(DurableFile&&) = default;
  /// Does not commit.
  ~DurableFile();

  /// What the next commit writes; changes are added here.
  Batch& pending() { return pending_; }
  /// All or nothing. After a failure the pending changes are still pending.
  std::expected<void, CommitFailure> commit();

  const std::filesystem::path& path() const { return path_; }

 private:
  DurableFile(const std::filesystem::path&, RunLock, HardLinks);
  void write_spare();
  void show_spare();
  void discard_spare() noexcept;
  bool link_old() const;

  std::filesystem::path path_, spare_path_, old_path_;
  RunLock lock_;
  HardLinks hard_links_;
  Descriptor visible_;  ///< of the committed file, whatever becomes of its name
  Descriptor spare_;    ///< of the committed file before that; null where there is none
  Batch last_;          ///< what the spare lacks
  Batch pending_;
};

}  // namespace kinetune::store
