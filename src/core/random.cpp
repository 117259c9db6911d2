#include "core/random.hpp"

#include <cmath>
#include <numbers>

#include <Random123/philox.h>

namespace kinetune::core {

std::uint64_t RandomStream::bits() {
  if (left_ == 0) {
    const r123::Philox4x64::ctr_type counter{{block_++, 0, 0, 0}};
    const r123::Philox4x64::key_type key{{seed_, stream_}};
    const auto numbers = r123::Philox4x64{}(counter, key);
    for (int i = 0; i < 4; ++i) buffer_[i] = numbers[i];
    left_ = 4;
  }
  return buffer_[--left_];
}

double RandomStream::uniform() { return static_cast<double>(bits() >> 11) * 0x1.0p-53; }

double RandomStream::normal() {
  const double radius = std::sqrt(-2.0 * std::log1p(-uniform()));
  return radius * std::cos(2.0 * std::numbers::pi * uniform());
}

std::uint64_t RandomStream::below(std::uint64_t n) {
  const std::uint64_t rejected = (0 - n) % n;  // 2^64 mod n values would be favoured
  std::uint64_t value = bits();
  while (value < rejected) value = bits();
  return value % n;
}

}  // namespace kinetune::core
