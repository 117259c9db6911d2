#include "simulate/linear_solver.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include <klu.h>

#include "core/unique_handle.hpp"
#include "simulate/dense_lu.hpp"

namespace kinetune::simulate {
namespace {

// Above this size and below this share of non-zeros KLU wins (measured on the PEtab benchmark problems).
constexpr int sparse_from_states = 40;
constexpr double sparse_below_density = 0.2;

/// klu_free_* need the settings that the handle was made with, hence the pair.
struct KluSymbolic {
  klu_common* settings;
  klu_symbolic* handle = nullptr;
  ~KluSymbolic() { klu_free_symbolic(&handle, settings); }
};
struct KluNumeric {
  klu_common* settings;
  klu_numeric* handle = nullptr;
  ~KluNumeric() { klu_free_numeric(&handle, settings); }
};

/// SuiteSparse's KLU (Davis and Palamadai Natarajan 2010, doi:10.1145/1824801.1824814).
class Klu final : public Factorisation {
 public:
  explicit Klu(const jit::Pattern& pattern)
      : n_(pattern.n_rows),
        starts_(pattern.column_starts),
        rows_(pattern.rows),
        n_nonzeros_(pattern.n_nonzeros()) {
    klu_defaults(&settings_);
    symbolic_.handle = klu_analyze(n_, starts_.data(), rows_.data(), &settings_);
    if (!symbolic_.handle) throw std::runtime_error("KLU cannot analyse the Jacobian's pattern");
  }

  void forget() override { klu_free_numeric(&numeric_.handle, &settings_); }

  LaneBits factor(const double* values) override {
    if (!std::all_of(values, values + n_nonzeros_, [](double v) { return std::isfinite(v); })) return false;
    double* a = const_cast<double*>(values);  // KLU's signature lacks the const it keeps
    if (numeric_.handle &&
        klu_refactor(starts_.data(), rows_.data(), a, symbolic_.handle, numeric_.handle, &settings_) &&
        klu_rcond(symbolic_.handle, numeric_.handle, &settings_) && settings_.rcond > 1e-14) {
      return true;  // the old pivots still serve
    }
    klu_free_numeric(&numeric_.handle, &settings_);
    numeric_.handle = klu_factor(starts_.data(), rows_.data(), a, symbolic_.handle, &settings_);
    return numeric_.handle != nullptr && settings_.status == KLU_OK;
  }

  void solve(double* b) override { klu_solve(symbolic_.handle, numeric_.handle, n_, 1, b, &settings_); }
  void solve_transposed(double* b) override {
    klu_tsolve(symbolic_.handle, numeric_.handle, n_, 1, b, &settings_);
  }

  void solve_block(double* b, int n_columns) override {
    columns_.resize(static_cast<std::size_t>(n_) * n_columns);
    for (int i = 0; i < n_; ++i) {
      for (int j = 0; j < n_columns; ++j)
        columns_[static_cast<std::size_t>(j) * n_ + i] = b[static_cast<std::size_t>(i) * n_columns + j];
    }
    klu_solve(symbolic_.handle, numeric_.handle, n_, n_columns, columns_.data(), &settings_);
    for (int i = 0; i < n_; ++i) {
      for (int j = 0; j < n_columns; ++j)
        b[static_cast<std::size_t>(i) * n_columns + j] = columns_[static_cast<std::size_t>(j) * n_ + i];
    }
  }

 private:
  int n_;
  std::vector<int> starts_, rows_;
  int n_nonzeros_;
  klu_common settings_{};
  KluSymbolic symbolic_{&settings_};
  KluNumeric numeric_{&settings_};
  std::vector<double> columns_;
};

bool is_sparse(const jit::Pattern& pattern) {
  const double n = pattern.n_rows;
  return n >= sparse_from_states && pattern.n_nonzeros() < sparse_below_density * n * n;
}

}  // namespace

std::unique_ptr<Factorisation> make_factorisation(const jit::Pattern& pattern, LinearSolver choice) {
  if (choice == LinearSolver::klu || (choice == LinearSolver::automatic && is_sparse(pattern))) {
    return std::make_unique<Klu>(pattern);
  }
  return std::make_unique<DenseLu>(pattern);
}

}  // namespace kinetune::simulate
