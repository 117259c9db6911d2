#pragma once

#include "jit/pieces.hpp"

namespace llvm {
class Function;
}

namespace kinetune::jit {

/// Fills an empty function (time, state, prelude, arguments, out, workspace) with a piece as straight-line
/// code.
void emit_piece(llvm::Function&, const Bindings& common, const Kernel&, const CutKernel&, const Piece&);

}  // namespace kinetune::jit
