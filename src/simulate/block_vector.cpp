#include "simulate/block_vector.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <new>
#include <vector>

#include <sundials/sundials_nvector.h>

#include "simulate/simd.hpp"

namespace kinetune::simulate {
namespace {

double* data(N_Vector v) { return block(v).data; }
long size(N_Vector v) { return block(v).size(); }

KINETUNE_SIMD void linear_sum(long n, double a, const double* x, double b, const double* y, double* z) {
  for (long i = 0; i < n; ++i) z[i] = a * x[i] + b * y[i];
}
KINETUNE_SIMD void product(long n, const double* x, const double* y, double* z) {
  for (long i = 0; i < n; ++i) z[i] = x[i] * y[i];
}
KINETUNE_SIMD void quotient(long n, const double* x, const double* y, double* z) {
  for (long i = 0; i < n; ++i) z[i] = x[i] / y[i];
}
KINETUNE_SIMD void scaled(long n, double c, const double* x, double* z) {
  for (long i = 0; i < n; ++i) z[i] = c * x[i];
}
KINETUNE_SIMD void magnitude(long n, const double* x, double* z) {
  for (long i = 0; i < n; ++i) z[i] = std::fabs(x[i]);
}
KINETUNE_SIMD void inverse(long n, const double* x, double* z) {
  for (long i = 0; i < n; ++i) z[i] = 1.0 / x[i];
}
KINETUNE_SIMD void shifted(long n, const double* x, double b, double* z) {
  for (long i = 0; i < n; ++i) z[i] = x[i] + b;
}
KINETUNE_SIMD double weighted_square_sum(int n, const double* x, const double* w) {
  double sum = 0.0;
  for (int i = 0; i < n; ++i) sum += (x[i] * w[i]) * (x[i] * w[i]);
  return sum;
}
KINETUNE_SIMD void add_weighted_squares(int m, const double* x, const double* w, double* __restrict sums) {
  for (int k = 0; k < m; ++k) sums[k] += (x[k] * w[k]) * (x[k] * w[k]);
}

double weighted_norm(N_Vector v, N_Vector w) {
  const auto [n, m, x] = block(v);
  const double* weights = data(w);
  double largest = weighted_square_sum(n, x, weights);
  if (m > 0) {
    static thread_local std::vector<double> sums;
    sums.assign(m, 0.0);
    for (int i = 0; i < n; ++i) {
      const long row = n + static_cast<long>(i) * m;
      add_weighted_squares(m, x + row, weights + row, sums.data());
    }
    for (const double sum : sums) {
      if (!(sum <= largest)) largest = sum;  // not a number counts as the largest
    }
  }
  return std::sqrt(largest / n);
}

double max_norm(N_Vector v) {
  double largest = 0.0;
  for (long i = 0; i < size(v); ++i) largest = std::max(largest, std::fabs(data(v)[i]));
  return largest;
}

double minimum(N_Vector v) { return *std::min_element(data(v), data(v) + size(v)); }

void destroy(N_Vector v) {
  if (!v) return;
  if (auto* content = static_cast<BlockVector*>(v->content)) {
    std::free(content->data);
    delete content;
  }
  N_VFreeEmpty(v);
}

N_Vector clone(N_Vector v) { return new_block_vector(block(v).n, block(v).m, v->sunctx); }

}  // namespace

BlockVector& block(_generic_N_Vector* v) { return *static_cast<BlockVector*>(v->content); }

_generic_N_Vector* new_block_vector(int n, int m, _SUNContext* context) {
  N_Vector v = N_VNewEmpty(context);
  if (!v) throw std::bad_alloc();
  auto* content = new BlockVector{n, m, nullptr};
  v->content = content;
  const std::size_t bytes = (static_cast<std::size_t>(content->size()) * sizeof(double) + 63) / 64 * 64;
  content->data = static_cast<double*>(std::aligned_alloc(64, std::max<std::size_t>(bytes, 64)));
  if (!content->data) throw std::bad_alloc();
  std::fill_n(content->data, content->size(), 0.0);

  auto& ops = *v->ops;
  ops.nvgetvectorid = [](N_Vector) { return SUNDIALS_NVEC_CUSTOM; };
  ops.nvclone = clone;
  ops.nvcloneempty = clone;
  ops.nvdestroy = destroy;
  ops.nvspace = [](N_Vector a, sunindextype* reals, sunindextype* integers) {
    *reals = static_cast<sunindextype>(size(a));
    *integers = 2;
  };
  ops.nvgetlength = [](N_Vector a) { return static_cast<sunindextype>(size(a)); };
  ops.nvgetarraypointer = data;
  ops.nvlinearsum = [](double a, N_Vector x, double b, N_Vector y, N_Vector z) {
    linear_sum(size(z), a, data(x), b, data(y), data(z));
  };
  ops.nvconst = [](double c, N_Vector z) { std::fill_n(data(z), size(z), c); };
  ops.nvprod = [](N_Vector x, N_Vector y, N_Vector z) { product(size(z), data(x), data(y), data(z)); };
  ops.nvdiv = [](N_Vector x, N_Vector y, N_Vector z) { quotient(size(z), data(x), data(y), data(z)); };
  ops.nvscale = [](double c, N_Vector x, N_Vector z) { scaled(size(z), c, data(x), data(z)); };
  ops.nvabs = [](N_Vector x, N_Vector z) { magnitude(size(z), data(x), data(z)); };
  ops.nvinv = [](N_Vector x, N_Vector z) { inverse(size(z), data(x), data(z)); };
  ops.nvaddconst = [](N_Vector x, double b, N_Vector z) { shifted(size(z), data(x), b, data(z)); };
  ops.nvwrmsnorm = weighted_norm;
  ops.nvmaxnorm = max_norm;
  ops.nvmin = minimum;
  return v;
}

}  // namespace kinetune::simulate
