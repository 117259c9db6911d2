#pragma once

#include <filesystem>

namespace kinetune::store {

/// The right to write one file, held by one process. The kernel takes it back when the process ends, however
/// it ends. Where the file system knows no locks it protects from nothing.
class RunLock {
 public:
  /// @param path  of the lock's own file, which is made, and removed in the end
  /// @throws core::Error when another process holds it (says which) or it cannot be made
  explicit RunLock(std::filesystem::path path);
  RunLock(RunLock&&) noexcept;
  RunLock& operator=(RunLock&&) = delete;
  ~RunLock();

  /// Takes the lock again if its file has vanished with its folder. @throws core::Error as above
  void renew();
  /// False once moved from.
  bool held() const { return descriptor_ >= 0; }

 private:
  void take();

  std::filesystem::path path_;
  int descriptor_ = -1;
};

}  // namespace kinetune::store
