#pragma once

#include <string>
#include <vector>

#include "jit/kernels.hpp"

namespace kinetune::jit {

/// Machine code for the kernels, as relocatable objects for the processor that this runs on.
std::vector<std::string> emit_objects(const KernelSet&, const CompileOptions&);

/// The processor that this runs on, with its features: code made for it runs wherever the text is the same.
std::string host_cpu();

}  // namespace kinetune::jit
