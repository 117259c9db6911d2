#include "simulate/steady_system.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

// LAPACK: eigenvalues and eigenvectors of a general real matrix, column-major.
extern "C" void dgeev_(const char* jobvl, const char* jobvr, const int* n, double* a, const int* lda,
                       double* real, double* imaginary, double* vl, const int* ldvl, double* vr,
                       const int* ldvr, double* work, const int* lwork, int* info);

namespace kinetune::simulate {
namespace {

jit::Pattern full_pattern(int n) {
  jit::Pattern pattern{n, n, {0}, {}};
  for (int j = 0; j < n; ++j) {
    for (int i = 0; i < n; ++i) pattern.rows.push_back(i);
    pattern.column_starts.push_back(pattern.n_nonzeros());
  }
  return pattern;
}

/// LU with complete pivoting, as far as the rank goes. Row i of the result is row rows[i] of the matrix.
class RankRevealing {
 public:
  RankRevealing(int n, std::vector<double> matrix, double threshold)
      : n_(n), a_(std::move(matrix)), rows_(n) {
    std::iota(rows_.begin(), rows_.end(), 0);
    double largest = 0.0;
    for (rank_ = 0; rank_ < n_; ++rank_) {
      const double pivot = bring_largest_to_diagonal(rank_);
      largest = std::max(largest, pivot);
      if (pivot <= threshold * largest) return;
      eliminate(rank_);
    }
  }

  int rank() const { return rank_; }
  int row(int i) const { return rows_[i]; }

  /// (n) weights by row of the matrix of the combination that vanishes, for i from rank() on.
  std::vector<double> vanishing(int i) const {
    std::vector<double> weights(n_, 0.0);
    weights[rows_[i]] = 1.0;
    std::vector<double> z(rank_);
    for (int k = rank_ - 1; k >= 0; --k) {
      z[k] = at(i, k);
      for (int j = k + 1; j < rank_; ++j) z[k] -= z[j] * at(j, k);
      weights[rows_[k]] = -z[k];
    }
    return weights;
  }

 private:
  double& at(int i, int j) { return a_[static_cast<std::size_t>(i) * n_ + j]; }
  double at(int i, int j) const { return a_[static_cast<std::size_t>(i) * n_ + j]; }

  double bring_largest_to_diagonal(int k) {
    int row = k, column = k;
    for (int i = k; i < n_; ++i) {
      for (int j = k; j < n_; ++j) {
        if (std::fabs(at(i, j)) > std::fabs(at(row, column))) row = i, column = j;
      }
    }
    if (row != k) {
      for (int j = 0; j < n_; ++j) std::swap(at(row, j), at(k, j));
      std::swap(rows_[row], rows_[k]);
    }
    if (column != k) {
      for (int i = 0; i < n_; ++i) std::swap(at(i, column), at(i, k));
    }
    return std::fabs(at(k, k));
  }

  void eliminate(int k) {
    for (int i = k + 1; i < n_; ++i) {
      const double factor = at(i, k) /= at(k, k);
      if (factor == 0.0) continue;
      for (int j = k + 1; j < n_; ++j) at(i, j) -= factor * at(k, j);
    }
  }

  int n_, rank_ = 0;
  std::vector<double> a_;  // U, and L's multipliers below the diagonal
  std::vector<int> rows_;
};

double largest_of(std::span<const double> values) {
  double largest = 0.0;
  for (const double v : values) largest = std::max(largest, std::fabs(v));
  return largest;
}

/// The ratio of two small whole numbers that is as good as equal, if there is one.
double nearby_ratio(double value) {
  constexpr int largest_denominator = 12;
  constexpr double nearness = 1e-6;
  for (int q = 1; q <= largest_denominator; ++q) {
    const double ratio = std::round(value * q) / q;
    if (std::fabs(value - ratio) < nearness) return ratio;
  }
  return value;
}

/// How far the combination of rows is from vanishing: by column, as a share of its terms' size; the largest.
double remainder_of(std::span<const double> weights, const std::vector<double>& matrix) {
  const std::size_t n = weights.size();
  double largest = 0.0;
  for (std::size_t j = 0; j < n; ++j) {
    double sum = 0.0, sums = 0.0;
    for (std::size_t i = 0; i < n; ++i) {
      const double term = weights[i] * matrix[i * n + j];
      sum += term;
      sums += std::fabs(term);
    }
    if (sums > 0.0) largest = std::max(largest, std::fabs(sum) / sums);
  }
  return largest;
}

}  // namespace

SteadySystem::SteadySystem(int n)
    : n_(n),
      pattern_(full_pattern(n)),
      jacobian_(static_cast<std::size_t>(n) * n),
      row_scale_(n, 1.0),
      factors_(make_factorisation(pattern_, LinearSolver::dense)) {}

std::unique_ptr<SteadySystem> SteadySystem::make(const jit::Pattern& pattern,
                                                 std::span<const double> jacobian,
                                                 std::span<const double> size, double threshold) {
  if (!std::ranges::all_of(jacobian, [](double v) { return std::isfinite(v); })) return nullptr;
  std::unique_ptr<SteadySystem> system(new SteadySystem(pattern.n_rows));
  for (int j = 0; j < pattern.n_cols; ++j) {
    for (int e = pattern.column_starts[j]; e < pattern.column_starts[j + 1]; ++e)
      system->jacobian_[static_cast<std::size_t>(pattern.rows[e]) * pattern.n_cols + j] = jacobian[e];
  }
  system->find_conserved(size, threshold);
  return system->factor() ? std::move(system) : nullptr;
}

std::span<const double> SteadySystem::conserved(int c) const {
  return {conserved_.data() + static_cast<std::size_t>(c) * n_, static_cast<std::size_t>(n_)};
}

double SteadySystem::conserved_amount(int c, std::span<const double> x) const {
  return std::inner_product(x.begin(), x.end(), conserved(c).begin(), 0.0);
}

/// Scales rows and columns first, so that neither slow reactions nor small units pass for a lack of rank.
void SteadySystem::find_conserved(std::span<const double> size, double threshold) {
  std::vector<double> scaled = jacobian_;
  std::vector<double> scale(n_, 0.0);
  for (int i = 0; i < n_; ++i) {
    double* row = scaled.data() + static_cast<std::size_t>(i) * n_;
    for (int j = 0; j < n_; ++j) row[j] *= size[j];
    const double largest = largest_of({row, static_cast<std::size_t>(n_)});
    if (largest == 0.0) continue;
    scale[i] = 1.0 / largest;
    for (int j = 0; j < n_; ++j) row[j] *= scale[i];
  }
  const RankRevealing lu(n_, std::move(scaled), threshold);
  for (int i = lu.rank(); i < n_; ++i) dependent_.push_back(lu.row(i));
  std::ranges::sort(dependent_);
  conserved_.resize(dependent_.size() * n_);
  for (int i = lu.rank(); i < n_; ++i) {
    const auto c = std::ranges::lower_bound(dependent_, lu.row(i)) - dependent_.begin();
    std::vector<double> weights = lu.vanishing(i);
    for (int k = 0; k < n_; ++k) {
      if (scale[k] > 0.0) weights[k] *= scale[k];
    }
    const double largest = largest_of(weights);
    for (double& w : weights) w /= largest;
    // What is conserved are numbers of atoms, mostly: rounding errors, large where rates differ much, are
    // undone.
    std::vector<double> rounded = weights;
    for (double& w : rounded) w = nearby_ratio(w);
    const bool is_better = remainder_of(rounded, jacobian_) <= remainder_of(weights, jacobian_);
    std::ranges::copy(is_better ? rounded : weights, conserved_.begin() + c * n_);
  }
}

bool SteadySystem::factor() {
  std::vector<double> values(jacobian_.size());  // by columns
  int c = 0;
  for (int i = 0; i < n_; ++i) {
    const bool is_conserved = c < n_conserved() && dependent_[c] == i;
    const double* row =
        is_conserved ? conserved(c).data() : jacobian_.data() + static_cast<std::size_t>(i) * n_;
    const double largest = largest_of({row, static_cast<std::size_t>(n_)});
    row_scale_[i] = 1.0 / largest;
    for (int j = 0; j < n_; ++j) values[static_cast<std::size_t>(j) * n_ + i] = row[j] * row_scale_[i];
    if (is_conserved) ++c;
  }
  return factors_->factor(values.data());
}

void SteadySystem::solve(double* b) const {
  for (int i = 0; i < n_; ++i) b[i] *= row_scale_[i];
  factors_->solve(b);
}

void SteadySystem::solve_transposed(double* b) const {
  factors_->solve_transposed(b);
  for (int i = 0; i < n_; ++i) b[i] *= row_scale_[i];
}

double SteadySystem::growth() const {
  constexpr double none = -std::numeric_limits<double>::infinity();
  std::vector<int> left;
  for (int i = 0; i < n_; ++i) {
    if (!std::ranges::binary_search(dependent_, i)) left.push_back(i);
  }
  const int r = static_cast<int>(left.size());
  if (r == 0) return none;
  // The dependent states follow from the others: x_d = constant - (w without d)'x / w_d.
  std::vector<double> reduced(static_cast<std::size_t>(r) * r);  // by columns
  for (int a = 0; a < r; ++a) {
    for (int b = 0; b < r; ++b) {
      double& value = reduced[static_cast<std::size_t>(b) * r + a];
      const double* row = jacobian_.data() + static_cast<std::size_t>(left[a]) * n_;
      value = row[left[b]];
      for (int c = 0; c < n_conserved(); ++c)
        value -= row[dependent_[c]] * conserved(c)[left[b]] / conserved(c)[dependent_[c]];
    }
  }
  std::vector<double> real(r), imaginary(r), work(static_cast<std::size_t>(r) * 8);
  const int n_work = static_cast<int>(work.size()), one = 1;
  int info = 0;
  double unused = 0.0;
  dgeev_("N", "N", &r, reduced.data(), &r, real.data(), imaginary.data(), &unused, &one, &unused, &one,
         work.data(), &n_work, &info);
  return info == 0 ? *std::ranges::max_element(real) : std::numeric_limits<double>::infinity();
}

}  // namespace kinetune::simulate
