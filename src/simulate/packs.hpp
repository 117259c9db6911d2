#pragma once

#include <cstddef>
#include <new>
#include <vector>

namespace kinetune::simulate {

/// `width` numbers side by side that one vector instruction serves. Loops over packs are written once, as
/// templates over the width, inlined into functions marked KINETUNE_SIMD.
template <int width>
struct PackOf;
template <>
struct PackOf<1> {
  using Type = double;
};
template <>
struct PackOf<4> {
  using Type = double __attribute__((vector_size(32), aligned(8), may_alias));
};
template <>
struct PackOf<8> {
  using Type = double __attribute__((vector_size(64), aligned(8), may_alias));
};
template <int width>
using Pack = typename PackOf<width>::Type;

/// Pack number i of an array.
template <int width>
inline __attribute__((always_inline)) const Pack<width>& pack(const double* array, std::ptrdiff_t i) {
  return *reinterpret_cast<const Pack<width>*>(array + i * width);
}
template <int width>
inline __attribute__((always_inline)) Pack<width>& pack(double* array, std::ptrdiff_t i) {
  return *reinterpret_cast<Pack<width>*>(array + i * width);
}

/// Calls loops.template operator()<width>() for a width known at run time: 1, 4 or 8.
template <class Loops>
inline __attribute__((always_inline)) void with_width(int width, const Loops& loops) {
  switch (width) {
    case 8:
      return loops.template operator()<8>();
    case 4:
      return loops.template operator()<4>();
    default:
      return loops.template operator()<1>();
  }
}
/// What a lambda given to with_width must be marked with.
#define KINETUNE_LOOPS __attribute__((always_inline))

/// A bit for each of several integrations, or matrices, side by side.
using LaneBits = unsigned;
constexpr LaneBits all_lanes(int width) { return (1u << width) - 1u; }
constexpr bool has_lane(LaneBits bits, int lane) { return ((bits >> lane) & 1u) != 0; }

/// Memory on the boundaries of vector registers: loads across two cache lines take twice as long.
template <class T>
struct PackAllocator {
  using value_type = T;
  static constexpr std::align_val_t alignment{64};

  PackAllocator() = default;
  template <class U>
  explicit PackAllocator(const PackAllocator<U>&) {}
  T* allocate(std::size_t n) { return static_cast<T*>(::operator new(n * sizeof(T), alignment)); }
  void deallocate(T* p, std::size_t) { ::operator delete(p, alignment); }
  bool operator==(const PackAllocator&) const = default;
};
using PackVector = std::vector<double, PackAllocator<double>>;

}  // namespace kinetune::simulate
