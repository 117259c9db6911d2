#pragma once

#include "jit/kernels.hpp"

namespace kinetune::jit {

/// Adds, under the names that RateKernels looks up, what an integration of several points side by side calls
/// at every step, and says so in code.lanes. Leaves models alone that have no second derivatives, or in which
/// something jumps, and very large ones.
void add_lane_kernels(int lanes, ModelCode& code, KernelSet&);

/// The name of a kernel's form for several points.
std::string lane_name(const std::string& kernel);

}  // namespace kinetune::jit
