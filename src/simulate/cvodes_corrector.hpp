#pragma once

#include <functional>
#include <vector>

#include "simulate/integrator.hpp"
#include "simulate/sundials_handles.hpp"

namespace kinetune::simulate {

/// CVODES' Newton iteration with a convergence test of its own: it counts sensitivities that the error test
/// does not see, which have to be solved for all the same, and takes no states at which rates have no value.
class CvodesCorrector {
 public:
  using HaveRates = std::function<bool(double t, const double* x)>;

  /// Takes the place of CVODES' own.
  /// @param cvode       must outlive the corrector's use
  /// @param like        a vector of the system's kind
  /// @param have_rates  whether rates have values at states (n_states)
  CvodesCorrector(void* cvode, _generic_N_Vector* like, SensitivityErrors, HaveRates have_rates);
  CvodesCorrector(const CvodesCorrector&) = delete;
  CvodesCorrector& operator=(const CvodesCorrector&) = delete;

  /// Before a run.
  void restart() { n_setups_ = 0; }
  /// A step begins at y.
  /// @param weights  of errors; where those of sensitivities are to be ignored, they become 0 for the error
  /// test
  void begin_step(_generic_N_Vector* y, _generic_N_Vector* weights);

 private:
  static int test(_generic_SUNNonlinearSolver*, _generic_N_Vector* correction, _generic_N_Vector* change,
                  double tolerance, _generic_N_Vector* weights, void* corrector);
  bool keeps_rates(const double* correction);

  void* cvode_;
  HaveRates have_rates_;
  UniqueVector
      weights_;  // with those of sensitivities that the error test ignores; null where it ignores none
  UniqueNonlinearSolver newton_;
  double rate_ = 1.0;    // of convergence
  double change_ = 0.0;  // size of the last
  long n_setups_ = 0;
  std::vector<double> start_, solution_;  // (n_states) of the step, and where it ends
};

}  // namespace kinetune::simulate
