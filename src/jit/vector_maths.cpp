#include "jit/vector_maths.hpp"

#include <llvm/Support/DynamicLibrary.h>

namespace kinetune::jit {
namespace {

constexpr const char* library = "libmvec.so.1";

llvm::sys::DynamicLibrary& loaded() {
  static llvm::sys::DynamicLibrary handle = llvm::sys::DynamicLibrary::getPermanentLibrary(library);
  return handle;
}

}  // namespace

const char* vector_maths_library() { return loaded().isValid() ? library : nullptr; }

/// Names by the x86 vector function ABI: d is AVX2, e AVX-512; N: unmasked; a v for each argument.
std::optional<std::string> vector_function(const std::string& name, int n_arguments, int width) {
  if (!loaded().isValid() || (width != 4 && width != 8)) return std::nullopt;
  const std::string full = std::string("_ZGV") + (width == 8 ? 'e' : 'd') + 'N' + std::to_string(width) +
                           std::string(static_cast<std::size_t>(n_arguments), 'v') + '_' + name;
  if (!loaded().getAddressOfSymbol(full.c_str())) return std::nullopt;
  return full;
}

}  // namespace kinetune::jit
