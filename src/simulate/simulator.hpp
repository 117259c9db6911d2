#pragma once

#include "simulate/piece_integrator.hpp"

namespace kinetune::simulate {

/// Cuts segments where switches change and events happen, goes over the pieces with the method, and applies
/// the jumps between them.
/// @param model  must outlive the result
/// @param rtol   of the method
std::unique_ptr<Integrator> make_simulator(const jit::CompiledModel& model, std::unique_ptr<PieceIntegrator>,
                                           double rtol);

}  // namespace kinetune::simulate
