#pragma once

struct _generic_N_Vector;
struct _SUNContext;

namespace kinetune::simulate {

/// What a SUNDIALS vector holds: x (n), then S (n, m) row-major.
struct BlockVector {
  int n;
  int m;
  double* data;

  long size() const { return static_cast<long>(n) * (1 + m); }
};

/// A SUNDIALS vector of states and m sensitivities. Its weighted norm is the largest of the blocks'
/// root-mean-squares, so that a step is as accurate for each sensitivity as for the states, and m = 0 is
/// SUNDIALS' own norm. The loops are ours because Debian builds SUNDIALS without vector instructions.
_generic_N_Vector* new_block_vector(int n, int m, _SUNContext*);
BlockVector& block(_generic_N_Vector*);

}  // namespace kinetune::simulate
