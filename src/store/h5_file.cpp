#include "store/h5_file.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <functional>
#include <numeric>
#include <utility>

#include <hdf5.h>

#include "core/error.hpp"
#include "core/unique_handle.hpp"
#include "store/posix_driver.hpp"

namespace kinetune::store {
namespace {

template <herr_t (*close)(hid_t)>
struct Id {
  using type = hid_t;
  static type null() noexcept { return H5I_INVALID_HID; }
  static void destroy(type id) noexcept { close(id); }
};
using File = core::UniqueHandle<Id<H5Fclose>>;
using Dataset = core::UniqueHandle<Id<H5Dclose>>;
using Space = core::UniqueHandle<Id<H5Sclose>>;
using Type = core::UniqueHandle<Id<H5Tclose>>;
using Properties = core::UniqueHandle<Id<H5Pclose>>;
using AttributeId = core::UniqueHandle<Id<H5Aclose>>;
using Object = core::UniqueHandle<Id<H5Oclose>>;
using Group = core::UniqueHandle<Id<H5Gclose>>;
using Extents = std::vector<hsize_t>;

/// What HDF5 says of its last failure: the innermost message, where the cause is.
std::string reason() {
  std::string text;
  H5Ewalk2(
      H5E_DEFAULT, H5E_WALK_UPWARD,
      [](unsigned depth, const H5E_error2_t* error, void* out) -> herr_t {
        if (depth == 0 && error->desc != nullptr) *static_cast<std::string*>(out) = error->desc;
        return 0;
      },
      &text);
  return text.empty() ? text : " (HDF5: " + text + ")";
}

template <class T>
Type memory_type() {
  if constexpr (std::is_same_v<T, double>) return Type(H5Tcopy(H5T_NATIVE_DOUBLE));
  if constexpr (std::is_same_v<T, float>) return Type(H5Tcopy(H5T_NATIVE_FLOAT));
  if constexpr (std::is_same_v<T, std::int64_t>) return Type(H5Tcopy(H5T_NATIVE_INT64));
  if constexpr (std::is_same_v<T, std::uint64_t>) return Type(H5Tcopy(H5T_NATIVE_UINT64));
  if constexpr (std::is_same_v<T, std::int8_t>) return Type(H5Tcopy(H5T_NATIVE_INT8));
  if constexpr (std::is_same_v<T, std::string>) {
    Type type(H5Tcopy(H5T_C_S1));
    H5Tset_size(type.get(), H5T_VARIABLE);
    H5Tset_cset(type.get(), H5T_CSET_UTF8);
    return type;
  }
}

Type category_type(const std::vector<std::string>& labels) {
  Type type(H5Tenum_create(H5T_NATIVE_INT8));
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto code = static_cast<std::int8_t>(i);
    H5Tenum_insert(type.get(), labels[i].c_str(), &code);
  }
  return type;
}

Type element_type(const Column& column) {
  if (column.type == ElementType::category) return category_type(column.labels);
  return std::visit([]<class T>(const std::vector<T>&) { return memory_type<T>(); }, no_values(column.type));
}

/// Rows in one chunk: 128 KiB of them where rows are long, and few enough that a short file stays small.
hsize_t rows_per_chunk(const Column& column, std::size_t element_size) {
  const std::uint64_t row_bytes = n_elements_per_row(column) * element_size;
  return std::clamp<std::uint64_t>(131072 / row_bytes, 1, 2048);
}

std::vector<const char*> pointers(const std::vector<std::string>& texts) {
  std::vector<const char*> result;
  for (const auto& text : texts) result.push_back(text.c_str());
  return result;
}

void reclaim(hid_t type, hid_t space, void* buffer) {
#if H5_VERSION_GE(1, 12, 0)
  H5Treclaim(type, space, H5P_DEFAULT, buffer);
#else
  H5Dvlen_reclaim(type, space, H5P_DEFAULT, buffer);
#endif
}

/// Rows of a dataset, and the same number of elements in memory.
struct Selection {
  Space in_file, in_memory;
};

/// HDF5's own strings, freed with it.
struct Texts {
  hid_t type, space;
  std::vector<char*> pointers;
  ~Texts() { reclaim(type, space, pointers.data()); }
  std::vector<std::string> copy() const {
    std::vector<std::string> result;
    for (const char* text : pointers) result.emplace_back(text == nullptr ? "" : text);
    return result;
  }
};

}  // namespace

struct H5File::Impl {
  std::filesystem::path path;
  Access access;
  std::unique_ptr<WriteFailure> failure = std::make_unique<WriteFailure>();
  File file;

  [[noreturn]] void fail(const std::string& what) const {
    std::string why = reason();
    if (failure->code != 0) why = std::string(" (") + std::strerror(failure->code) + ")";
    throw core::Error({path.string(), 0}, what + why);
  }
  template <class Handle>
  Handle made(Handle handle, const std::string& what) const {
    if (handle.get() < 0) fail(what);
    return handle;
  }
  void check(herr_t result, const std::string& what) const {
    if (result < 0) fail(what);
  }

  void open();
  bool has(const std::string& path) const;
  Dataset dataset(const std::string& path) const;
  Dataset make(const Column&) const;
  Extents extents(const Dataset&) const;
  void apply(const Batch::Change&) const;
  Selection select(const Dataset&, const Extents& offset, const Extents& count) const;
  void write_rows(const Dataset&, const Values&, const Extents& offset, const Extents& count) const;
  void set_attribute(hid_t object, const std::string& name, const Attribute&) const;
  AttributeId attribute(const std::string& object, const std::string& name) const;
};

void H5File::Impl::open() {
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);  // failures are reported by exceptions
  Properties properties(access == Access::read ? H5Pcreate(H5P_FILE_ACCESS)
                                               : access_with_posix_driver(*failure));
  H5Pset_libver_bounds(properties.get(), H5F_LIBVER_V110, H5F_LIBVER_V110);
  H5Pset_fclose_degree(properties.get(), H5F_CLOSE_STRONG);
  const std::string name = path.string();
  if (access == Access::create) {
    file = made(File(H5Fcreate(name.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, properties.get())),
                "cannot be created");
  } else {
    const unsigned flags = access == Access::read ? H5F_ACC_RDONLY : H5F_ACC_RDWR;
    file = made(File(H5Fopen(name.c_str(), flags, properties.get())), "cannot be opened as an HDF5 file");
  }
}

bool H5File::Impl::has(const std::string& path) const {
  for (std::size_t end = path.find('/', 1);;
       end = path.find('/', end + 1)) {  // HDF5 asks for each link on the way
    if (H5Lexists(file.get(), path.substr(0, end).c_str(), H5P_DEFAULT) <= 0) return false;
    if (end == std::string::npos) return true;
  }
}

Dataset H5File::Impl::dataset(const std::string& path) const {
  return made(Dataset(H5Dopen2(file.get(), path.c_str(), H5P_DEFAULT)), "has no column " + path);
}

Extents H5File::Impl::extents(const Dataset& dataset) const {
  const Space space(H5Dget_space(dataset.get()));
  Extents result(std::max(0, H5Sget_simple_extent_ndims(space.get())));
  H5Sget_simple_extent_dims(space.get(), result.data(), nullptr);
  return result;
}

Dataset H5File::Impl::make(const Column& column) const {
  const Type type = element_type(column);
  Extents now{0}, limit{H5S_UNLIMITED}, chunk{rows_per_chunk(column, H5Tget_size(type.get()))};
  for (Extents* extents : {&now, &limit, &chunk}) {
    extents->insert(extents->end(), column.row_shape.begin(), column.row_shape.end());
  }
  const Space space(H5Screate_simple(static_cast<int>(now.size()), now.data(), limit.data()));
  const Properties creation(H5Pcreate(H5P_DATASET_CREATE)), links(H5Pcreate(H5P_LINK_CREATE));
  H5Pset_chunk(creation.get(), static_cast<int>(chunk.size()), chunk.data());
  H5Pset_create_intermediate_group(links.get(), 1);
  H5Pset_char_encoding(links.get(), H5T_CSET_UTF8);
  Dataset dataset = made(Dataset(H5Dcreate2(file.get(), column.path.c_str(), type.get(), space.get(),
                                            links.get(), creation.get(), H5P_DEFAULT)),
                         "cannot make column " + column.path);
  set_attribute(dataset.get(), "description", column.description);
  if (!column.unit.empty()) set_attribute(dataset.get(), "unit", column.unit);
  return dataset;
}

Selection H5File::Impl::select(const Dataset& dataset, const Extents& offset, const Extents& count) const {
  Selection result{Space(H5Dget_space(dataset.get())),
                   Space(H5Screate_simple(static_cast<int>(count.size()), count.data(), nullptr))};
  check(H5Sselect_hyperslab(result.in_file.get(), H5S_SELECT_SET, offset.data(), nullptr, count.data(),
                            nullptr),
        "cannot select rows");
  return result;
}

void H5File::Impl::write_rows(const Dataset& dataset, const Values& values, const Extents& offset,
                              const Extents& count) const {
  const Selection selection = select(dataset, offset, count);
  const auto write = [&](hid_t type, const void* data) {
    check(
        H5Dwrite(dataset.get(), type, selection.in_memory.get(), selection.in_file.get(), H5P_DEFAULT, data),
        "cannot write rows");
  };
  const Type file_type(H5Dget_type(dataset.get()));
  std::visit(
      [&]<class T>(const std::vector<T>& elements) {
        if constexpr (std::is_same_v<T, std::string>) {
          write(file_type.get(), pointers(elements).data());
        } else if constexpr (std::is_same_v<T, std::int8_t>) {
          write(file_type.get(), elements.data());  // a category's type is the same in the file and in memory
        } else {
          write(memory_type<T>().get(), elements.data());
        }
      },
      values);
}

void H5File::Impl::apply(const Batch::Change& change) const {
  const Dataset target = has(change.column.path) ? dataset(change.column.path) : make(change.column);
  Extents extents = this->extents(target);
  if (change.mode == Batch::Mode::replace && extents[0] > 0) {
    extents[0] = 0;
    check(H5Dset_extent(target.get(), extents.data()), "cannot empty column " + change.column.path);
  }
  const std::uint64_t n_rows = n_elements(change.values) / n_elements_per_row(change.column);
  if (n_rows == 0) return;
  Extents offset(extents.size(), 0), count = extents;
  offset[0] = extents[0];
  count[0] = n_rows;
  extents[0] += n_rows;
  check(H5Dset_extent(target.get(), extents.data()), "cannot extend column " + change.column.path);
  write_rows(target, change.values, offset, count);
}

void H5File::Impl::set_attribute(hid_t object, const std::string& name, const Attribute& value) const {
  if (H5Aexists(object, name.c_str()) > 0)
    check(H5Adelete(object, name.c_str()), "cannot replace attribute " + name);
  const auto write = [&](const Type& type, const Space& space, const void* data) {
    const AttributeId id =
        made(AttributeId(H5Acreate2(object, name.c_str(), type.get(), space.get(), H5P_DEFAULT, H5P_DEFAULT)),
             "cannot make attribute " + name);
    check(H5Awrite(id.get(), type.get(), data), "cannot write attribute " + name);
  };
  const Space scalar(H5Screate(H5S_SCALAR));
  std::visit(
      [&]<class T>(const T& content) {
        if constexpr (std::is_same_v<T, std::vector<std::string>>) {
          const hsize_t n = content.size();
          write(memory_type<std::string>(), Space(H5Screate_simple(1, &n, nullptr)),
                pointers(content).data());
        } else if constexpr (std::is_same_v<T, std::string>) {
          const char* text = content.c_str();
          write(memory_type<std::string>(), scalar, &text);
        } else {
          write(memory_type<T>(), scalar, &content);
        }
      },
      value);
}

AttributeId H5File::Impl::attribute(const std::string& object, const std::string& name) const {
  return made(
      AttributeId(H5Aopen_by_name(file.get(), object.c_str(), name.c_str(), H5P_DEFAULT, H5P_DEFAULT)),
      object + " has no attribute " + name);
}

H5File::H5File(const std::filesystem::path& path, Access access) : impl_(std::make_unique<Impl>()) {
  impl_->path = path;
  impl_->access = access;
  impl_->open();
}
H5File::H5File(H5File&&) noexcept = default;
H5File& H5File::operator=(H5File&&) noexcept = default;
H5File::~H5File() = default;

void H5File::apply(const Batch& batch) {
  for (const auto& [path, change] : batch.changes()) impl_->apply(change);
  for (const auto& [where, value] : batch.attributes()) {
    const Object object = impl_->made(Object(H5Oopen(impl_->file.get(), where.first.c_str(), H5P_DEFAULT)),
                                      "has no object " + where.first);
    impl_->set_attribute(object.get(), where.second, value);
  }
}

void H5File::close() {
  const herr_t closed = H5Fclose(impl_->file.release());
  if (closed < 0 || impl_->failure->code != 0) impl_->fail("cannot be written");
}

bool H5File::has(const std::string& path) const { return impl_->has(path); }

std::vector<std::string> H5File::names(const std::string& group) const {
  const Group id =
      impl_->made(Group(H5Gopen2(impl_->file.get(), group.c_str(), H5P_DEFAULT)), "has no group " + group);
  std::vector<std::string> result;
  const auto collect = [](hid_t, const char* name, const H5L_info_t*, void* out) -> herr_t {
    static_cast<std::vector<std::string>*>(out)->emplace_back(name);
    return 0;
  };
  impl_->check(H5Literate(id.get(), H5_INDEX_NAME, H5_ITER_INC, nullptr, collect, &result),
               "cannot list " + group);
  return result;
}

std::vector<std::uint64_t> H5File::shape(const std::string& path) const {
  const Extents extents = impl_->extents(impl_->dataset(path));
  return {extents.begin(), extents.end()};
}

template <class T>
std::vector<T> H5File::read(const std::string& path, std::optional<Rows> rows) const {
  const Dataset dataset = impl_->dataset(path);
  Extents count = impl_->extents(dataset), offset(count.size(), 0);
  if (rows) {
    assert(rows->offset + rows->count <= count[0]);
    offset[0] = rows->offset;
    count[0] = rows->count;
  }
  const std::size_t n = std::accumulate(count.begin(), count.end(), std::size_t{1}, std::multiplies{});
  if (n == 0) return {};
  const Selection selection = impl_->select(dataset, offset, count);
  const Type type = memory_type<T>();
  const auto read_into = [&](void* buffer) {
    impl_->check(H5Dread(dataset.get(), type.get(), selection.in_memory.get(), selection.in_file.get(),
                         H5P_DEFAULT, buffer),
                 "cannot read " + path);
  };
  if constexpr (std::is_same_v<T, std::string>) {
    Texts texts{type.get(), selection.in_memory.get(), std::vector<char*>(n)};
    read_into(texts.pointers.data());
    return texts.copy();
  } else {
    std::vector<T> result(n);
    read_into(result.data());
    return result;
  }
}

template <class T>
T H5File::attribute(const std::string& object, const std::string& name) const {
  const AttributeId id = impl_->attribute(object, name);
  const auto read_into = [&](const Type& type, void* buffer) {
    impl_->check(H5Aread(id.get(), type.get(), buffer), "cannot read attribute " + name);
  };
  if constexpr (std::is_arithmetic_v<T>) {
    T value{};
    read_into(memory_type<T>(), &value);
    return value;
  } else {
    const Type type = memory_type<std::string>();
    const Space space(H5Aget_space(id.get()));
    Texts texts{type.get(), space.get(),
                std::vector<char*>(static_cast<std::size_t>(H5Sget_simple_extent_npoints(space.get())))};
    read_into(type, texts.pointers.data());
    if constexpr (std::is_same_v<T, std::string>)
      return texts.copy().at(0);
    else
      return texts.copy();
  }
}

template std::vector<double> H5File::read(const std::string&, std::optional<Rows>) const;
template std::vector<float> H5File::read(const std::string&, std::optional<Rows>) const;
template std::vector<std::int64_t> H5File::read(const std::string&, std::optional<Rows>) const;
template std::vector<std::uint64_t> H5File::read(const std::string&, std::optional<Rows>) const;
template std::vector<std::int8_t> H5File::read(const std::string&, std::optional<Rows>) const;
template std::vector<std::string> H5File::read(const std::string&, std::optional<Rows>) const;
template std::string H5File::attribute(const std::string&, const std::string&) const;
template std::uint64_t H5File::attribute(const std::string&, const std::string&) const;
template double H5File::attribute(const std::string&, const std::string&) const;
template std::vector<std::string> H5File::attribute(const std::string&, const std::string&) const;

}  // namespace kinetune::store
