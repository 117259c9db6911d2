#pragma once

#if defined(__SSE2__)
#include <pmmintrin.h>
#endif

namespace kinetune::simulate {

/// While it lives, numbers too small for full precision count as 0 on this thread: decayed sensitivities
/// would otherwise cost a factor of ten.
class FlushDenormals {
 public:
#if defined(__SSE2__)
  FlushDenormals() : before_(_mm_getcsr()) {
    _mm_setcsr(before_ | _MM_FLUSH_ZERO_ON | _MM_DENORMALS_ZERO_ON);
  }
  ~FlushDenormals() { _mm_setcsr(before_); }
#else
  FlushDenormals() = default;
#endif
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;

#if defined(__SSE2__)

 private:
  unsigned before_;
#endif
};

}  // namespace kinetune::simulate
