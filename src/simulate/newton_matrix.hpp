#pragma once

#include "simulate/linear_solver.hpp"

struct _generic_SUNMatrix;
struct _generic_SUNLinearSolver;
struct _SUNContext;

namespace kinetune::simulate {

/// A SUNDIALS matrix that holds values on a pattern with a full diagonal, one of the state system, whatever
/// the length of the vectors.
/// @param pattern  must outlive the matrix
_generic_SUNMatrix* new_pattern_matrix(const jit::Pattern& pattern, _SUNContext*);
double* values(_generic_SUNMatrix*);

enum class Orientation { as_stored, transposed };

/// A SUNDIALS solver for such matrices. A vector's sensitivities are solved for with the same factors as its
/// states.
/// @param orientation  whether the system's matrix is the stored one or its transpose (adjoint systems)
/// @param factors      must outlive the solver
_generic_SUNLinearSolver* new_block_solver(Factorisation& factors, Orientation orientation, _SUNContext*);

}  // namespace kinetune::simulate
