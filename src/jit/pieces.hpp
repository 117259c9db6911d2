#pragma once

#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "jit/kernels.hpp"

namespace kinetune::jit {

/// Operations that go into one function, in the order of computation.
struct Piece {
  std::vector<symbolic::Expr> operations;
  std::vector<int> results;  ///< indices of the kernel's results that are written here
};

/// A kernel cut into functions of bounded size.
struct CutKernel {
  std::vector<Piece> pieces;
  std::unordered_map<std::uint32_t, int> spilled;  ///< workspace slot of each node that a later piece uses
  std::unordered_set<std::uint32_t>
      divisors;  ///< negative powers that only one product uses: it divides instead
};

CutKernel cut(const Kernel&, int max_operations);

}  // namespace kinetune::jit
