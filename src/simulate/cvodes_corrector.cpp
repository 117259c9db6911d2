#include "simulate/cvodes_corrector.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include <cvodes/cvodes.h>
#include <sunnonlinsol/sunnonlinsol_newton.h>

#include "simulate/block_vector.hpp"

namespace kinetune::simulate {

CvodesCorrector::CvodesCorrector(void* cvode, N_Vector like, SensitivityErrors errors, HaveRates have_rates)
    : cvode_(cvode),
      have_rates_(std::move(have_rates)),
      newton_(SUNNonlinSol_Newton(like, like->sunctx)),
      start_(block(like).n),
      solution_(block(like).n) {
  if (block(like).m > 0 && errors == SensitivityErrors::ignored)
    weights_ = UniqueVector(new_block_vector(block(like).n, block(like).m, like->sunctx));
  const bool ready = newton_ && CVodeSetNonlinearSolver(cvode, newton_.get()) == CV_SUCCESS &&
                     SUNNonlinSolSetConvTestFn(newton_.get(), test, this) == SUN_NLS_SUCCESS;
  if (!ready) throw std::runtime_error("CVODES' corrector cannot be set up");
}

void CvodesCorrector::begin_step(N_Vector y, N_Vector weights) {
  const auto [n, m, data] = block(y);
  std::copy_n(data, n, start_.begin());
  if (!weights_) return;
  double* w = block(weights).data;
  std::copy_n(w, block(weights).size(), block(weights_.get()).data);
  std::fill_n(w + n, static_cast<long>(n) * m, 0.0);
}

/// As CVODES has it (Hindmarsh and Serban, User Documentation of CVODES, "Nonlinear solve").
int CvodesCorrector::test(SUNNonlinearSolver newton, N_Vector correction, N_Vector change, double tolerance,
                          N_Vector weights, void* corrector) {
  constexpr double slowest_decline = 0.3, divergence = 2.0;
  auto& self = *static_cast<CvodesCorrector*>(corrector);
  long n_setups = 0;
  CVodeGetNumLinSolvSetups(self.cvode_, &n_setups);
  if (std::exchange(self.n_setups_, n_setups) != n_setups) self.rate_ = 1.0;
  int iteration = 0;
  SUNNonlinSolGetCurIter(newton, &iteration);
  const double size = N_VWrmsNorm(change, self.weights_ ? self.weights_.get() : weights);
  if (iteration > 0) self.rate_ = std::max(slowest_decline * self.rate_, size / self.change_);
  if (size * std::min(1.0, self.rate_) <= tolerance)
    return self.keeps_rates(block(correction).data) ? SUN_NLS_SUCCESS : SUN_NLS_CONV_RECVR;
  if (iteration > 0 && size > divergence * self.change_) return SUN_NLS_CONV_RECVR;
  self.change_ = size;
  return SUN_NLS_CONTINUE;
}

/// Whether rates have values at the solution, which CVODES has not looked at. A state that decays to 0 may
/// end below by less than its tolerance: where a power or a logarithm of it then has no value, no step leads
/// on from there. Looked at where a state has become negative.
bool CvodesCorrector::keeps_rates(const double* correction) {
  double t, gamma, factor;
  N_Vector predicted, solution, rates, scaled;
  void* user;
  CVodeGetNonlinearSystemData(cvode_, &t, &predicted, &solution, &rates, &gamma, &factor, &scaled, &user);
  bool has_changed_sign = false;
  for (std::size_t i = 0; i < start_.size(); ++i) {
    solution_[i] = block(predicted).data[i] + correction[i];
    has_changed_sign |= solution_[i] < 0.0 && start_[i] >= 0.0;
  }
  return !has_changed_sign || have_rates_(t, solution_.data());
}

}  // namespace kinetune::simulate
