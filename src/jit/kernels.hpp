#pragma once

#include <string>
#include <vector>

#include "jit/model_code.hpp"

namespace kinetune::jit {

/// Which of a kernel's arguments a symbol stands in, and where.
struct Slot {
  enum class Array : std::uint8_t { time, state, prelude, argument } array;
  int index = 0;
};
using Bindings = std::unordered_map<std::uint32_t, Slot>;  ///< by the symbol's node id

/// A function to be emitted: out[i] = results[i].
struct Kernel {
  std::string name;
  std::vector<symbolic::Expr> results;
  Bindings own;   ///< of symbols that mean something in this kernel alone; they hide the common ones
  int width = 1;  ///< points that a call evaluates side by side; above 1 time is an array, too
};

/// Everything to be emitted for a model.
struct KernelSet {
  std::vector<Kernel> kernels;
  Bindings common;
  std::vector<symbolic::Expr> switches;  ///< symbols that still need a slot, behind the prelude
};

/// The kernels of a model under the names that CompiledModel looks up; fills in all of `code` but the
/// objects.
KernelSet make_kernels(const ModelSource&, const CompileOptions&, ModelCode& code);

/// Moves what depends on parameters alone out of the kernels into the first one, "prelude", whose results the
/// others read. The parameters themselves stand behind the hoisted values.
/// @returns the number of prelude values
int hoist(KernelSet&, const model::FlatModel&);

}  // namespace kinetune::jit
