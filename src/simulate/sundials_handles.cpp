#include "simulate/sundials_handles.hpp"

#include <cvodes/cvodes.h>
#include <sundials/sundials_linearsolver.h>
#include <sundials/sundials_matrix.h>
#include <sundials/sundials_nonlinearsolver.h>

namespace kinetune::simulate {

template <>
void SundialsPolicy<SUNContext>::destroy(SUNContext context) noexcept {
  SUNContext_Free(&context);
}
template <>
void SundialsPolicy<N_Vector>::destroy(N_Vector vector) noexcept {
  N_VDestroy(vector);
}
template <>
void SundialsPolicy<SUNMatrix>::destroy(SUNMatrix matrix) noexcept {
  SUNMatDestroy(matrix);
}
template <>
void SundialsPolicy<SUNLinearSolver>::destroy(SUNLinearSolver solver) noexcept {
  SUNLinSolFree(solver);
}
template <>
void SundialsPolicy<SUNNonlinearSolver>::destroy(SUNNonlinearSolver solver) noexcept {
  SUNNonlinSolFree(solver);
}
template <>
void SundialsPolicy<void*>::destroy(void* cvode) noexcept {
  CVodeFree(&cvode);
}

}  // namespace kinetune::simulate
