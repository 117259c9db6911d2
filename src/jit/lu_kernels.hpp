#pragma once

#include "jit/kernels.hpp"

namespace kinetune::jit {

/// Adds, under the names that RateKernels looks up, the factorisation and the solves of matrices that have
/// the Jacobian's pattern, written out for it, and says so in code.has_lu. Leaves models alone whose
/// factorisation takes very many operations.
void add_lu_kernels(symbolic::Graph&, ModelCode& code, KernelSet&);

}  // namespace kinetune::jit
