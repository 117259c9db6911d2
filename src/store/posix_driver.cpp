#include "store/posix_driver.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include <fcntl.h>
#include <hdf5.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#if H5_VERSION_GE(1, 13, 0)
#include <H5FDdevelop.h>
#endif

namespace kinetune::store {
namespace {

/// What travels in the property list; HDF5 copies it byte by byte.
struct Settings {
  WriteFailure* failure;
};

struct OpenFile {
  H5FD_t base{};  // HDF5 knows the file by this member, hence it comes first
  int descriptor = -1;
  haddr_t allocated = 0;
  haddr_t end = 0;  // of what was written, or would have been but for the failure
  dev_t device = 0;
  ino_t inode = 0;
  WriteFailure* failure = nullptr;
};

OpenFile& mine(H5FD_t* file) { return *reinterpret_cast<OpenFile*>(file); }
const OpenFile& mine(const H5FD_t* file) { return *reinterpret_cast<const OpenFile*>(file); }

void note_failure(OpenFile& file) {
  if (file.failure->code == 0) file.failure->code = errno;
}

int posix_flags(unsigned flags) {
  int result = O_CLOEXEC | ((flags & H5F_ACC_RDWR) ? O_RDWR : O_RDONLY);
  if (flags & H5F_ACC_TRUNC) result |= O_TRUNC;
  if (flags & H5F_ACC_CREAT) result |= O_CREAT;
  if (flags & H5F_ACC_EXCL) result |= O_EXCL;
  return result;
}

/// A file system without locks is no reason not to write.
bool lock(int descriptor) { return ::flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK; }

H5FD_t* open_file(const char* name, unsigned flags, hid_t access, haddr_t) {
  const auto* settings = static_cast<const Settings*>(H5Pget_driver_info(access));
  if (settings == nullptr) return nullptr;
  const int descriptor = ::open(name, posix_flags(flags), 0666);
  if (descriptor < 0) return nullptr;
  struct stat status {};
  if (!lock(descriptor) || ::fstat(descriptor, &status) != 0) {
    ::close(descriptor);
    return nullptr;
  }
  auto file = std::make_unique<OpenFile>();
  file->descriptor = descriptor;
  file->end = static_cast<haddr_t>(status.st_size);
  file->device = status.st_dev;
  file->inode = status.st_ino;
  file->failure = settings->failure;
  return &file.release()->base;
}

herr_t close_file(H5FD_t* handle) {
  std::unique_ptr<OpenFile> file(&mine(handle));
  if (::fsync(file->descriptor) != 0) note_failure(*file);
  if (::close(file->descriptor) != 0) note_failure(*file);
  return 0;
}

int compare(const H5FD_t* a, const H5FD_t* b) {
  const OpenFile &left = mine(a), &right = mine(b);
  if (left.device != right.device) return left.device < right.device ? -1 : 1;
  if (left.inode != right.inode) return left.inode < right.inode ? -1 : 1;
  return 0;
}

herr_t query(const H5FD_t*, unsigned long* features) {
  *features = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
              H5FD_FEAT_AGGREGATE_SMALLDATA | H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
  return 0;
}

haddr_t allocated_end(const H5FD_t* file, H5FD_mem_t) { return mine(file).allocated; }
haddr_t file_end(const H5FD_t* file, H5FD_mem_t) { return mine(file).end; }
herr_t set_allocated_end(H5FD_t* file, H5FD_mem_t, haddr_t address) {
  mine(file).allocated = address;
  return 0;
}

herr_t read_bytes(H5FD_t* handle, H5FD_mem_t, hid_t, haddr_t address, size_t size, void* buffer) {
  const OpenFile& file = mine(handle);
  auto* next = static_cast<char*>(buffer);
  while (size > 0) {
    const ssize_t n = ::pread(file.descriptor, next, size, static_cast<off_t>(address));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return -1;
    if (n == 0) {  // beyond the end HDF5 expects zeros
      std::memset(next, 0, size);
      return 0;
    }
    next += n;
    address += static_cast<haddr_t>(n);
    size -= static_cast<size_t>(n);
  }
  return 0;
}

herr_t write_bytes(H5FD_t* handle, H5FD_mem_t, hid_t, haddr_t address, size_t size, const void* buffer) {
  OpenFile& file = mine(handle);
  file.end = std::max(file.end, address + size);
  const auto* next = static_cast<const char*>(buffer);
  while (size > 0 && file.failure->code == 0) {
    const ssize_t n = ::pwrite(file.descriptor, next, size, static_cast<off_t>(address));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      note_failure(file);
      break;
    }
    next += n;
    address += static_cast<haddr_t>(n);
    size -= static_cast<size_t>(n);
  }
  return 0;
}

herr_t truncate(H5FD_t* handle, hid_t, hbool_t) {
  OpenFile& file = mine(handle);
  if (file.end == file.allocated) return 0;
  if (file.failure->code == 0 && ::ftruncate(file.descriptor, static_cast<off_t>(file.allocated)) != 0) {
    note_failure(file);
  }
  file.end = file.allocated;
  return 0;
}

H5FD_class_t driver_class() {
  H5FD_class_t driver{};
#if H5_VERSION_GE(1, 13, 0)
  driver.version = H5FD_CLASS_VERSION;
  driver.value = static_cast<H5FD_class_value_t>(713);  // any number above HDF5's own and its registered ones
#endif
  driver.name = "kinetune_posix";
  driver.maxaddr = HADDR_MAX / 2;
  driver.fc_degree = H5F_CLOSE_STRONG;
  driver.fapl_size = sizeof(Settings);
  driver.open = open_file;
  driver.close = close_file;
  driver.cmp = compare;
  driver.query = query;
  driver.get_eoa = allocated_end;
  driver.set_eoa = set_allocated_end;
  driver.get_eof = file_end;
  driver.read = read_bytes;
  driver.write = write_bytes;
  driver.truncate = truncate;
  const H5FD_mem_t kinds[H5FD_MEM_NTYPES] = H5FD_FLMAP_DICHOTOMY;
  std::copy(std::begin(kinds), std::end(kinds), std::begin(driver.fl_map));
  return driver;
}

}  // namespace

std::int64_t access_with_posix_driver(WriteFailure& failure) {
  static const H5FD_class_t driver = driver_class();
  static const hid_t id = H5FDregister(&driver);
  const Settings settings{&failure};
  const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_driver(access, id, &settings);
  return access;
}

}  // namespace kinetune::store
