// libFuzzer's entry. KINETUNE_FUZZ_TARGET is one of the functions in targets.hpp.

#include <cstddef>
#include <cstdint>

#include "fuzz/targets.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  kinetune::fuzz::KINETUNE_FUZZ_TARGET({reinterpret_cast<const char*>(data), size});
  return 0;
}
