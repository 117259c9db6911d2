#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "store/batch.hpp"
#include "store/column.hpp"

namespace kinetune::store {

enum class Access { read, update, create };

/// Some rows of a column that follow each other.
struct Rows {
  std::uint64_t offset, count;
};

/// An HDF5 file of columns. HDF5 as Debian builds it is not thread-safe: in one process, one thread at a time
/// may use this class. Every member throws core::Error when HDF5 refuses.
class H5File {
 public:
  /// `create` empties a file that is there. `update` fails while somebody reads the file.
  H5File(const std::filesystem::path&, Access);
  H5File(H5File&&) noexcept;
  H5File& operator=(H5File&&) noexcept;
  ~H5File();

  void apply(const Batch&);
  /// Ends writing: all of it is on disk, or this throws and the file is worthless.
  void close();

  bool has(const std::string& path) const;
  /// Names in a group, in alphabetical order.
  std::vector<std::string> names(const std::string& group) const;
  /// Extents of a column, rows first.
  std::vector<std::uint64_t> shape(const std::string& path) const;
  /// Elements of all rows, or of some, row-major. T: double, float, int64, uint64, int8 (codes of a
  /// category), string.
  template <class T>
  std::vector<T> read(const std::string& path, std::optional<Rows> = {}) const;
  /// T: string, uint64, double, vector of string.
  template <class T>
  T attribute(const std::string& object, const std::string& name) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace kinetune::store
