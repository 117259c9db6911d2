#pragma once

#include <cstdint>

namespace kinetune::store {

/// The first error of writing to a file that HDF5 has open.
struct WriteFailure {
  int code = 0;  ///< errno; 0 while all went well
};

/// An HDF5 file driver for files that are written: HDF5 never sees a write fail. HDF5 does not survive that
/// (a file that cannot be flushed cannot be closed, and the library goes down with it at exit), so the driver
/// notes the first error, drops everything after it and lets HDF5 finish in peace; the caller then throws the
/// file away. A file is locked as HDF5 itself would lock it, so that opening one that somebody reads fails,
/// and it is durable (fsync) when it is closed.
///
/// @param failure  filled in until the file is closed; must live that long
/// @return an HDF5 file access property list (hid_t), to be closed by the caller
std::int64_t access_with_posix_driver(WriteFailure& failure);

}  // namespace kinetune::store
