#include "simulate/rate_rounding.hpp"

#include <algorithm>
#include <limits>

#include "simulate/packs.hpp"
#include "simulate/simd.hpp"

namespace kinetune::simulate {

KINETUNE_SIMD void find_rate_rounding(int width, const jit::Pattern& pattern, const double* jacobian,
                                      const double* x, double* rounding) {
  constexpr double units = 8 * std::numeric_limits<double>::epsilon();
  std::fill_n(rounding, static_cast<std::ptrdiff_t>(pattern.n_cols) * width, 0.0);
  with_width(width, [&]<int w>() KINETUNE_LOOPS {
    for (int j = 0; j < pattern.n_cols; ++j) {
      const Pack<w> size = units * pack<w>(x, j);
      for (int e = pattern.column_starts[j]; e < pattern.column_starts[j + 1]; ++e) {
        const Pack<w> term = pack<w>(jacobian, e) * size;
        pack<w>(rounding, pattern.rows[e]) += term < 0.0 ? -term : term;
      }
    }
  });
}

}  // namespace kinetune::simulate
