#pragma once

#include <array>
#include <cstdint>

namespace kinetune::core {

/// A counter-based random stream: Philox4x64-10 (Salmon et al. 2011, doi:10.1145/2063384.2063405).
/// The numbers are a function of (seed, stream, position) alone, so that a start draws the same whichever
/// rank runs it.
class RandomStream {
 public:
  RandomStream(std::uint64_t seed, std::uint64_t stream) : seed_(seed), stream_(stream) {}

  /// 64 uniform random bits.
  std::uint64_t bits();
  /// Uniform in [0, 1), 53 bits.
  double uniform();
  /// Standard normal (Box-Muller).
  double normal();
  /// Uniform in {0, …, n-1}, without modulo bias. n > 0.
  std::uint64_t below(std::uint64_t n);

 private:
  std::uint64_t seed_;
  std::uint64_t stream_;
  std::uint64_t block_ = 0;
  std::array<std::uint64_t, 4> buffer_{};
  int left_ = 0;
};

}  // namespace kinetune::core
